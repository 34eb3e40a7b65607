"""A newcomer in one file: an engine that adds noise to another's values and says how much."""

from __future__ import annotations

import numpy as np
import torch

import qloom as ql
from qloom.engines import Batch, Engine, Estimate, Evaluator, Outputs, StatevectorEngine
from qloom.engines.streams import Stream
from qloom.testing import EngineContract


class Noisy(Engine):
    """Values plus noise that is uniform within `width`."""

    gives = frozenset({"expectations"})
    is_exact = False

    def __init__(self, engine: Engine, width: float, seed: int):
        self.engine, self.width, self.stream = engine, width, Stream(seed)

    def evaluator(self, circuit: ql.Circuit, outputs: Outputs) -> Evaluator:
        return NoisyEvaluator(self.engine.prepare(circuit, outputs), self.width, self.stream)


class NoisyEvaluator(Evaluator):
    def __init__(self, exact: Evaluator, width: float, stream: Stream):
        self.exact, self.width, self.stream = exact, width, stream
        self.circuit, self.n_outputs = exact.circuit, exact.n_outputs

    def values(self, batch: Batch) -> np.ndarray:
        values = self.exact.values(batch)
        noise = self.width * (self.stream.generator().random(values.shape) - 0.5)
        return (values + noise).astype(batch.dtype)

    def estimate(self, batch: Batch) -> Estimate:
        values = self.values(batch)
        return Estimate(values, np.full_like(values, self.width / np.sqrt(12)), runs=batch.size)


class TestNoisy(EngineContract):
    def make_engine(self) -> Engine:
        return Noisy(StatevectorEngine(), 0.1, seed=0)


def test_a_trained_layer_runs_on_it():
    layer = ql.nn.QuantumLayer(ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1), seed=0)
    noisy = layer.with_engine(Noisy(layer.engine, 0.1, seed=1))
    x = torch.rand(64, 2)
    off = (noisy(x) - layer(x)).abs()
    assert noisy.weights is layer.weights
    assert 0 < off.max() <= 0.05 + 1e-6
