"""Simultaneous perturbation against exact derivatives: right on average, two runs a sample, taken up again alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.engines import Shots, StatevectorEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients import SimultaneousPerturbation, gradient, prepare_gradient


def small() -> ql.Circuit:
    circuit = ql.Circuit(2)
    x, w = circuit.inputs(2), circuit.weights(3)
    return circuit.ry(x[0], 0).ry(2 * x[1], 1).ry(w[0], 0).cx(0, 1).rx(w[1] + 0.3, 1).ry(w[2], 0)


WORDS = [ql.Z(0), ql.X(1) @ ql.Z(0)]


@pytest.mark.parametrize("own", [False, True])
def test_means_are_the_derivatives(own):
    """20,000 copies of a sample: six standard errors of their mean and 2 c^2, a false alarm in 10^7 runs."""
    n, random = 20_000, np.random.default_rng(0)
    x, w, g = random.normal(size=2), random.normal(size=3), np.array([0.7, -1.2])
    exact = gradient(small(), WORDS, x, w, g)
    weights = np.tile(w, (n, 1)) if own else w
    found = gradient(
        small(), WORDS, np.tile(x, (n, 1)), weights, np.tile(g, (n, 1)), differentiator=SimultaneousPerturbation(0.05)
    )
    # A slope scatters by the others: at most the root of the sum of their squares, 4 here.
    tolerance = 6 * 4 / np.sqrt(n) + 2 * 0.05**2
    assert np.abs(found[0].mean(axis=0) - exact[0]).max() < tolerance
    of_weights = found[1].mean(axis=0) if own else found[1] / n
    assert np.abs(of_weights - exact[1]).max() < tolerance


def test_one_angle_is_a_central_difference():
    circuit = ql.Circuit(1)
    (w,) = circuit.weights(1)
    circuit.ry(w, 0)
    found = gradient(circuit, [ql.Z(0)], None, [0.7], differentiator=SimultaneousPerturbation(0.3))[1]
    assert found == pytest.approx(-np.sin(0.7) * np.sin(0.3) / 0.3, abs=1e-12)


def test_frozen_weights_do_not_move():
    evaluator = prepare_gradient(small(), WORDS, None, "spsa")
    evaluator.trained = np.array([True, False, True])
    batch = ql.engines.make_batch(small(), np.ones((5, 2)), np.ones(3))
    d_inputs, d_weights = evaluator.backward(batch, np.ones((5, 2)), None, (False, True))
    assert d_inputs is None
    assert d_weights[1] == 0
    assert (d_weights[[0, 2]] != 0).all()


def test_a_batch_is_two_runs_a_sample_in_one_call():
    engine = Shots(StatevectorEngine(), 50, seed=1)
    layer = ql.nn.QuantumLayer(small(), [ql.Z(0)], engine=engine, differentiator="spsa")
    assert layer.walk_cost == 2
    layer(torch.zeros(6, 2)).sum().backward()
    assert layer.stream.state["calls"] == 3  # values, signs, values to both sides


def test_a_training_that_is_taken_up_again_ends_alike():
    for engine in (StatevectorEngine(), Shots(StatevectorEngine(), 20, seed=2)):
        found = []
        for stop in (None, 2):
            layer = ql.nn.QuantumLayer(
                small(), [ql.Z(0)], engine=engine, init=[0.1, 0.2, 0.3], differentiator=SimultaneousPerturbation()
            )
            if layer.stream is engine.__dict__.get("stream"):
                engine.stream.state = Shots(StatevectorEngine(), 20, seed=2).stream.state
            kept = None
            for step in range(4):
                if step == stop:
                    kept = layer.stream.state, layer.weights.detach().clone()
                    layer(torch.ones(3, 2)).sum().backward()  # something else in between
                    layer.stream.state = kept[0]
                layer.zero_grad()
                layer(torch.ones(3, 2)).sum().backward()
                with torch.no_grad():
                    layer.weights -= 0.1 * layer.weights.grad
            found.append(layer.weights.tolist())
        assert found[0] == found[1]


def test_what_is_refused():
    with pytest.raises(CircuitError, match="step=0, expected a positive number of radians"):
        SimultaneousPerturbation(0)
    with pytest.raises(UnsupportedError, match="no derivative of initial amplitudes"):
        gradient(ql.encoders.amplitude(1), [ql.Z(0)], [[1.0, 0.0]], differentiator="spsa")
