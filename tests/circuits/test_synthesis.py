"""Unitaries and diagonals as Pauli rotations: exact for easy and awkward matrices, at the stated cost."""

from __future__ import annotations

import time
from itertools import groupby

import numpy as np
import pytest

import qloom as ql
from qloom.circuits.gate import Gate
from qloom.circuits.synthesis import diagonal_gate, unitary_gate
from qloom.errors import CircuitError
from tests.circuits.dense import rotation_matrix, word_matrix
from tests.circuits.strategies import random_unitary

SIZES = (1, 2, 3, 4)
MOST_ROTATIONS = {1: 3, 2: 18, 3: 84, 4: 360}


def product(gate: Gate) -> np.ndarray:
    expansion = gate.expansion()
    out = np.eye(2**gate.n_qubits, dtype=complex)
    for letters, angle in expansion.rotations:
        out = rotation_matrix(letters, angle) @ out
    return out * np.exp(1j * sum(expansion.phases))


def x_mask(letters: str) -> str:
    return letters.translate(str.maketrans("IXYZ", "0110"))


def awkward(kind: str, k: int) -> np.ndarray:
    """Unitaries whose cosine-sine or eigenvalue decompositions are not unique."""
    size, rng = 2**k, np.random.default_rng(k)
    v, half = random_unitary(size, k), random_unitary(size // 2, k)
    signs = np.where(np.arange(size) % 2, 1, -1)
    return {
        "identity": np.eye(size),
        "minus identity": -np.eye(size),
        "i identity": 1j * np.eye(size),
        "permutation": np.eye(size)[rng.permutation(size)],
        "reversal": np.eye(size)[::-1],
        "shift": np.roll(np.eye(size), 1, axis=0),
        "reflection": np.eye(size) - 2 / size * np.ones((size, size)),
        "two eigenvalues": v @ np.diag(signs) @ v.conj().T,
        "nearly equal eigenvalues": v @ np.diag(np.exp(1e-8j * np.arange(size))) @ v.conj().T,
        "orthogonal": np.linalg.qr(rng.normal(size=(size, size)))[0],
        "block diagonal": np.kron(np.diag([1, 0]), np.eye(size // 2)) + np.kron(np.diag([0, 1]), half),
        "Fourier": np.exp(2j * np.pi * np.outer(range(size), range(size)) / size) / size**0.5,
        "word": word_matrix("XYZX"[:k]),
    }[kind]


KINDS = (
    *(
        "identity",
        "minus identity",
        "i identity",
        "permutation",
        "reversal",
        "shift",
        "reflection",
        "Fourier",
    ),
    *("two eigenvalues", "nearly equal eigenvalues", "orthogonal", "block diagonal", "word"),
)


@pytest.mark.parametrize("k", SIZES)
def test_haar_unitary_costs_what_is_stated(k: int) -> None:
    gate = unitary_gate(random_unitary(2**k, 17))
    np.testing.assert_allclose(product(gate), gate.matrix(), atol=1e-11)
    rotations = gate.expansion().rotations
    assert len(rotations) == MOST_ROTATIONS[k] == 3 * (4**k - 2**k) // 2
    passes = [list(run) for _, run in groupby(rotations, lambda rotation: x_mask(rotation[0]))]
    assert len(passes) <= 4**k - 1


@pytest.mark.parametrize("k", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_awkward_unitary(kind: str, k: int) -> None:
    gate = unitary_gate(awkward(kind, k))
    np.testing.assert_allclose(product(gate), awkward(kind, k), atol=1e-10)
    assert len(gate.expansion().rotations) <= MOST_ROTATIONS[k]


@pytest.mark.parametrize("k", SIZES)
def test_identity_costs_nothing(k: int) -> None:
    assert unitary_gate(np.eye(2**k)).expansion().rotations == ()
    assert diagonal_gate(np.zeros(2**k)).expansion().rotations == ()


def test_matrix_given_to_seven_digits() -> None:
    """What is within the tolerance of unitarity is taken; the product stays as near."""
    matrix = np.round(random_unitary(8, 5), 7)
    np.testing.assert_allclose(product(unitary_gate(matrix)), matrix, atol=1e-6)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 2)), r"matrix is not unitary \(U\^H U differs from 1 by 2\), expected at most 1e-6"),
        (np.eye(2) * 1.001, "matrix is not unitary"),
        (np.full((2, 2), np.nan), "matrix is not unitary"),
        (np.eye(3), r"unitary has shape \(3, 3\), expected \(2\^k, 2\^k\) with k >= 1"),
        (np.eye(1), r"unitary has shape \(1, 1\)"),
        (np.eye(4)[:2], r"unitary has shape \(2, 4\)"),
        (np.ones(4) / 2, r"unitary has shape \(4,\)"),
        (np.zeros((0, 0)), r"unitary has shape \(0, 0\)"),
    ],
)
def test_no_unitary(matrix: np.ndarray, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        unitary_gate(matrix)


def test_gate_keeps_its_own_matrix() -> None:
    matrix = np.eye(2, dtype=complex)
    gate = unitary_gate(matrix)
    matrix[0, 0] = 5
    np.testing.assert_array_equal(gate.matrix(), np.eye(2))
    with pytest.raises(ValueError, match="read-only"):
        gate.matrix()[0, 0] = 5


@pytest.mark.parametrize("k", SIZES)
def test_diagonal(k: int) -> None:
    phases = np.random.default_rng(k).uniform(-9, 9, 2**k)
    gate = diagonal_gate(phases)
    np.testing.assert_allclose(product(gate), np.diag(np.exp(1j * phases)), atol=1e-12)
    rotations = gate.expansion().rotations
    assert len(rotations) == 2**k - 1
    assert {x_mask(letters) for letters, _ in rotations} == {"0" * k}
    inverse, angles = gate.inverted(())
    np.testing.assert_allclose(product(inverse), np.diag(np.exp(-1j * phases)), atol=1e-12)
    assert angles == ()


def test_diagonal_of_one_word_is_one_rotation() -> None:
    """Phases -+ a/2 by the parity of the bits are RZZ(a)."""
    gate = diagonal_gate(np.array([-0.4, 0.4, 0.4, -0.4]))
    assert gate.expansion().rotations == (("ZZ", pytest.approx(0.8)),)


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        (np.zeros(3), r"diagonal has shape \(3,\), expected \(2\^k,\) with k >= 1"),
        (np.zeros(1), r"diagonal has shape \(1,\)"),
        (np.zeros(0), r"diagonal has shape \(0,\)"),
        (np.zeros((2, 2)), r"diagonal has shape \(2, 2\)"),
        (0.5, r"diagonal has shape \(\)"),
        ([0, np.nan], "diagonal holds a NaN or infinity, expected phases in radians"),
        ([0, np.inf], "diagonal holds a NaN or infinity"),
    ],
)
def test_no_diagonal(phases: object, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        diagonal_gate(phases)


def test_eight_qubits_are_decomposed_at_once() -> None:
    """It took half a minute, matrix by matrix."""
    matrix = random_unitary(256, 0)
    start = time.process_time()
    circuit = ql.Circuit(8).unitary(matrix, range(8))
    expansion = circuit.operations[0].gate.expansion()
    assert time.process_time() - start < 3
    assert len(expansion.rotations) <= 3 * (4**8 - 2**8) // 2
    np.testing.assert_allclose(ql.state(circuit), matrix[:, 0], atol=1e-12)
