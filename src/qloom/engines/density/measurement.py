"""What is asked for as a linear function of some numbers r_P = Tr(P rho), and its transpose.

Words are numbers with digits of base 4, I X Y Z, the first qubit of the register the most significant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from qloom.engines.outputs import Outputs
from qloom.observables import Word

_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


class Reading(ABC):
    """Outputs (B, O) from the numbers r (B, M) of some words.

    Attributes:
        cells: (M,) different words.
    """

    cells: np.ndarray

    @abstractmethod
    def values(self, read: np.ndarray) -> np.ndarray:
        """Outputs (B, O)."""

    @abstractmethod
    def cotangents(self, given: np.ndarray) -> np.ndarray:
        """Slopes by r (B, M) from those by outputs."""


def measured_qubits(outputs: Any, n_qubits: int) -> tuple[int, ...]:
    """The qubits that outputs look at, at least one."""
    if outputs.kind == "probabilities":
        return tuple(outputs.qubits)
    if outputs.kind == "expectations":
        return tuple(sorted({q for each in outputs.observables for q in each.qubits})) or (0,)
    return tuple(range(n_qubits))


def reading(outputs: Outputs, register: Sequence[int]) -> Reading:
    """How outputs are read off words of a register."""
    return _READINGS[outputs.kind](outputs, register)


class _Sums(Reading):
    """Of Pauli sums: coefficients times words, added up in a fixed order."""

    def __init__(self, outputs: Any, register: Sequence[int]):
        terms = [
            (o, _number(word, register), float(np.real(coefficient)))
            for o, observable in enumerate(outputs.observables)
            for word, coefficient in sorted(observable.terms.items())
        ]
        self.n_outputs = outputs.size
        self.outputs = np.array([o for o, _, _ in terms], int)
        words, self.coefficients = np.array([w for _, w, _ in terms], int), np.array([c for _, _, c in terms])
        self.cells, self.places = np.unique(words, return_inverse=True)

    def values(self, read: np.ndarray) -> np.ndarray:
        return _sums(self.coefficients * read[:, self.places].astype(float), self.outputs, self.n_outputs)

    def cotangents(self, given: np.ndarray) -> np.ndarray:
        order = np.argsort(self.places, kind="stable")
        weighted = self.coefficients * given[:, self.outputs].astype(float)
        return _sums(weighted[:, order], self.places[order], len(self.cells))


def _sums(numbers: np.ndarray, of: np.ndarray, count: int) -> np.ndarray:
    """Sums (B, count) of numbers (B, T) by what they belong to, `of` (T,) in ascending order."""
    out = np.zeros((len(numbers), count))
    which, starts = np.unique(of, return_index=True)
    if len(which):
        out[:, which] = np.add.reduceat(numbers, starts, axis=1)
    return out


class _Probabilities(Reading):
    """2^-k times the Walsh-Hadamard transform of the words of Z."""

    def __init__(self, outputs: Any, register: Sequence[int]):
        self.k = len(outputs.qubits)
        digits = [3 << 2 * (len(register) - 1 - register.index(q)) for q in outputs.qubits]
        self.cells = np.zeros(1, int)
        for digit in digits:
            self.cells = np.add.outer(self.cells, [0, digit]).ravel()

    def values(self, read: np.ndarray) -> np.ndarray:
        return _walsh(read.astype(float), self.k) / 2**self.k

    def cotangents(self, given: np.ndarray) -> np.ndarray:
        return self.values(given)


def _walsh(rows: np.ndarray, k: int) -> np.ndarray:
    """sum_x (-1)^|a & x| rows[:, x]."""
    for half in (1 << j for j in range(k)):
        pairs = rows.reshape(len(rows), 2**k // (2 * half), 2, half)
        rows = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2)
    return rows.reshape(-1, 2**k)


class _Matrix(Reading):
    """rho = 2^-n sum_P r_P P, real and imaginary parts of its entries side by side."""

    def __init__(self, outputs: Any, register: Sequence[int]):
        self.n = len(register)
        self.cells = np.arange(4**self.n)

    def values(self, read: np.ndarray) -> np.ndarray:
        matrices = pauli_sums(read, self.n) / 2**self.n
        return matrices.reshape(len(read), 4**self.n).view(float)

    def cotangents(self, given: np.ndarray) -> np.ndarray:
        n = self.n
        cube = np.ascontiguousarray(given, float).view(complex).reshape(len(given), *[2] * (2 * n))
        for q in range(n):  # row and column of a qubit become its digit at the end
            cube = np.tensordot(cube, _PAULIS.conj() / 2, axes=([1, 1 + n - q], [1, 2]))
        return np.ascontiguousarray(cube.real).reshape(len(given), 4**n)


def pauli_sums(coefficients: np.ndarray, n: int) -> np.ndarray:
    """Matrices (B, 2^n, 2^n) of sums of all words of n letters, coefficients (B, 4^n)."""
    cube = coefficients.astype(complex).reshape(len(coefficients), *[4] * n)
    for _ in range(n):  # the first digit left becomes a row and a column at the end
        cube = np.tensordot(cube, _PAULIS, axes=([1], [0]))
    rows, columns = range(1, 2 * n + 1, 2), range(2, 2 * n + 1, 2)
    return np.ascontiguousarray(cube.transpose(0, *rows, *columns)).reshape(len(coefficients), 2**n, 2**n)


def _number(word: Word, register: Sequence[int]) -> int:
    x, z = word
    number = 0
    for qubit in register:
        both = (x >> qubit & 1, z >> qubit & 1)
        number = 4 * number + {(0, 0): 0, (1, 0): 1, (1, 1): 2, (0, 1): 3}[both]
    return number


_READINGS: dict[str, Callable[[Any, Sequence[int]], Reading]] = {
    "expectations": _Sums, "probabilities": _Probabilities, "density": _Matrix,
}  # fmt: skip
