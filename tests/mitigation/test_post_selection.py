"""Post-selection by a symmetry: against projected density matrices by hand, and what cannot be kept."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import Circuit
from qloom.engines import Shots, expectation, make_batch, probabilities
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients import FiniteDifference, gradient
from qloom.mitigation import PostSelected
from qloom.observables import X, Z
from tests.mitigation.noisy import Noisy, after_gates, after_pairs

PARITY = Z(0) @ Z(1)


def pair():
    """A state of even parity, cos |00> + sin |11>."""
    c = Circuit(2)
    c.ry(c.weights(1)[0], 0).cx(0, 1)
    return c


def test_a_depolarized_pair_keeps_the_closed_form():
    """Half of the mixed part has the parity and is kept: <XX> = q / ((1 + q) / 2), of q that is left of the pair."""
    p, weights = 0.15, np.array([np.pi / 2])
    engine = Noisy(DensityEngine(), after_pairs(after_gates(p)))
    q = 1 - 16 * p / 15
    found = expectation(pair(), [X(0) @ X(1), Z(0), PARITY], weights=weights, engine=PostSelected(engine, PARITY))
    np.testing.assert_allclose(found, [2 * q / (1 + q), 0, 1], atol=1e-12)
    table = probabilities(pair(), weights=weights, engine=PostSelected(engine, PARITY))
    np.testing.assert_allclose(table, [0.5, 0, 0, 0.5], atol=1e-12)


def test_probabilities_of_some_qubits_are_those_of_all_that_is_kept():
    engine = PostSelected(Noisy(DensityEngine(), after_gates(0.1)), PARITY)
    whole = probabilities(pair(), weights=np.array([0.7]), engine=engine)
    found = probabilities(pair(), weights=np.array([0.7]), qubits=(1,), engine=engine)
    np.testing.assert_allclose(found, whole.reshape(2, 2).sum(axis=0), atol=1e-12)
    assert whole[1] == whole[2] == 0


def test_the_value_of_a_symmetry_may_be_odd_and_there_may_be_several():
    c = Circuit(2).x(0)
    noisy = Noisy(DensityEngine(), after_gates(0.1))
    table = probabilities(c, engine=PostSelected(noisy, -1 * PARITY))
    assert (table[[0, 3]] == 0).all()
    both = PostSelected(noisy, (-1 * Z(0), Z(1)))
    np.testing.assert_allclose(probabilities(c, engine=both), [0, 0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(expectation(c, [Z(0), Z(1)], engine=both), [-1, 1], atol=1e-12)


def test_observables_that_do_not_commute_are_projected():
    """<P O P> / <P> by matrices."""
    noisy, weights = Noisy(DensityEngine(), after_gates(0.1)), np.array([0.7])
    observable = X(0) + 0.3 * X(0) @ X(1) + 0.2
    found = expectation(pair(), [observable], weights=weights, engine=PostSelected(noisy, PARITY))
    projector = (np.eye(4) + PARITY.matrix(2)) / 2
    kept = projector @ observable.matrix(2) @ projector
    raw = expectation(pair(), [0.3 * X(0) @ X(1) + 0.2, PARITY], weights=weights, engine=noisy)
    assert np.allclose(kept, projector @ (0.3 * X(0) @ X(1) + 0.2).matrix(2))
    yy = expectation(pair(), [(X(0) @ X(1)) @ PARITY], weights=weights, engine=noisy)[0].real
    by_hand = (0.3 * ((raw[0] - 0.2) / 0.3 + yy) / 2 + 0.2 * (1 + raw[1]) / 2) / ((1 + raw[1]) / 2)
    assert found[0] == pytest.approx(by_hand, abs=1e-12)


def test_derivatives_are_those_of_the_ratio():
    engine = PostSelected(Noisy(DensityEngine(), after_gates(0.1)), PARITY)
    asked = [X(0) @ X(1), Z(0) + 0.5]
    mine = gradient(pair(), asked, weights=np.array([0.7]), engine=engine)[1]
    truth = gradient(pair(), asked, weights=np.array([0.7]), engine=engine, differentiator=FiniteDifference(1e-4))[1]
    np.testing.assert_allclose(mine, truth, atol=1e-6)


def test_measured_values_are_within_their_errors():
    noisy = Noisy(DensityEngine(), after_gates(0.1))
    batch = make_batch(pair(), weights=np.array([0.7]))
    found = PostSelected(Shots(noisy, 4000, 0), PARITY).prepare(pair(), [Z(0), X(0) @ X(1)]).estimate(batch)
    exact = expectation(pair(), [Z(0), X(0) @ X(1)], weights=np.array([0.7]), engine=PostSelected(noisy, PARITY))
    # One beyond 5 errors once in a million seeds.
    assert (np.abs(found.values[0] - exact) < 5 * found.errors[0]).all()


def test_what_cannot_be_kept_is_refused_in_a_sentence():
    noisy = Noisy(DensityEngine(), after_gates(0.0))
    with pytest.raises(UnsupportedError, match="of the outcomes have the value of the symmetry"):
        expectation(Circuit(2).x(0), [Z(0)], engine=PostSelected(noisy, PARITY))
    with pytest.raises(UnsupportedError, match="words of Z alone"):
        PostSelected(noisy, X(0) @ X(1)).prepare(pair(), "probabilities")
    for symmetry, what in [
        (Z(0) + Z(1), "expected a Pauli word"), (0.5 * Z(0), "times 1 or -1"), ((), "no symmetry"),
        ((Z(0), X(0)), "do not commute"), (PARITY @ PARITY, "not the identity"),
    ]:  # fmt: skip
        with pytest.raises(CircuitError, match=what):
            PostSelected(noisy, symmetry)
    with pytest.raises(CircuitError):
        PostSelected(noisy, Z(5)).prepare(pair())
