"""Probabilistic error cancellation: exact sums, costs, and samples within their errors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qloom.circuits.channels import depolarizing_gate
from qloom.circuits.transfer import word_matrices
from qloom.engines import Shots, expectation, make_batch, probabilities
from qloom.engines.density import DensityEngine
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients import gradient
from qloom.mitigation import ErrorCancellation, inverse_quasi_probabilities
from tests.mitigation.circuits import INPUTS, OBSERVABLES, WEIGHTS, circuit
from tests.mitigation.noisy import Noisy, after_pairs, on_all


def noisy(inner=None):
    """Two channels behind the CNOT: on its qubits, and a flip of one."""
    both = lambda c, op: c.depolarizing(0.05, *op.qubits).bit_flip(0.03, op.qubits[0])  # noqa: E731
    return Noisy(inner or DensityEngine(), after_pairs(both))


@pytest.mark.parametrize("n_qubits", [1, 2])
def test_quasi_probabilities_invert_a_pauli_channel(n_qubits):
    random = np.random.default_rng(n_qubits)
    p = random.dirichlet(np.ones(4**n_qubits)) * 0.2
    p[0] += 0.8
    eta = inverse_quasi_probabilities(p)
    assert eta.sum() == pytest.approx(1)
    rho, operators = random.normal(size=(2**n_qubits,) * 2), word_matrices(n_qubits)
    channel = lambda weights, r: sum(w * o @ r @ o for w, o in zip(weights, operators, strict=True))  # noqa: E731
    np.testing.assert_allclose(channel(eta, channel(p, rho)), rho, atol=1e-12)


@pytest.mark.parametrize("p", [1e-3, 0.01, 0.1, 0.3])
def test_costs_of_depolarizing_noise_are_the_closed_forms(p):
    one, two = 4 * p / 3, 16 * p / 15  # what is lost of every word: Aer's parameter of p, the probability of an error
    gamma = lambda k: np.abs(inverse_quasi_probabilities(depolarizing_gate(k).pauli(p))).sum()  # noqa: E731
    assert gamma(1) == pytest.approx((1 + one / 2) / (1 - one), rel=1e-12)
    assert gamma(2) == pytest.approx((1 + 7 * two / 8) / (1 - two), rel=1e-12)


def test_costs_of_a_circuit_multiply():
    engine, e, flip = ErrorCancellation(noisy()), 16 * 0.05 / 15, 0.03
    expected = [(1 + 7 * e / 8) / (1 - e), 1 / (1 - 2 * flip)]
    np.testing.assert_allclose(engine.costs(circuit()), expected)
    assert engine.cost(circuit()) == pytest.approx(expected[0] * expected[1])


def test_the_sum_over_all_words_is_exact_with_derivatives():
    engine = ErrorCancellation(noisy())
    assert engine.is_exact
    one = INPUTS[:1], WEIGHTS
    found = expectation(circuit(), OBSERVABLES, *one, engine=engine)
    np.testing.assert_allclose(found, expectation(circuit(), OBSERVABLES, *one), atol=1e-12)
    np.testing.assert_allclose(
        probabilities(circuit(), *one, engine=engine), probabilities(circuit(), *one), atol=1e-12
    )
    mine, plain = gradient(circuit(), OBSERVABLES, *one, engine=engine), gradient(circuit(), OBSERVABLES, *one)
    for a, b in zip(mine, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("shots", [None, 20])
def test_samples_are_within_their_errors_and_count_their_cost(shots):
    inner = noisy() if shots is None else Shots(noisy(), shots, 1)
    engine = ErrorCancellation(inner, 80, seed=1)
    one = INPUTS[:1], WEIGHTS
    batch = make_batch(circuit(), *one)
    evaluator = engine.prepare(circuit(), OBSERVABLES[:1])
    found = evaluator.estimate(batch)
    exact = expectation(circuit(), OBSERVABLES[:1], *one)
    # Normal to a good part after 80 samples: a value is beyond 5 errors once in a million seeds.
    assert (np.abs(found.values - exact) < 5 * found.errors).all()
    assert found.runs == 80
    assert found.shots == (0 if shots is None else 80 * shots)
    assert not engine.is_exact
    state = evaluator.stream.state
    first = evaluator.values(batch)
    assert not np.array_equal(evaluator.values(batch), first)
    evaluator.stream.state = state
    np.testing.assert_array_equal(evaluator.values(batch), first)


def test_what_cannot_be_cancelled_is_refused_in_a_sentence():
    damped = Noisy(DensityEngine(), lambda c, op: c.amplitude_damping(0.1, 0))
    with pytest.raises(UnsupportedError, match="amplitude_damping on qubit 0 is no Pauli channel"):
        ErrorCancellation(damped).prepare(circuit())
    lost = Noisy(DensityEngine(), lambda c, op: c.depolarizing(0.75, 0))
    with pytest.raises(UnsupportedError, match="depolarizing on qubit 0 leaves"):
        ErrorCancellation(lost).prepare(circuit())
    many = Noisy(DensityEngine(), on_all(0.01))
    with pytest.raises(UnsupportedError, match="draw some, n_samples=1000"):
        ErrorCancellation(many).prepare(circuit())
    with pytest.raises(CircuitError, match="n_samples=1"):
        ErrorCancellation(noisy(), 1)
    with pytest.raises(UnsupportedError, match="nothing to mitigate"):
        ErrorCancellation(DensityEngine()).prepare(circuit())


def test_words_are_told_apart_in_order():
    from qloom.mitigation.places import bits_of_words

    bits = bits_of_words(np.arange(16), 2)
    letters = {"I": (0, 0), "X": (1, 0), "Y": (1, 1), "Z": (0, 1)}
    assert [tuple(b) for b in bits] == [letters[a] + letters[b] for a, b in product("IXYZ", repeat=2)]
