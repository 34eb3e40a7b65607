"""The native engine of noisy circuits: exact, a real number for every Pauli word."""

from qloom.engines.density.engine import DensityEngine
from qloom.engines.density.evaluator import DensityEvaluator

__all__ = ["DensityEngine", "DensityEvaluator"]
