"""Transfer matrices: what gates and channels do to Pauli words.

T[i, j] = Tr(P_i E(P_j)) / 2^k over the 4^k words of k qubits, in order of their letters I, X, Y, Z, the first qubit the
most significant. All are analytic in the angles and take complex ones, so that a slope is the imaginary part at an
angle a + i h over h, exact to rounding however small h is.

Source: Greenbaum 2015, arXiv 1509.02921; complex steps: Squire, Trapp 1998, SIAM Review 40, 110.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from itertools import product
from typing import Any

import numpy as np

from qloom.circuits import matrices as m

LETTERS = "IXYZ"
COMPLEX_STEP = 1e-150
_SINGLE = (m.I2.astype(complex), m.X, m.Y, m.Z)

Transfer = Callable[..., np.ndarray]


def kron(factors: Sequence[np.ndarray]) -> np.ndarray:
    """The tensor product of matrices, 1 for none."""
    whole: np.ndarray = np.eye(1)
    for factor in factors:
        whole = np.kron(whole, factor)
    return whole


@cache
def words(n_qubits: int) -> tuple[str, ...]:
    """The 4^k words in order, as letters."""
    return tuple("".join(letters) for letters in product(LETTERS, repeat=n_qubits))


@cache
def word_matrices(n_qubits: int) -> np.ndarray:
    """The words as matrices, (4^k, 2^k, 2^k)."""
    out = np.array([kron(factors) for factors in product(_SINGLE, repeat=n_qubits)])
    out.setflags(write=False)
    return out


@cache
def commutation_signs(n_qubits: int) -> np.ndarray:
    """1 where two words commute, -1 where they anticommute, (4^k, 4^k)."""
    single = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]], float)
    out = kron([single] * n_qubits)
    out.setflags(write=False)
    return out


@cache
def _turned_words(letters: str) -> tuple[np.ndarray, np.ndarray]:
    """Of exp(-i a P / 2): the words that anticommute with P, (4^k,) of booleans, and K, where they go by sin a."""
    k = len(letters)
    word = kron([_SINGLE[LETTERS.index(letter)] for letter in letters])
    turned = commutation_signs(k)[words(k).index(letters)] < 0
    all_words = word_matrices(k)
    images = -1j * word @ all_words[turned]
    matrix = np.zeros((4**k, 4**k))
    matrix[:, turned] = np.einsum("iab,jba->ij", all_words, images).real / 2**k
    return turned, matrix


def rotation_transfer(letters: str, angle: Any) -> np.ndarray:
    """Of exp(-i a P / 2), a number or an array (...,): (..., 4^k, 4^k)."""
    turned, sines = _turned_words(letters)
    a = np.asarray(angle)[..., None, None]
    return np.diag(np.where(turned, 0.0, 1.0)) + np.cos(a) * np.diag(np.where(turned, 1.0, 0.0)) + np.sin(a) * sines


def transfer_of_expansion(expansion: Callable[..., Any], n_qubits: int) -> Transfer:
    """Of a unitary gate, from its rotations."""

    def transfer(*angles: Any) -> np.ndarray:
        turns = (rotation_transfer(letters, angle) for letters, angle in expansion(*angles).rotations)
        return reduce(lambda done, turn: turn @ done, turns, np.eye(4**n_qubits))

    return transfer


def transfer_of_pauli(pauli: Transfer) -> Transfer:
    """Of a channel that applies words at random: diagonal, since words commute up to signs."""

    def transfer(*rates: Any) -> np.ndarray:
        probabilities = pauli(*rates)
        n_words = probabilities.shape[-1]
        factors = probabilities @ commutation_signs(n_words.bit_length() // 2)
        return factors[..., None] * np.eye(n_words)

    return transfer


def transfer_of_kraus(kraus: Callable[..., Sequence[np.ndarray] | np.ndarray]) -> Transfer:
    """Of any channel, one set of angles at a time.

    The adjoint operators are those at the conjugate angles, conjugated: this is analytic where the operators are.
    """

    def transfer(*angles: Any) -> np.ndarray:
        rows = np.broadcast_arrays(*map(np.asarray, angles)) if angles else [np.zeros(())]
        flat = np.stack([row.ravel() for row in rows], axis=-1) if angles else np.zeros((1, 0))
        made = np.array([_of_operators(kraus(*row), kraus(*np.conj(row))) for row in flat])
        return made.reshape(rows[0].shape + made.shape[-2:])

    return transfer


def _of_operators(operators: Any, at_conjugate: Any) -> np.ndarray:
    left, right = np.array(operators, complex), np.array(at_conjugate, complex)
    n_qubits = left.shape[-1].bit_length() - 1
    all_words = word_matrices(n_qubits)
    images = np.einsum("kab,jbc,kdc->jad", left, all_words, right.conj(), optimize=True)
    matrix = np.einsum("iab,jba->ij", all_words, images) / 2**n_qubits
    # Real where the angles are: what is left of imaginary parts is rounding.
    return matrix.real if np.array_equal(left, right) else matrix


def transfer_slope(gate_transfer: Transfer, angles: Sequence[Any], which: int) -> np.ndarray:
    """Derivative of a transfer matrix by one of its angles, (..., 4^k, 4^k)."""
    stepped = [np.asarray(angle, complex) for angle in angles]
    stepped[which] = stepped[which] + 1j * COMPLEX_STEP
    return gate_transfer(*stepped).imag / COMPLEX_STEP
