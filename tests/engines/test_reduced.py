"""Variances, density matrices, entropies and shadows against dense states and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.linalg import logm

import qloom as ql
from qloom.engines import DensityEngine, ReferenceEngine
from qloom.errors import CircuitError, ShapeError
from tests.circuits.strategies import random_state


def entangled(n: int, seed: int = 0) -> tuple[ql.Circuit, np.ndarray]:
    circuit = ql.ansatze.strongly_entangling(n, 2)
    return circuit, np.random.default_rng(seed).uniform(-3, 3, circuit.n_weights)


def traced(state: np.ndarray, kept: list[int]) -> np.ndarray:
    """Partial trace, entry by entry."""
    n, k = len(state).bit_length() - 1, len(kept)
    rho = np.zeros((2**k, 2**k), complex)
    inside = lambda i: sum((i >> (n - 1 - q) & 1) << (k - 1 - j) for j, q in enumerate(kept))  # noqa: E731
    mask = sum(1 << (n - 1 - q) for q in kept)
    for i in range(2**n):
        for j in range(2**n):
            if (i & ~mask) == (j & ~mask):
                rho[inside(i), inside(j)] += state[i] * state[j].conj()
    return rho


@pytest.mark.parametrize("kept", [[0], [2, 0], [3, 1, 2], [0, 1, 2, 3]])
def test_density_matrices_purity_and_entropies(kept):
    circuit, w = entangled(4)
    rho = traced(ql.state(circuit, None, w, engine=ReferenceEngine()), kept)
    np.testing.assert_allclose(ql.reduced_density_matrix(circuit, kept, None, w), rho, atol=1e-12)
    assert ql.purity(circuit, kept, None, w) == pytest.approx(np.trace(rho @ rho).real)
    mixed = rho + 1e-14 * np.eye(len(rho))
    assert ql.entropy(circuit, kept, None, w) == pytest.approx(-np.trace(rho @ logm(mixed)).real, abs=1e-9)
    assert ql.entropy(circuit, kept, None, w, order=2, base=2) == pytest.approx(-np.log2(np.trace(rho @ rho).real))
    assert ql.entropy(circuit, kept, None, w, order=0, base=2) == pytest.approx(min(len(kept), 4 - len(kept)))
    assert ql.entropy(circuit, kept, None, w, order=np.inf) == pytest.approx(-np.log(np.linalg.eigvalsh(rho)[-1]))


def test_bell_pair_and_registers_of_any_width():
    """One bit of entropy each, two of mutual information; 40 qubits as 2."""
    for n in (2, 40):
        circuit = ql.Circuit(n)
        (x,) = circuit.inputs(1)
        circuit.ry(x, 0).cx(0, n - 1)
        angles = np.array([[np.pi / 2], [0.0]])
        np.testing.assert_allclose(ql.entropy(circuit, [n - 1], angles, base=2), [1, 0], atol=1e-12)
        np.testing.assert_allclose(ql.mutual_information(circuit, [0], [n - 1], angles, base=2), [2, 0], atol=1e-7)
        rho = ql.reduced_density_matrix(circuit, [n - 1, 0], angles[0])
        np.testing.assert_allclose(rho, np.outer([1, 0, 0, 1], [1, 0, 0, 1]) / 2, atol=1e-12)
    assert ql.reduced_density_matrix(circuit, [0], angles.astype("f4")).dtype == np.complex64


@pytest.mark.parametrize("order", [0, 1, 2, np.inf])
def test_no_entropy_is_zero_without_a_sign(order):
    assert f"{ql.entropy(ql.Circuit(2).cx(0, 1), [0], order=order):.1f}" == "0.0"


def test_variances():
    circuit, w = entangled(3)
    state = ql.state(circuit, None, w, engine=ReferenceEngine())
    words = [ql.Z(0), 0.5 * ql.X(1) @ ql.Y(2) + ql.Z(0) - 2 * ql.Z(1) @ ql.Z(2) + 0.3, ql.I() * 2]
    dense = [o.matrix(3) for o in words]
    truth = [np.vdot(state, m @ m @ state).real - np.vdot(state, m @ state).real ** 2 for m in dense]
    np.testing.assert_allclose(ql.variance(circuit, words, None, w), truth, atol=1e-12)
    assert ql.variance(circuit, None, None, np.stack([w, w])).shape == (2, 3)
    assert ql.variance(ql.Circuit(2).h(0)).tolist() == pytest.approx([1, 0])
    with pytest.raises(CircuitError, match="expected Pauli sums"):
        ql.variance(circuit, "probabilities", None, w)


@pytest.mark.parametrize("qubits", [(0,), (2, 0), (1, 3, 2)])
def test_hermitian_and_sparse_matrices(qubits):
    k, rng = len(qubits), np.random.default_rng(len(qubits))
    matrix = rng.normal(size=(2**k, 2**k)) + 1j * rng.normal(size=(2**k, 2**k))
    matrix = matrix + matrix.conj().T
    places = ql.hermitian(matrix, qubits)
    np.testing.assert_allclose(ql.hermitian(matrix, range(k)).matrix(k), matrix, atol=1e-12)
    state = random_state(16, 1)
    cube = np.moveaxis(state.reshape(2, 2, 2, 2), qubits, range(k)).reshape(2**k, -1)
    truth = np.einsum("ia,ij,ja->", cube.conj(), matrix, cube).real
    circuit = ql.Circuit(4)
    circuit.prepare_amplitudes(state)
    assert ql.expectation(circuit, places) == pytest.approx([truth])
    sparse = np.where(rng.random(matrix.shape) < 0.5, matrix, 0)
    sparse = sparse + sparse.conj().T
    assert ql.hermitian(scipy.sparse.csr_array(sparse), qubits) == ql.hermitian(sparse, qubits)
    np.testing.assert_allclose(ql.hermitian(scipy.sparse.coo_matrix(sparse), range(k)).matrix(k), sparse, atol=1e-12)


def test_words_found_in_a_matrix_are_the_words_it_is_made_of():
    words = 0.5 * ql.X(0) @ ql.Y(2) - ql.Z(1) + 2 * ql.Y(0) @ ql.Y(1) @ ql.Y(2) + 0.25
    assert ql.hermitian(words.matrix(3), range(3)).terms == pytest.approx(words.terms)
    assert len(ql.hermitian(scipy.sparse.diags_array(np.arange(4096.0)), range(12))) == 13


def test_projectors_are_probabilities():
    circuit, w = entangled(3)
    table = ql.probabilities(circuit, None, w, qubits=[2, 0])
    found = ql.expectation(circuit, [ql.projector(f"{k:02b}", (2, 0)) for k in range(4)], None, w)
    np.testing.assert_allclose(found, table, atol=1e-12)
    assert ql.projector([1, 0], (0, 1)) == ql.projector("10", (0, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ql.hermitian(np.array([[0, 1], [0, 0]]), (0,)), "differs from its adjoint by 1, expected a Hermitian"),
        (lambda: ql.hermitian(np.eye(4), (0,)), r"shape \(4, 4\) for 1 qubits, expected \(2, 2\)"),
        (lambda: ql.hermitian([[np.nan, 0], [0, 1]], (0,)), "NaN or infinity"),
        (lambda: ql.hermitian("Z", (0,)), "expected a matrix of numbers"),
        (lambda: ql.hermitian(np.eye(4), (1, 1)), "repeats a qubit"),
        (lambda: ql.projector("012", (0, 1, 2)), "expected 3 bits, each 0 or 1"),
        (lambda: ql.entropy(ql.Circuit(2), [0], order=-1), "order=-1, expected a number of at least 0"),
        (lambda: ql.entropy(ql.Circuit(2), [0], base=1), "base=1, expected a positive number other than 1"),
        (lambda: ql.mutual_information(ql.Circuit(2), [0], [0]), "expected two separate groups"),
        (lambda: ql.reduced_density_matrix(ql.Circuit(2), [2]), "expected different integers from 0 to 1"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(CircuitError, match=message):
        call()


def test_shadows_estimate_words_and_density_matrices():
    """20,000 snapshots: words of weight k have variances below 3^k; six deviations, false alarm 1e-8."""
    circuit, w = entangled(3)
    shadow = ql.classical_shadow(circuit, 20_000, None, w, seed=0)
    words = [ql.Z(0), ql.X(1) @ ql.Y(2), ql.Y(0) @ ql.Z(1) @ ql.X(2), 0.5 * ql.X(0) + 2 * ql.I()]
    truth = ql.expectation(circuit, words, None, w)
    bounds = 6 * np.sqrt(np.array([3, 9, 27, 1]) / 20_000)
    assert (np.abs(shadow.expectation(words) - truth) < bounds).all()
    assert (np.abs(shadow.expectation(words, n_groups=10) - truth) < 2 * bounds).all()
    rho = ql.reduced_density_matrix(circuit, [2, 0], None, w)
    estimate = shadow.reduced_density_matrix([2, 0])
    assert np.trace(estimate) == pytest.approx(1)
    assert np.abs(estimate - rho).max() < 6 * 3 / 20_000**0.5
    again = ql.classical_shadow(circuit, 20_000, None, w, seed=0)
    np.testing.assert_array_equal(shadow.bits, again.bits)
    shares = np.bincount((shadow.bases @ [9, 3, 1]).astype(int), minlength=27) / 20_000
    assert np.abs(shares - 1 / 27).max() < 6 * (1 / 27 / 20_000) ** 0.5


def test_shadow_of_known_states_never_errs():
    """|0>, |+> and |+i> measured in their own bases give 0 every time: estimates are 3 there and 0 elsewhere."""
    shadow = ql.classical_shadow(ql.Circuit(3).h(1).rx(-np.pi / 2, 2), 500, seed=1)
    for qubit, own in ((0, 2), (1, 0), (2, 1)):
        assert not shadow.bits[shadow.bases[:, qubit] == own, qubit].any()
    with pytest.raises(CircuitError, match="n_groups=501, expected an integer from 1 to 500"):
        shadow.expectation(ql.Z(0), n_groups=501)
    circuit = ql.encoders.angle(2)
    with pytest.raises(ShapeError, match="2 samples, expected one"):
        ql.classical_shadow(circuit, 10, np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="bases 0 to 2 and bits 0 to 1"):
        ql.engines.ClassicalShadow(np.full((1, 2), 3, np.uint8), np.zeros((1, 2), np.uint8))


def test_noisy_states_have_entropies():
    """One qubit of a Bell pair stays most mixed; both are mixed by their errors alone, by the channel's eigenvalues."""
    p = 0.1
    bell = ql.Circuit(2).h(0).cx(0, 1).depolarizing(p, 1)
    assert ql.entropy(bell, [0], base=2, engine=DensityEngine()) == pytest.approx(1)
    shares = np.array([1 - p, p / 3, p / 3, p / 3])
    assert ql.entropy(bell, engine=DensityEngine()) == pytest.approx(-np.sum(shares * np.log(shares)))
    assert ql.purity(bell, engine=DensityEngine()) == pytest.approx(np.sum(shares**2))
