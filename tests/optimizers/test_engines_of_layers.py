"""Optimizers, the metric and the diagnosis take the layer's own engine, or refuse in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.engines import ReferenceEngine, Shots, StatevectorEngine
from qloom.gradients import metric_tensor
from qloom.nn import QuantumLayer
from qloom.optimizers import (
    QNSPSA,
    SPSA,
    Adapt,
    ImaginaryTime,
    NaturalGradient,
    Rotoselect,
    Rotosolve,
    ShotAdaptiveAdam,
)
from qloom.trainability import diagnose, effective_dimension, entangling_capability, expressibility, fisher_information


class Counted(Shots):
    """Shots that tell how many circuits were run with them."""

    n_run = 0

    def evaluator(self, circuit, outputs):
        evaluator = super().evaluator(circuit, outputs)
        values = evaluator.values

        def counted(batch):
            self.n_run += batch.size
            return values(batch)

        evaluator.values = counted
        return evaluator


def counted_layer() -> tuple[QuantumLayer, Counted]:
    circuit = ql.ansatze.hardware_efficient(2, 1, ("ry",))
    engine = Counted(StatevectorEngine(1), 50, 0)
    return QuantumLayer(circuit, [ql.Z(0) @ ql.Z(1)], engine=engine, dtype=torch.float64, seed=0), engine


@pytest.mark.parametrize("make", [SPSA, Rotosolve, Rotoselect, ShotAdaptiveAdam])
def test_values_are_those_of_the_layers_engine(make):
    """As many circuits were run with shots as the optimizer counts evaluations."""
    layer, engine = counted_layer()
    optimizer = make(layer)

    def closure():
        optimizer.zero_grad()
        loss = layer()[0]
        if loss.requires_grad:
            loss.backward()
        return loss

    optimizer.step(closure)
    slopes = 2 * layer.n_slopes if make is ShotAdaptiveAdam else 0  # measured with shots of their own
    assert engine.n_run == optimizer.cost.evaluations - slopes > 0
    assert layer.engine.shots == 50


@pytest.mark.parametrize("make", [NaturalGradient, QNSPSA, ImaginaryTime])
def test_metrics_of_measured_layers_are_refused(make):
    layer, _ = counted_layer()
    with pytest.raises(ql.errors.ConfigError, match=r"states, which Shots.*shots=50\) does not give; pass engine="):
        make(layer)
    make(layer, engine=StatevectorEngine())
    make(layer.with_engine(ReferenceEngine()))


def test_grown_circuits_are_measured():
    engine = Counted(StatevectorEngine(1), 2000, 0)
    growth = Adapt(ql.Circuit(1), ql.X(0), pool=[("Y", (0,))], engine=engine)
    assert abs(growth.slopes()[0]) > 0.9  # of <X> at |0> by RY: 1, of 2,000 shots within 0.1 but once in 10^9
    assert engine.n_run == growth.cost.evaluations == 2
    assert growth.cost.shots == 4000


@pytest.mark.parametrize("found", [
    diagnose, effective_dimension, fisher_information,
    lambda layer: expressibility(layer.circuit, engine=layer.engine),
    lambda layer: entangling_capability(layer.circuit, engine=layer.engine),
])  # fmt: skip
def test_properties_of_circuits_are_not_estimated(found):
    with pytest.raises(ql.errors.CircuitError, match=r"exact values, which Shots.* does not give; pass engine="):
        found(counted_layer()[0])


def test_the_metric_is_not_measured():
    layer, engine = counted_layer()
    with pytest.raises(ql.errors.UnsupportedError, match="a state is not measured"):
        metric_tensor(layer.circuit, weights=np.zeros(layer.circuit.n_weights), engine=engine)


class Asked(StatevectorEngine):
    """Remembers the kinds of outputs it was asked for."""

    def evaluator(self, circuit, outputs):
        self.asked = [*getattr(self, "asked", []), outputs.kind]
        return super().evaluator(circuit, outputs)


def test_properties_are_those_of_the_layers_exact_engine():
    layer, _ = counted_layer()
    exact = layer.with_engine(Asked(1))
    few = {"widths": [2], "n_samples": 5}
    found, right = diagnose(exact, **few), diagnose(layer, **few, engine=StatevectorEngine())
    assert {"expectations", "state"} <= set(exact.engine.asked)
    assert found.variances == right.variances
    assert found.effective_dimension == right.effective_dimension
