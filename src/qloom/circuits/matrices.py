"""Textbook matrices of gates, written independently of their expansions; the first qubit is the leftmost bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Matrix = np.ndarray

I2 = np.eye(2)
X = np.array([[0, 1], [1, 0]], complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1.0 + 0j, -1])
H = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
SX = 0.5 * np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]])
SWAP = np.eye(4)[[0, 2, 1, 3]].astype(complex)
DCX = np.eye(4)[[0, 2, 3, 1]].astype(complex)
RCCX = np.diag([1, 1, 1, 1, 1, -1, 0, 0]).astype(complex)
RCCX[6:, 6:] = Y
ECR = np.array([[0, 0, 1, 1j], [0, 0, 1j, 1], [1, -1j, 0, 0], [-1j, 1, 0, 0]]) / np.sqrt(2)


def rx(a: float) -> Matrix:
    """exp(-i a X / 2)."""
    return np.cos(a / 2) * I2 - 1j * np.sin(a / 2) * X


def ry(a: float) -> Matrix:
    """exp(-i a Y / 2)."""
    return np.cos(a / 2) * I2 - 1j * np.sin(a / 2) * Y


def rz(a: float) -> Matrix:
    """exp(-i a Z / 2)."""
    return np.diag(np.exp([-0.5j * a, 0.5j * a]))


def p(a: float) -> Matrix:
    """The phase exp(i a) on 1."""
    return np.diag([1, np.exp(1j * a)])


def u(theta: float, phi: float, lam: float) -> Matrix:
    """OpenQASM's general gate: rz(phi) ry(theta) rz(lam), with 1 at the top left at theta = 0."""
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return np.array([[c, -np.exp(1j * lam) * s], [np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c]])


def two_qubit_rotation(a: np.ndarray, b: np.ndarray) -> Callable[[float], Matrix]:
    """exp(-i angle W / 2), W the product of two Pauli matrices, as a function of the angle."""
    word = np.kron(a, b)
    return lambda angle: np.cos(angle / 2) * np.eye(4) - 1j * np.sin(angle / 2) * word


def exchange(phase: complex) -> Callable[[float], Matrix]:
    """Mixes |01> and |10>: cos on the diagonal, `phase` and -conj(phase) times sin off it."""

    def matrix(a: float) -> Matrix:
        m = np.eye(4, dtype=complex)
        c, s = np.cos(a / 2), np.sin(a / 2)
        m[1:3, 1:3] = [[c, -np.conj(phase) * s], [phase * s, c]]
        return m

    return matrix


def controlled_matrix(matrix: Matrix) -> Matrix:
    """The matrix acting where one more qubit, put first, is 1."""
    size = len(matrix)
    out = np.eye(2 * size, dtype=complex)
    out[size:, size:] = matrix
    return out


def controlled_by(matrix: Callable[..., Matrix]) -> Callable[..., Matrix]:
    """The controlled matrix as a function of the angles."""
    return lambda *angles: controlled_matrix(matrix(*angles))


def phased_exchange(phase: float, first: int, second: int) -> Callable[[float, float], Matrix]:
    """Mixes two of the four basis states: cos on the diagonal, -i exp(+-i beta) sin off it."""

    def matrix(theta: float, beta: float) -> Matrix:
        m = np.eye(4, dtype=complex)
        c, s = np.cos(theta / 2), -1j * np.sin(theta / 2)
        m[[first, first, second, second], [first, second, first, second]] = (
            c, np.exp(1j * phase * beta) * s, np.exp(-1j * phase * beta) * s, c
        )  # fmt: skip
        return m

    return matrix


def constant(matrix: Matrix) -> Callable[[], Matrix]:
    """The matrix of a gate without angles."""
    return lambda: matrix.astype(complex)
