"""Gibbs states exp(H) / Tr exp(H) of sums of Pauli words, and what training needs of them, in closed form.

H = sum_k theta_k P_k is exact and dense. Words of one x mask lie on one "x-diagonal" of it, the entries [i ^ x, i],
whose values are a Walsh-Hadamard transform of their coefficients; and so are the traces Tr(P_k M) of one of M. Where
all words are of Z, matrices are their diagonals. Data states come as matrices, or as diagonals.

Source: Amin and others 2018, Phys. Rev. X 8, 021050; Kappen 2020, J. Phys. A 53, 214001.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from qloom.models.generative.words import walsh

# Eigenvalues of reduced states below this are rounding; their logarithms are taken of it.
FLOOR = 1e-14

# Letters on qubits, such as ("XZ", (0, 3)).
Word = tuple[str, tuple[int, ...]]
# theta (K,) -> a loss, and its derivatives (K,).
Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
# A state (D, D), or a diagonal one (D,) -> what it costs, and the cost's derivative by it, shaped alike.
Cost = Callable[[np.ndarray], tuple[float, np.ndarray]]


class WordSum:
    """Hermitian matrices sum_k theta_k P_k, of K Pauli words on n qubits.

    Args:
        words: letters on qubits.
        n_qubits: n; qubit 0 is the most significant bit of an index.

    Attributes:
        is_diagonal: whether there are words of Z alone: matrices are then vectors (2^n,).
        is_real: whether every word has an even number of Y.
    """

    def __init__(self, words: Sequence[Word], n_qubits: int):
        self.words, self.n_qubits = list(words), n_qubits
        self._x = np.array([_mask(letters, qubits, "XY", n_qubits) for letters, qubits in words], np.int64)
        self._z = np.array([_mask(letters, qubits, "ZY", n_qubits) for letters, qubits in words], np.int64)
        # P|i> = phase (-1)^(z.i) |i ^ x>
        self._phases = np.array([1j ** (letters.count("Y") % 4) for letters, _ in words])
        self.is_diagonal, self.is_real = not self._x.any(), not self._phases.imag.any()
        self._index = np.arange(1 << n_qubits)

    def __len__(self) -> int:
        return len(self.words)

    def matrix(self, theta: np.ndarray) -> np.ndarray:
        """Shapes: theta (K,) -> (2^n, 2^n), real where all words are; (2^n,) if diagonal."""
        if self.is_diagonal:
            return self._spread(theta, 0).real.copy()
        size = 1 << self.n_qubits
        made = np.zeros((size, size), np.float64 if self.is_real else np.complex128)
        for x in np.unique(self._x):
            values = self._spread(theta, x)
            made[self._index ^ x, self._index] = values.real if self.is_real else values
        return made

    def _spread(self, theta: np.ndarray, x: int) -> np.ndarray:
        """The x-diagonal of the sum."""
        found, here = np.zeros(1 << self.n_qubits, np.complex128), self._x == x
        np.add.at(found, self._z[here], theta[here] * self._phases[here])
        return walsh(found.real) + (0 if self.is_real else 1j * walsh(found.imag))

    def traces(self, matrix: np.ndarray) -> np.ndarray:
        """Tr(P_k M) of a hermitian matrix, or of a diagonal one as a vector. Shapes: (2^n, 2^n) or (2^n,) -> (K,)."""
        found = np.zeros(len(self))
        for x in np.unique(self._x):
            here = self._x == x
            if matrix.ndim == 1:
                along = matrix if x == 0 else np.zeros_like(matrix)
            else:
                along = matrix[self._index, self._index ^ x]
            real = self._phases[here].real * walsh(along.real)[self._z[here]]
            if np.iscomplexobj(along):
                real -= self._phases[here].imag * walsh(along.imag)[self._z[here]]
            found[here] = real
        return found


def _mask(letters: str, qubits: Sequence[int], which: str, n_qubits: int) -> int:
    return sum(1 << (n_qubits - 1 - q) for letter, q in zip(letters, qubits, strict=True) if letter in which)


def words_on(n_qubits: int, operators: Sequence[str]) -> list[Word]:
    """Each of the letters, such as "Z" or "XX", on every choice of as many qubits, in rising order."""
    return [(letters, qubits) for letters in operators for qubits in combinations(range(n_qubits), len(letters))]


class Gibbs:
    """The state exp(H) / Tr exp(H) of a hermitian matrix (2^n, 2^n), or of a diagonal one (2^n,).

    Attributes:
        log_z: the logarithm of Tr exp(H).
        state: the state, shaped as the matrix.
    """

    def __init__(self, matrix: np.ndarray):
        self._vectors: np.ndarray | None = None
        self._values = matrix
        if matrix.ndim == 2:
            self._values, self._vectors = np.linalg.eigh(matrix)
        top = float(self._values.max())
        shares = np.exp(self._values - top)
        self.log_z = top + float(np.log(shares.sum()))
        self._shares = shares / shares.sum()
        self.state = self._shares
        if self._vectors is not None:
            self.state = (self._vectors * self._shares) @ self._vectors.conj().T

    def pulled_back(self, slope: np.ndarray) -> np.ndarray:
        """The derivative by H of a cost whose derivative by the state is `slope`: both hermitian, or diagonals.

        The derivative of a function of a matrix is, in the matrix's own basis, a table of divided differences.

        Source: Daleckii and Krein 1965, AMS Translations 47, 1.
        """
        if self._vectors is None:
            return self._shares * (slope - self._shares @ slope)  # type: ignore[no-any-return]
        mean = float(np.vdot(self.state, slope).real)
        turned = self._vectors.conj().T @ slope @ self._vectors
        logs = self._values - self.log_z
        return _turned_back(self._vectors, turned * _exponential_differences(logs)) - mean * self.state


class Data(NamedTuple):
    """A state to be learnt.

    Attributes:
        state: (D, D), or (D,) of a mixture of basis states.
        entropy: von Neumann's, in nats.
    """

    state: np.ndarray
    entropy: float

    @classmethod
    def mixture(cls, shares: np.ndarray) -> Data:
        """Of basis states with these probabilities, (D,)."""
        known = shares[shares > 0]
        return cls(shares, float(-(known * np.log(known)).sum()))

    @classmethod
    def pure(cls, shares: np.ndarray) -> Data:
        """Their superposition with amplitudes sqrt(p)."""
        return cls(np.outer(np.sqrt(shares), np.sqrt(shares)), 0.0)


def visible_loss(words: WordSum, data: Data) -> Loss:
    """The relative entropy Tr(data log data) - Tr(data log state) of the Gibbs state. Convex.

    Its derivatives are the traces <P_k> of the Gibbs state minus those of the data.
    """
    of_data = words.traces(data.state)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        gibbs = Gibbs(words.matrix(theta))
        return gibbs.log_z - float(theta @ of_data) - data.entropy, words.traces(gibbs.state) - of_data

    return loss


def hidden_loss(words: WordSum, n_visible: int, cost: Cost) -> Loss:
    """A cost of the state of the first qubits of a Gibbs state, the others traced out."""
    hidden = 1 << (words.n_qubits - n_visible)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        gibbs = Gibbs(words.matrix(theta))
        value, slope = cost(reduced(gibbs.state, n_visible))
        lifted = np.repeat(slope, hidden) if slope.ndim == 1 else np.kron(slope, np.eye(hidden))
        return value, words.traces(gibbs.pulled_back(lifted))

    return loss


def relative_entropy(data: Data) -> Cost:
    """Of data to a state."""
    diagonal = data.state if data.state.ndim == 1 else np.diagonal(data.state).real

    def cost(state: np.ndarray) -> tuple[float, np.ndarray]:
        if state.ndim == 1:
            found = np.maximum(state, FLOOR)
            return -data.entropy - float(diagonal @ np.log(found)), -diagonal / found
        values, vectors = np.linalg.eigh(state)
        values = np.maximum(values, FLOOR)
        given = np.diag(data.state) if data.state.ndim == 1 else data.state
        turned = vectors.conj().T @ given @ vectors
        value = -data.entropy - float(np.diagonal(turned).real @ np.log(values))
        return value, -_turned_back(vectors, turned * _logarithm_differences(values))

    return cost


def measured_entropy(data: Data) -> Cost:
    """The relative entropy of a mixture's distribution (D,) to the outcomes of a state measured in Z."""

    def cost(state: np.ndarray) -> tuple[float, np.ndarray]:
        found = np.maximum(state if state.ndim == 1 else np.diagonal(state).real, FLOOR)
        slope = -data.state / found
        return -data.entropy - float(data.state @ np.log(found)), slope if state.ndim == 1 else np.diag(slope)

    return cost


def reduced(state: np.ndarray, n_visible: int) -> np.ndarray:
    """The state of the first qubits, the others traced out. Shapes: (2^n, 2^n) -> (2^v, 2^v); (2^n,) -> (2^v,)."""
    size = 1 << n_visible
    if state.ndim == 1:
        return state.reshape(size, -1).sum(axis=1)  # type: ignore[no-any-return]
    hidden = len(state) // size
    return np.einsum("ahbh->ab", state.reshape(size, hidden, size, hidden))


def _turned_back(vectors: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """A matrix given in the basis of the vectors."""
    return vectors @ inside @ vectors.conj().T


def _exponential_differences(logs: np.ndarray) -> np.ndarray:
    """(e^a - e^b) / (a - b) of every two, e^a for equal ones."""
    gaps = np.abs(logs[:, None] - logs)
    ratios = np.where(gaps > 0, -np.expm1(-gaps) / np.where(gaps > 0, gaps, 1), 1)
    return np.exp(np.maximum(logs[:, None], logs)) * ratios  # type: ignore[no-any-return]


def _logarithm_differences(values: np.ndarray) -> np.ndarray:
    """(log a - log b) / (a - b) of every two above 0, 1 / a for equal ones."""
    least = np.minimum(values[:, None], values)
    stretch = np.abs(values[:, None] - values) / least
    ratios = np.where(stretch > 0, np.log1p(stretch) / np.where(stretch > 0, stretch, 1), 1)
    return ratios / least  # type: ignore[no-any-return]
