"""Wide circuits: observables run backwards as sparse sums of Pauli words."""

from qloom.engines.propagation.engine import PropagationEngine
from qloom.engines.propagation.evaluator import PropagationEvaluator

__all__ = ["PropagationEngine", "PropagationEvaluator"]
