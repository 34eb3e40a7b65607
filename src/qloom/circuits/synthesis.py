"""Arbitrary unitaries and diagonals as gates: products of Pauli rotations found from their matrices.

A k-qubit unitary costs up to (3/2)(4^k - 2^k) rotations: 3, 18, 84, 360 for k = 1 to 4. They come as multiplexed
rotations, one engine pass each while the frame keeps them together: 4^k - 1 passes. A diagonal costs up to 2^k - 1
rotations in one pass.

Source: Shende, Bullock, Markov 2006, IEEE TCAD 25, 1000 (quantum Shannon decomposition).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.gate import Expansion, Gate
from qloom.errors import CircuitError

_TOLERANCE = 1e-14
# Decompositions that miss by more than this are made again, one by one, by a slower and surer method.
_ACCURACY = 1e-13
Pair = tuple[np.ndarray, np.ndarray]
Decomposed = tuple[list[str], np.ndarray, np.ndarray]


def unitary_gate(matrix: np.ndarray) -> Gate:
    """A gate from a unitary (2^k, 2^k) matrix, the first qubit the most significant bit.

    Raises:
        CircuitError: if the matrix is not square with a power of two rows, or not unitary to 1e-6.
    """
    matrix = _as_array("unitary", matrix, complex)
    k = _n_qubits(matrix.shape[0]) if matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] else 0
    if k < 1:
        raise CircuitError(f"unitary has shape {matrix.shape}, expected (2^k, 2^k) with k >= 1")
    error = np.abs(matrix.conj().T @ matrix - np.eye(len(matrix))).max()
    if not error < 1e-6:
        raise CircuitError(f"matrix is not unitary (U^H U differs from 1 by {error:.2g}), expected at most 1e-6")
    matrix.setflags(write=False)
    data = tuple(tuple((float(v.real), float(v.imag)) for v in row) for row in matrix)
    expansion: list[Expansion] = []

    def expand() -> Expansion:
        if not expansion:
            expansion.append(_expand_unitary(matrix))
        return expansion[0]

    return Gate("unitary", k, 0, f"unitary on {k} qubits", lambda: matrix, expand,
                lambda: (unitary_gate(matrix.conj().T), ()), data=data)  # fmt: skip


def diagonal_gate(phases: np.ndarray) -> Gate:
    """diag(exp(i phases)) from 2^k real phases in radians, the first qubit the most significant bit."""
    phases = _as_array("diagonal", phases, float)
    k = _n_qubits(len(phases)) if phases.ndim == 1 else 0
    if k < 1:
        raise CircuitError(f"diagonal has shape {phases.shape}, expected (2^k,) with k >= 1")
    if not np.isfinite(phases).all():
        raise CircuitError("diagonal holds a NaN or infinity, expected phases in radians")
    words, angles = _multiplexed("", -2 * phases[None])
    rotations = [(word, float(angle)) for word, angle in zip(words, angles[0], strict=True) if abs(angle) > _TOLERANCE]
    constant = rotations.pop(0)[1] if rotations and rotations[0][0] == words[0] else 0.0
    return Gate("diagonal", k, 0, f"diagonal of phases on {k} qubits", lambda: np.diag(np.exp(1j * phases)),
                lambda: Expansion(tuple(rotations), (-constant / 2,)), lambda: (diagonal_gate(-phases), ()),
                data=tuple(map(float, phases)))  # fmt: skip


def _as_array(what: str, values: Any, dtype: type) -> np.ndarray:
    try:
        if dtype is float and np.iscomplexobj(values):
            raise TypeError
        return np.array(values, dtype=dtype)
    except (TypeError, ValueError):
        kind = "real phases in radians" if dtype is float else "a matrix of numbers"
        raise CircuitError(f"{what} got {str(values)[:60]!r}, expected {kind}") from None


def _n_qubits(size: int) -> int:
    return size.bit_length() - 1 if size & (size - 1) == 0 else 0


def _expand_unitary(matrix: np.ndarray) -> Expansion:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):  # thousands of small matrices: threads would wait for one another
        letters, angles, phases = _shannon(matrix[None])
    rotations = zip(letters, angles[0].tolist(), strict=True)
    return Expansion(tuple((word, angle) for word, angle in rotations if abs(angle) > _TOLERANCE), (float(phases[0]),))


def _shannon(u: np.ndarray) -> Decomposed:
    """Unitaries (M, N, N), all decomposed alike, level by level: words of R rotations, angles (M, R), phases (M,)."""
    if u.shape[1] == 2:
        return _zyz(u)
    left, thetas, right = _cosine_sine(u)
    words, angles, phases = _demultiplex(*(np.concatenate(pair) for pair in zip(right, left, strict=True)))
    first, last = np.split(angles, 2)
    middle, turns = _multiplexed("Y", 2 * thetas)
    return [*words, *middle, *words], np.hstack([first, turns, last]), np.add(*np.split(phases, 2))


def _demultiplex(a: np.ndarray, b: np.ndarray) -> Decomposed:
    """Rotations of diag(a, b): one unitary on the lower qubits, a multiplexed RZ on the top one, another unitary."""
    values, v = _eigenvectors(a @ _dagger(b))
    half_phases = np.angle(values) / 2
    w = np.exp(1j * half_phases)[:, :, None] * (_dagger(v) @ b)
    inner, angles, phases = _shannon(np.concatenate([w, v]))
    first, last = np.split(angles, 2)
    middle, turns = _multiplexed("Z", -2 * half_phases)
    below = ["I" + word for word in inner]
    return [*below, *middle, *below], np.hstack([first, turns, last]), np.add(*np.split(phases, 2))


def _multiplexed(letter: str, angles: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Words, the letter times every Z word of the lower qubits, and angles that on basis state j of those add up to
    angles[:, j]."""
    k = _n_qubits(angles.shape[1])
    words = [letter + "".join("Z" if j >> (k - 1 - q) & 1 else "I" for q in range(k)) for j in range(2**k)]
    return words, _walsh(angles)


def _walsh(values: np.ndarray) -> np.ndarray:
    """Coefficients (M, 2^k) whose sums with the signs of the Z words are the values (M, 2^k)."""
    k = _n_qubits(values.shape[1])
    cube = values.astype(float).reshape(-1, *(2,) * k)
    for axis in range(1, k + 1):
        a, b = np.take(cube, 0, axis), np.take(cube, 1, axis)
        cube = np.stack([(a + b) / 2, (a - b) / 2], axis)
    return cube.reshape(values.shape)


def _cosine_sine(u: np.ndarray) -> tuple[Pair, np.ndarray, Pair]:
    """u = diag(l0, l1) [[cos, -sin], [sin, cos]] diag(r0, r1), for each of many; angles (M, N / 2)."""
    half = u.shape[1] // 2
    a, b, c, d = u[:, :half, :half], u[:, :half, half:], u[:, half:, :half], u[:, half:, half:]
    # Smallest cosines, largest sines first: columns of c without length are then completed by the others.
    l0, cosines, r0 = (np.flip(part, axis) for part, axis in zip(np.linalg.svd(a), (2, 1, 1), strict=True))
    columns = c @ _dagger(r0)
    l1, triangle = np.linalg.qr(columns)
    diagonal = np.einsum("mii->mi", triangle)
    turns = np.where(diagonal == 0, 1, diagonal / np.where(diagonal == 0, 1, np.abs(diagonal)))
    l1, sines = l1 * turns[:, None, :], np.abs(diagonal)
    r1 = cosines[:, :, None] * (_dagger(l1) @ d) - sines[:, :, None] * (_dagger(l0) @ b)
    thetas = np.arctan2(sines, cosines)
    for m in np.flatnonzero(np.abs(columns - l1 * sines[:, None, :]).max(axis=(1, 2)) > _ACCURACY):
        # Sines that only differ where cosines no longer do.
        from scipy.linalg import cossin

        (l0[m], l1[m]), thetas[m], (r0[m], r1[m]) = cossin(u[m], p=half, q=half, separate=True)
    # Two blocks are their own decomposition: what is controlled already is not taken apart.
    for blocks, angle, own in ((c, 0.0, (a, d)), (a, np.pi / 2, (c, -b))):
        apart = np.abs(blocks).max(axis=(1, 2)) < _TOLERANCE
        l0[apart], l1[apart], thetas[apart], r0[apart], r1[apart] = (
            np.eye(half),
            np.eye(half),
            angle,
            *(part[apart] for part in own),
        )
    return (l0, l1), thetas, (r0, r1)


def _eigenvectors(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (M, N) and orthonormal eigenvectors (M, N, N) of unitaries."""
    values, vectors = np.linalg.eig(w)
    v, _ = np.linalg.qr(vectors)
    errors = np.abs(w @ v - v * values[:, None, :]).max(axis=(1, 2))
    for m in np.flatnonzero(~(errors <= _ACCURACY)):  # eigenvalues (nearly) equal
        from scipy.linalg import schur

        triangle, v[m] = schur(w[m], output="complex")
        values[m] = np.diag(triangle)
    return values, v


def _dagger(matrices: np.ndarray) -> np.ndarray:
    return matrices.conj().swapaxes(1, 2)


def _zyz(u: np.ndarray) -> Decomposed:
    """u = exp(i phase) RZ(c) RY(b) RZ(a), for each of many."""
    phases = np.angle(np.linalg.det(u)) / 2
    v = u * np.exp(-1j * phases)[:, None, None]
    b = 2 * np.arctan2(np.abs(v[:, 1, 0]), np.abs(v[:, 0, 0]))
    plus = np.where(np.abs(v[:, 1, 1]) > _TOLERANCE, 2 * np.angle(v[:, 1, 1]), 0.0)
    minus = np.where(np.abs(v[:, 1, 0]) > _TOLERANCE, 2 * np.angle(v[:, 1, 0]), 0.0)
    return ["Z", "Y", "Z"], np.stack([(plus - minus) / 2, b, (plus + minus) / 2], axis=1), phases
