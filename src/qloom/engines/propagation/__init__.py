"""Wide circuits: observables run backwards as sparse sums of Pauli words."""

from qloom.engines.propagation.engine import PropagationEngine
from qloom.engines.propagation.evaluator import PropagationEvaluator
from qloom.engines.propagation.surrogate import Surrogate

__all__ = ["PropagationEngine", "PropagationEvaluator", "Surrogate"]
