"""Values and derivatives of trajectories against density matrices.

Each random circuit gives two independent numbers: one combination of its outputs, and one derivative of that along a
random direction of all inputs and weights, both as many single draws whose mean and standard error are known. A right
engine's are off by more than 3 standard errors 0.27 times in a hundred.
"""

from math import comb

import numpy as np
import pytest

from qloom.encoders import amplitude
from qloom.engines import Probabilities, ReferenceEngine, TrajectoryEngine, make_batch
from qloom.observables import X, Z
from tests.engines.trajectories.circuits import OTHERS, PAULI, RandomCircuit

DRAWS = 600


def deviations(seed, channels, n_trajectories, n_draws=DRAWS):
    """Of the value and of the derivative, in standard errors."""
    drawn = RandomCircuit(seed, channels)
    circuit, random = drawn.circuit, drawn.random
    outputs = Probabilities((2, 0)) if seed % 3 == 0 else drawn.observables()
    reference = ReferenceEngine().prepare(circuit, outputs)
    cotangents = random.normal(size=reference.n_outputs)
    along_x, along_w = random.normal(size=4), random.normal(size=6)

    def truth(step):
        return reference.values(make_batch(circuit, drawn.inputs + step * along_x, drawn.weights + step * along_w))[0]

    batch = make_batch(circuit, np.tile(drawn.inputs, (n_draws, 1)), np.tile(drawn.weights, (n_draws, 1)))
    evaluator = TrajectoryEngine(n_trajectories, seed=seed).prepare(circuit, outputs)
    values, kept = evaluator.forward(batch, True)
    d_x, d_w = evaluator.backward(batch, np.tile(cotangents, (n_draws, 1)), kept, (True, True))
    h = 1e-5
    slope = (truth(h) - truth(-h)) @ cotangents / (2 * h)
    return [
        off(values @ cotangents, truth(0) @ cotangents, 1e-9), off(d_x @ along_x + d_w @ along_w, slope, 1e-6),
    ]  # fmt: skip


def off(found, expected, rounding):
    """In standard errors; `rounding` is what an exact result may be off by."""
    error = found.std(ddof=1) / np.sqrt(len(found))
    return max(0.0, abs(found.mean() - expected) - rounding) / max(error, 1e-12)


def most_beyond(count):
    """More than so many of them are off by 3 standard errors in one run of a million, and none by 7."""
    p = 0.0027
    tail = lambda k: sum(comb(count, j) * p**j * (1 - p) ** (count - j) for j in range(k + 1, count + 1))  # noqa: E731
    return next(k for k in range(count) if tail(k) < 1e-6)


def check(found):
    found = np.ravel(found)
    assert found.max() < 7
    assert (found > 3).sum() <= most_beyond(len(found))


@pytest.mark.parametrize("n_trajectories", [1, 3])
@pytest.mark.parametrize("channels", [PAULI, PAULI + OTHERS], ids=["pauli", "any"])
def test_means_are_those_of_density_matrices(channels, n_trajectories):
    check([deviations(1000 * n_trajectories + seed, channels, n_trajectories, 300) for seed in range(10)])


@pytest.mark.slow
def test_means_of_three_hundred_circuits():
    check([deviations(seed, PAULI if seed % 2 else PAULI + OTHERS, 1 + seed % 4) for seed in range(300)])


@pytest.mark.parametrize("channel", ["depolarizing", "amplitude_damping"])
def test_given_amplitudes_have_derivatives(channel):
    circuit = amplitude(8)
    getattr(circuit.ry(0.4, 0), channel)(0.3, 1).cx(0, 1)
    random = np.random.default_rng(0)
    x, along = random.normal(size=(2, 8))
    x /= np.linalg.norm(x)
    outputs = [Z(1), X(0) @ Z(2)]
    reference, h = ReferenceEngine().prepare(circuit, outputs), 1e-5

    def truth(step):
        batch = make_batch(circuit, x)
        object.__setattr__(batch, "inputs", (x + step * along)[None])  # of any norm
        return reference.values(batch)[0].sum()

    batch = make_batch(circuit, np.tile(x, (2000, 1)))
    evaluator = TrajectoryEngine(2, seed=0).prepare(circuit, outputs)
    values, kept = evaluator.forward(batch, True)
    d_x, _ = evaluator.backward(batch, np.ones((2000, 2)), kept, (True, False))
    # False alarms: one run in 500,000 each.
    assert off(values.sum(axis=1), truth(0), 1e-9) < 5
    assert off(d_x @ along, (truth(h) - truth(-h)) / (2 * h), 1e-6) < 5
