"""Pauli twirling: circuits that do the same, and coherent errors that become Pauli channels."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import Circuit
from qloom.circuits import GATES
from qloom.engines import Shots, StatevectorEngine, expectation, make_batch
from qloom.errors import UnsupportedError
from qloom.mitigation import Twirled
from qloom.mitigation.twirling import clifford_image
from qloom.observables import X, Z
from tests.mitigation.circuits import INPUTS, OBSERVABLES, WEIGHTS, circuit
from tests.mitigation.noisy import Noisy, after_pairs

ARRAYS = INPUTS, WEIGHTS


def over_rotated(angle, inner=None):
    """RZZ by an angle behind every gate of two qubits."""
    return Noisy(inner or StatevectorEngine(), after_pairs(lambda c, op: c.rzz(angle, *op.qubits)))


def test_without_errors_every_twirl_does_what_the_circuit_does():
    for seed in range(5):
        found = expectation(circuit(), OBSERVABLES, *ARRAYS, engine=Twirled(over_rotated(0.0), 1, seed))
        np.testing.assert_allclose(found, expectation(circuit(), OBSERVABLES, *ARRAYS), atol=1e-12)


@pytest.mark.parametrize("name", ["cx", "cz", "cy", "swap", "iswap", "ecr", "dcx"])
def test_clifford_gates_are_twirled_by_words_that_they_take_apart(name):
    c = Circuit(2).rx(0.4, 0).ry(1.1, 1).append(name, (), (0, 1)).rz(0.3, 0).rx(0.2, 1)
    found = expectation(c, OBSERVABLES, engine=Twirled(over_rotated(0.0), None))
    np.testing.assert_allclose(found, expectation(c, OBSERVABLES), atol=1e-12)


def test_other_gates_are_left_alone():
    twirlable = {name for name, gate in GATES.items() if gate.n_qubits == 2 and gate.n_angles == 0 and gate.is_unitary
                 and clifford_image(Circuit(2).append(name, (), (0, 1)).operations[0]) is not None}  # fmt: skip
    assert twirlable == {"cx", "cz", "cy", "swap", "iswap", "ecr", "dcx", "dcxdg"}
    assert clifford_image(Circuit(2).rzz(np.pi / 2, 0, 1).operations[0]) is not None
    assert clifford_image(Circuit(2).rzz(0.3, 0, 1).operations[0]) is None


@pytest.mark.parametrize("n_gates", [1, 2, 3])
def test_coherent_errors_add_up_as_probabilities(n_gates):
    """RZZ(a) behind CZ, n times: of <X> cos(n a) is left, and cos(a)^n once twirled."""
    c, a = Circuit(2).h(0), 0.3
    for _ in range(n_gates):
        c.cz(0, 1)
    word = X(0) @ Z(1) if n_gates % 2 else X(0)
    assert expectation(c, [word], engine=over_rotated(a)) == pytest.approx(np.cos(n_gates * a), abs=1e-12)
    twirled = expectation(c, [word], engine=Twirled(over_rotated(a), None))
    assert twirled == pytest.approx(np.cos(a) ** n_gates, abs=1e-12)


def test_drawn_twirls_are_within_their_errors():
    engine = Twirled(Shots(over_rotated(0.5), 100, 2), 64)
    found = engine.prepare(circuit(), OBSERVABLES).estimate(make_batch(circuit(), *ARRAYS))
    exact = expectation(circuit(), OBSERVABLES, *ARRAYS, engine=Twirled(over_rotated(0.5), None))
    # Of four values one beyond 5 errors once in 100,000 seeds.
    assert (np.abs(found.values - exact) < 5 * found.errors).all()
    assert engine.shots == 6400


def test_what_cannot_be_twirled_is_refused_in_a_sentence():
    with pytest.raises(UnsupportedError, match="no two-qubit Clifford gate to twirl"):
        Twirled(Noisy(StatevectorEngine(), lambda c, op: c.rx(0.1, 0))).prepare(Circuit(1).rx(0.3, 0))
    many = Circuit(2)
    for _ in range(4):
        many.cx(0, 1)
    with pytest.raises(UnsupportedError, match="give n_twirls=32"):
        Twirled(over_rotated(0.1), None).prepare(many)
