"""Clifford data regression: exact where noise acts on all values alike, with derivatives and costs."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import Circuit
from qloom.engines import Shots, expectation, make_batch
from qloom.engines.density import DensityEngine
from qloom.errors import UnsupportedError
from qloom.gradients import FiniteDifference, gradient
from qloom.mitigation import CliffordDataRegression
from qloom.mitigation.freed_angles import FreedAngles
from qloom.observables import Z
from tests.mitigation.circuits import INPUTS, OBSERVABLES, WEIGHTS, circuit
from tests.mitigation.noisy import Noisy, on_all

ARRAYS = INPUTS, WEIGHTS


@pytest.mark.parametrize("p", [0.01, 0.1])
def test_depolarizing_noise_is_undone_exactly_with_derivatives(p):
    engine = CliffordDataRegression(Noisy(DensityEngine(), on_all(p)), n_training=8)
    found = expectation(circuit(), OBSERVABLES, *ARRAYS, engine=engine)
    np.testing.assert_allclose(found, expectation(circuit(), OBSERVABLES, *ARRAYS), atol=1e-11)
    mine, plain = gradient(circuit(), OBSERVABLES, *ARRAYS, engine=engine), gradient(circuit(), OBSERVABLES, *ARRAYS)
    for a, b in zip(mine, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)


def test_derivatives_go_through_the_training_circuits():
    """Damping is no line, so that what training circuits do with the angles that they keep counts."""
    engine = CliffordDataRegression(Noisy(DensityEngine(), lambda c, op: c.amplitude_damping(0.2, op.qubits[0])), 4)
    one = INPUTS[:1], WEIGHTS
    mine = gradient(circuit(), OBSERVABLES, *one, engine=engine)
    truth = gradient(circuit(), OBSERVABLES, *one, engine=engine, differentiator=FiniteDifference(1e-4))
    plain = gradient(circuit(), OBSERVABLES, *one)
    for a, b, c in zip(mine, truth, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
        assert np.abs(a - c).max() > 1e-4


def test_measured_values_are_within_their_errors():
    engine = CliffordDataRegression(Shots(Noisy(DensityEngine(), on_all(0.02)), 2000, 0), 8)
    found = engine.prepare(circuit(), [Z(0)]).estimate(make_batch(circuit(), *ARRAYS))
    # First order in the errors of the line too: beyond 5 of them once in a million seeds.
    assert (np.abs(found.values - expectation(circuit(), [Z(0)], *ARRAYS)) < 5 * found.errors).all()
    assert (found.runs, found.shots, engine.shots) == (2 * 9, 2 * 9 * 2000, 9 * 2000)


def test_angles_are_set_free_where_they_are_no_clifford_gates():
    c = Circuit(2)
    w, x = c.weights(2), c.inputs(1)
    c.rx(2 * w[1] + 0.1, 0).rz(np.pi / 2, 1).u(0.3, np.pi, x[0], 0).cx(0, 1)
    freed = FreedAngles(c)
    batch = make_batch(c, np.array([[0.7], [0.8]]), np.array([1.0, 2.0]))
    np.testing.assert_allclose(freed.values(batch), [[4.1, 0.3, 0.7], [4.1, 0.3, 0.8]])
    assert freed.circuit.n_inputs == 1 + 3
    assert freed.circuit.gate_counts() == c.gate_counts()
    d_inputs, d_weights = freed.pulled_back(batch, np.array([[1.0, 10, 100], [2, 20, 200]]))
    np.testing.assert_allclose(d_inputs, [[100], [200]])
    np.testing.assert_allclose(d_weights, [0, 6])


def test_what_cannot_be_learnt_is_refused_in_a_sentence():
    with pytest.raises(UnsupportedError, match="Clifford gates alone"):
        CliffordDataRegression(Noisy(DensityEngine(), on_all(0.1))).prepare(Circuit(2).h(0).cx(0, 1))
    few = CliffordDataRegression(Shots(Noisy(DensityEngine(), on_all(0.5)), 2, 0), 3).prepare(circuit())
    with pytest.raises(UnsupportedError, match="take more shots"):
        few.values(make_batch(circuit(), *ARRAYS))
