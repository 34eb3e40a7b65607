"""Engines: what runs circuits."""

from qloom.engines.base import AdjointEvaluator, Engine, Evaluator, FinalState, Probabilities
from qloom.engines.batch import Batch, make_batch
from qloom.engines.evaluation import counts, expectation, probabilities, sample, state
from qloom.engines.reference import ReferenceEngine
from qloom.engines.statevector import StatevectorEngine

__all__ = [
    "AdjointEvaluator", "Batch", "Engine", "Evaluator", "FinalState", "Probabilities", "ReferenceEngine",
    "StatevectorEngine", "counts", "expectation", "make_batch", "probabilities", "sample", "state",
]  # fmt: skip
