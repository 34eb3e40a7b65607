"""Engines: what runs circuits."""

from qloom.engines.base import DifferentiableEvaluator, Engine, Estimate, Evaluator, Pending
from qloom.engines.batch import Batch, make_batch
from qloom.engines.circuit_batch import CircuitBatch, PreparedBatch
from qloom.engines.density import DensityEngine
from qloom.engines.evaluation import counts, expectation, probabilities, sample, state, variance
from qloom.engines.measuring.samplers import Sampler
from qloom.engines.measuring.shadows import ClassicalShadow, classical_shadow
from qloom.engines.measuring.shots import Shots
from qloom.engines.noisy import Noisy, OnDevice
from qloom.engines.outputs import DensityMatrix, Expectations, FinalState, Outputs, Probabilities
from qloom.engines.propagation import PropagationEngine, Surrogate
from qloom.engines.reduced import entropy, mutual_information, purity, reduced_density_matrix
from qloom.engines.reference import ReferenceEngine
from qloom.engines.statevector import StatevectorEngine
from qloom.engines.trajectories import TrajectoryEngine

__all__ = [
    "Batch", "CircuitBatch", "ClassicalShadow", "DensityEngine", "DensityMatrix", "DifferentiableEvaluator",
    "Engine", "Estimate", "Evaluator", "Expectations", "FinalState", "Noisy", "OnDevice", "Outputs", "Pending",
    "PreparedBatch", "Probabilities", "PropagationEngine", "ReferenceEngine", "Sampler", "Shots",
    "StatevectorEngine", "Surrogate", "TrajectoryEngine", "classical_shadow", "counts", "entropy",
    "expectation", "make_batch", "mutual_information", "probabilities", "purity", "reduced_density_matrix",
    "sample", "state", "variance",
]  # fmt: skip
