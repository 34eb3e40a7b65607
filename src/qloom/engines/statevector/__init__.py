"""The native engine: batches of state vectors on the CPU, forward and backward."""

from qloom.engines.statevector.engine import StatevectorEngine
from qloom.engines.statevector.evaluator import StatevectorEvaluator

__all__ = ["StatevectorEngine", "StatevectorEvaluator"]
