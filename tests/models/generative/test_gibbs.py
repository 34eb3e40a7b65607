"""Gibbs states and their losses against dense matrices, other formulas and finite differences."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm, logm

from qloom.models.generative.gibbs import (
    Data,
    Gibbs,
    WordSum,
    hidden_loss,
    measured_entropy,
    reduced,
    relative_entropy,
    visible_loss,
    words_on,
)
from qloom.models.threads import numeric_threads

PAULIS = {"I": np.eye(2), "X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}
DIAGONAL, REAL, COMPLEX = ("Z", "ZZ"), ("Z", "X", "ZZ", "YY"), ("Y", "XZ", "ZZY")
each_kind = pytest.mark.parametrize("operators", [DIAGONAL, REAL, COMPLEX], ids="-".join)

# Bars and stripes of 2 x 2 pixels.
BARS = np.array([0, 3, 5, 10, 12, 15])


@pytest.fixture(autouse=True)
def _one_thread():
    """Small matrices take longer on two."""
    with numeric_threads(1):
        yield


def dense(word, n: int) -> np.ndarray:
    letters, qubits = word
    places = dict(zip(qubits, letters, strict=True))
    return reduce(np.kron, [PAULIS[places.get(q, "I")] for q in range(n)])


def full(matrix: np.ndarray) -> np.ndarray:
    return np.diag(matrix) if matrix.ndim == 1 else matrix


def random_sum(operators, n: int, seed: int = 0, size: float = 0.7) -> tuple[WordSum, np.ndarray]:
    words = WordSum(words_on(n, operators), n)
    return words, size * np.random.default_rng(seed).normal(size=len(words))


def slopes(loss, theta: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Central differences."""
    moves = step * np.eye(len(theta))
    return np.array([(loss(theta + move)[0] - loss(theta - move)[0]) / (2 * step) for move in moves])


def shares(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(1 << n))


@each_kind
def test_matrices_and_traces_are_those_of_kronecker_products(operators):
    words, theta = random_sum(operators, 4)
    matrices = [dense(word, 4) for word in words.words]
    expected = sum(t * matrix for t, matrix in zip(theta, matrices, strict=True))
    np.testing.assert_allclose(full(words.matrix(theta)), expected, atol=1e-14)
    assert np.iscomplexobj(words.matrix(theta)) == (operators is COMPLEX)
    random = np.random.default_rng(2)
    other = random.normal(size=(16, 16)) + 1j * random.normal(size=(16, 16))
    for hermitian in (other + other.conj().T, (other + other.T).real, np.diagonal(other).real):
        traces = [np.trace(matrix @ full(hermitian)).real for matrix in matrices]
        np.testing.assert_allclose(words.traces(hermitian), traces, atol=1e-12)


@each_kind
def test_states_are_those_of_the_matrix_exponential(operators):
    words, theta = random_sum(operators, 4)
    gibbs, expected = Gibbs(words.matrix(theta)), expm(full(words.matrix(theta)))
    assert gibbs.log_z == pytest.approx(np.log(np.trace(expected).real), abs=1e-12)
    np.testing.assert_allclose(full(gibbs.state), expected / np.trace(expected), atol=1e-13)
    kept = reduced(gibbs.state, 2)
    by_sum = (expected / np.trace(expected)).reshape(4, 4, 4, 4).trace(axis1=1, axis2=3)
    np.testing.assert_allclose(full(kept), by_sum, atol=1e-13)


def test_strong_fields_do_not_overflow():
    words, theta = random_sum(REAL, 4, size=2000)
    gibbs = Gibbs(words.matrix(theta))
    assert np.isfinite(gibbs.log_z)
    assert np.trace(gibbs.state) == pytest.approx(1, abs=1e-12)
    assert np.isfinite(gibbs.pulled_back(np.diag(shares(4)))).all()


def test_relative_entropies_of_bars_and_stripes():
    """Independent values for Z, X and ZZ with theta_k = 0.1 (k + 1) (-1)^k."""
    words = WordSum(words_on(4, ("Z", "X", "ZZ")), 4)
    k, data = np.arange(len(words)), np.bincount(BARS, minlength=16) / 6
    theta = 0.1 * (k + 1) * (-1.0) ** k
    value, slope = visible_loss(words, Data.mixture(data))(theta)
    assert value == pytest.approx(6.3697560781, abs=1e-10)
    assert visible_loss(words, Data.pure(data))(theta)[0] == pytest.approx(8.1615155474, abs=1e-10)
    np.testing.assert_allclose(
        slope[:5], [-0.638491164, -0.644126146, 0.643690110, -0.643179618, 0.171867296], atol=1e-9
    )


@each_kind
@pytest.mark.parametrize("kind", ["mixture", "pure"])
def test_relative_entropies_are_those_of_matrix_logarithms(operators, kind):
    words, theta = random_sum(operators, 3)
    data = getattr(Data, kind)(shares(3))
    state = full(Gibbs(words.matrix(theta)).state)
    of_data = 0.0 if kind == "pure" else np.sum(shares(3) * np.log(shares(3)))
    expected = of_data - np.trace(full(data.state) @ logm(state)).real
    assert visible_loss(words, data)(theta)[0] == pytest.approx(expected, abs=1e-10)
    if words.is_diagonal and kind == "pure":
        return  # its fit takes the diagonal
    assert hidden_loss(words, 3, relative_entropy(data))(theta)[0] == pytest.approx(expected, abs=1e-10)


@each_kind
@pytest.mark.parametrize("n", [1, 4, 6])
def test_visible_gradients_are_finite_differences(operators, n):
    words, theta = random_sum([letters for letters in operators if len(letters) <= n], n, size=0.4)
    for data in (Data.mixture(shares(n)), Data.pure(shares(n))):
        loss = visible_loss(words, data)
        np.testing.assert_allclose(loss(theta)[1], slopes(loss, theta), atol=1e-7)


@each_kind
@pytest.mark.parametrize(("n_bits", "n_hidden"), [(2, 1), (3, 2), (4, 2)])
def test_hidden_gradients_are_finite_differences(operators, n_bits, n_hidden):
    words, theta = random_sum(operators, n_bits + n_hidden, size=0.4)
    mixture = Data.mixture(shares(n_bits))
    costs = [measured_entropy(mixture), relative_entropy(mixture)]
    if not words.is_diagonal:
        costs.append(relative_entropy(Data.pure(shares(n_bits))))
    for cost in costs:
        loss = hidden_loss(words, n_bits, cost)
        np.testing.assert_allclose(loss(theta)[1], slopes(loss, theta), atol=1e-7)


def test_gradients_hold_where_eigenvalues_are_equal():
    """H = 0: every divided difference is the limit of equal eigenvalues."""
    words = WordSum(words_on(4, COMPLEX), 4)
    loss, theta = hidden_loss(words, 3, relative_entropy(Data.pure(shares(3)))), np.zeros(len(words))
    np.testing.assert_allclose(loss(theta)[1], slopes(loss, theta), atol=1e-7)


def test_diagonal_sums_are_the_dense_ones():
    """Without X the same numbers come from vectors as from matrices with a field of 0."""
    words, theta = random_sum(DIAGONAL, 5)
    with_x = WordSum([*words.words, *words_on(5, ("X",))], 5)
    padded, data = np.r_[theta, np.zeros(5)], Data.mixture(shares(5))
    value, slope = visible_loss(words, data)(theta)
    dense_value, dense_slope = visible_loss(with_x, data)(padded)
    assert value == pytest.approx(dense_value, abs=1e-12)
    np.testing.assert_allclose(dense_slope, np.r_[slope, np.zeros(5)], atol=1e-13)
    for cost in (measured_entropy, relative_entropy):
        cost_of = cost(Data.mixture(shares(3)))
        value, slope = hidden_loss(words, 3, cost_of)(theta)
        dense_value, dense_slope = hidden_loss(with_x, 3, cost_of)(padded)
        assert value == pytest.approx(dense_value, abs=1e-12)
        np.testing.assert_allclose(dense_slope[: len(theta)], slope, atol=1e-12)
