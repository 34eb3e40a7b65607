"""Where transfer matrices have entries, which of these vary, and matrices of parts among other qubits.

An entry is 0 for all angles, or always the same, if it is so at angles taken at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from qloom.circuits.gate import Gate
from qloom.circuits.transfer import commutation_signs
from qloom.engines.density.parts import MOST_QUBITS_OF_CHANNEL, Part

# Of entries, beside 1: less is rounding.
_LEAST = 1e-15
# As angles in radians or as rates and times, these are inside the range of every gate and channel.
_DRAWN = np.random.default_rng(5).uniform(0.25, 0.45, (1024, 64))
# Parts of one product take rows one after the other; products that are compared share none.
_ROWS_A_PRODUCT = 256


def example(part: Part, draw: int) -> np.ndarray:
    """Its matrix (4^k, 4^k), or diagonal (4^k,) of a wide one, at its numbers and some angles for its slots."""
    drawn = iter(_DRAWN[draw % len(_DRAWN)])
    angles = tuple(a.offset if a.is_number else float(next(drawn)) for a in part.angles)
    return _matrix(part.gate, angles)


@lru_cache(maxsize=1024)
def _matrix(gate: Gate, angles: tuple[float, ...]) -> np.ndarray:
    return matrices(gate, [np.array([angle]) for angle in angles])[0]


def matrices(gate: Gate, angles: Sequence[np.ndarray]) -> np.ndarray:
    """Transfer matrices (N, 4^k, 4^k), or diagonals (N, 4^k) of wide channels, at angles (N,) each."""
    n, size = len(angles[0]) if angles else 1, 4**gate.n_qubits
    if gate.n_qubits > MOST_QUBITS_OF_CHANNEL:
        assert gate.pauli is not None
        return pauli_eigenvalues(np.broadcast_to(gate.pauli(*angles), (n, size)))
    return np.broadcast_to(gate.transfer(*angles), (n, size, size))


def pauli_eigenvalues(probabilities: np.ndarray) -> np.ndarray:
    """Diagonals (N, 4^k) of Pauli channels with probabilities (N, 4^k): +- sums of them. It is its own transpose."""
    size = probabilities.shape[-1]
    out, stride = probabilities, 1
    while stride < size:
        cube = out.reshape(-1, size // (4 * stride), 4, stride)
        out = np.einsum("pq,nhqs->nhps", commutation_signs(1), cube).reshape(-1, size)
        stride *= 4
    return out


@lru_cache(maxsize=256)
def places(inner: tuple[int, ...], k: int) -> np.ndarray:
    """Numbers (4^j, 4^(k-j)) of words of k letters: by the letters at the places `inner`, then by the others."""
    others = [d for d in range(k) if d not in inner]
    words = np.arange(4**k).reshape((4,) * k)
    return np.ascontiguousarray(words.transpose(*inner, *others).reshape(4 ** len(inner), -1))


def embedded(small: np.ndarray, inner: tuple[int, ...], k: int) -> np.ndarray:
    """Matrices (..., 4^j, 4^j) on the places `inner` of k digits as matrices (..., 4^k, 4^k)."""
    if inner == tuple(range(k)):
        return small
    where = places(inner, k)
    out = np.zeros((*small.shape[:-2], 4**k, 4**k), small.dtype)
    for rest in where.T:
        out[..., rest[:, None], rest] = small
    return out


def taken_out(large: np.ndarray, inner: tuple[int, ...], k: int) -> np.ndarray:
    """The transpose of `embedded`: sums over the digits that a part leaves alone."""
    if inner == tuple(range(k)):
        return large
    out: Any = 0
    for rest in places(inner, k).T:
        out = out + large[..., rest[:, None], rest]
    return out


def is_diagonal(part: Part) -> bool:
    """Whether it only multiplies."""
    if part.is_wide:
        return True
    matrix = example(part, 0)
    return not (np.abs(matrix - np.diag(np.diag(matrix))) > _LEAST).any()


def product(parts: Sequence[Part], qubits: tuple[int, ...], draw: int) -> np.ndarray:
    """The matrix of parts one after the other on these qubits, at angles taken at random."""
    out = np.eye(4 ** len(qubits))
    for place, part in enumerate(parts):
        inner = tuple(qubits.index(q) for q in part.qubits)
        out = embedded(example(part, draw * _ROWS_A_PRODUCT + place), inner, len(qubits)) @ out
    return out


def n_entries(parts: Sequence[Part], qubits: tuple[int, ...]) -> int:
    """How many entries of a product of parts are not 0."""
    return int((np.abs(product(parts, qubits, 0)) > _LEAST).sum())


def pattern(parts: Sequence[Part], qubits: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and whether they vary of the entries of a product, row by row."""
    if parts[0].is_wide:
        diagonal = np.arange(4 ** len(qubits))
        return diagonal, diagonal, np.full(len(diagonal), not parts[0].is_fixed) & (diagonal > 0)
    first, second = (product(parts, qubits, draw) for draw in (0, 1))
    rows, columns = np.nonzero((np.abs(first) > _LEAST) | (np.abs(second) > _LEAST))
    varying = np.abs(first - second)[rows, columns] > _LEAST
    return rows, columns, varying & (not all(part.is_fixed for part in parts))
