"""The native engine: batches of state vectors on the CPU, forward and backward."""

from qloom.engines.statevector.engine import StatevectorEngine
from qloom.engines.statevector.evaluator import StatevectorEvaluator
from qloom.engines.statevector.lowering import lower, lower_states
from qloom.engines.statevector.program import Program

__all__ = ["Program", "StatevectorEngine", "StatevectorEvaluator", "lower", "lower_states"]
