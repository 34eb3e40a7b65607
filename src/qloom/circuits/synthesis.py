"""Arbitrary unitaries and diagonals as gates: products of Pauli rotations found from their matrices.

A k-qubit unitary costs up to (3/2)(4^k - 2^k) rotations: 3, 18, 84, 360 for k = 1 to 4. They come as multiplexed
rotations, one engine pass each while the frame keeps them together: 4^k - 1 passes. A diagonal costs up to 2^k - 1
rotations in one pass.

Source: Shende, Bullock, Markov 2006, IEEE TCAD 25, 1000 (quantum Shannon decomposition).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.gates import Expansion, Gate
from qloom.errors import CircuitError

_TOLERANCE = 1e-14
Rotations = list[tuple[str, float]]


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
    rotations, phase = _z_rotations(-2 * phases, "")
    return Gate("diagonal", k, 0, f"diagonal of phases on {k} qubits", lambda: np.diag(np.exp(1j * phases)),
                lambda: Expansion(tuple(rotations), (-phase / 2,)), lambda: (diagonal_gate(-phases), ()),
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


def _z_rotations(angles: np.ndarray, first: str) -> tuple[Rotations, float]:
    """Rotations about `first` times Z words whose angles, on basis state j of the other qubits, add up to angles[j].

    Returns the rotations and the angle of the word that is `first` alone when `first` is empty (a phase).
    """
    k = _n_qubits(len(angles))
    coefficients = angles.astype(float).reshape((2,) * k)
    for axis in range(k):
        a, b = np.take(coefficients, 0, axis), np.take(coefficients, 1, axis)
        coefficients = np.stack([(a + b) / 2, (a - b) / 2], axis)
    flat = coefficients.ravel()
    words = ["".join("Z" if j >> (k - 1 - q) & 1 else "I" for q in range(k)) for j in range(2**k)]
    start = 0 if first else 1
    rotations = [(first + words[j], float(flat[j])) for j in range(start, 2**k) if abs(flat[j]) > _TOLERANCE]
    return rotations, float(flat[0])


def _expand_unitary(matrix: np.ndarray) -> Expansion:
    rotations, phase = _shannon(matrix)
    return Expansion(tuple(rotations), (phase,))


def _shannon(u: np.ndarray) -> tuple[Rotations, float]:
    if len(u) == 2:
        return _zyz(u)
    from scipy.linalg import cossin

    half = len(u) // 2
    (l0, l1), thetas, (r0, r1) = cossin(u, p=half, q=half, separate=True)
    right, right_phase = _demultiplex(r0, r1)
    left, left_phase = _demultiplex(l0, l1)
    return [*right, *_z_rotations(2 * thetas, "Y")[0], *left], right_phase + left_phase


def _demultiplex(a: np.ndarray, b: np.ndarray) -> tuple[Rotations, float]:
    """Rotations of diag(a, b): one unitary on the lower qubits, a multiplexed RZ on the top one, another unitary."""
    from scipy.linalg import schur

    triangle, v = schur(a @ b.conj().T, output="complex")
    half_phases = np.angle(np.diag(triangle)) / 2
    w = np.exp(1j * half_phases)[:, None] * (v.conj().T @ b)
    first, first_phase = _shannon(w)
    last, last_phase = _shannon(v)
    middle = _z_rotations(-2 * half_phases, "Z")[0]
    return [*_below(first), *middle, *_below(last)], first_phase + last_phase


def _below(rotations: Rotations) -> Rotations:
    return [("I" + letters, angle) for letters, angle in rotations]


def _zyz(u: np.ndarray) -> tuple[Rotations, float]:
    """u = exp(i phase) RZ(c) RY(b) RZ(a)."""
    phase = float(np.angle(np.linalg.det(u)) / 2)
    v = u * np.exp(-1j * phase)
    b = 2 * np.arctan2(abs(v[1, 0]), abs(v[0, 0]))
    plus = 2 * np.angle(v[1, 1]) if abs(v[1, 1]) > _TOLERANCE else 0.0
    minus = 2 * np.angle(v[1, 0]) if abs(v[1, 0]) > _TOLERANCE else 0.0
    angles = (("Z", (plus - minus) / 2), ("Y", b), ("Z", (plus + minus) / 2))
    return [(letter, float(angle)) for letter, angle in angles if abs(angle) > _TOLERANCE], phase
