"""Correlators of a circuit's state: means of XX..X, YY..Y and ZZ..Z on sets of qubits, and their derivatives.

All words of one letter are diagonal in one basis. Three Walsh-Hadamard transforms of the state and of its probabilities
are all of them, and the same backwards; word by word each would be a walk over the state.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, islice
from math import comb
from typing import Any

import numpy as np

from qloom.circuits import Circuit
from qloom.combinatorial.qaoa.transform import walsh_hadamard
from qloom.engines import StatevectorEngine, make_batch
from qloom.errors import ProblemError

# Cotangents (B, M) -> derivatives by the weights (B, W).
Back = Callable[[np.ndarray], np.ndarray]


class Correlators:
    """The first M words on sets of `order` qubits, a third of them of X, then of Y, then of Z.

    Args:
        circuit: on n qubits, without inputs.
        order: k, qubits a word.
        n_words: M, at most 3 times the number of sets.
        dtype: of the simulation, float64 or float32.
        threads: None for all processors; results do not depend on them.
    """

    def __init__(
        self, circuit: Circuit, order: int, n_words: int, dtype: Any = np.float64, threads: int | None = None
    ):  # fmt: skip
        self.circuit, self.dtype, n = circuit, np.dtype(dtype), circuit.n_qubits
        if not 1 <= n_words <= 3 * comb(n, order):
            raise ProblemError(
                f"{n_words} words of order {order} on {n} qubits, expected from 1 to {3 * comb(n, order)}; "
                "take more qubits"
            )
        third = -(-n_words // 3)
        sets = islice(combinations(range(n), order), third)
        # The place of a set in a transform: qubit 0 is the leftmost bit.
        places = np.array([sum(1 << (n - 1 - q) for q in one) for one in sets])
        self._places = [places[: max(0, min(third, n_words - begin))] for begin in (0, third, 2 * third)]
        self._evaluator = StatevectorEngine(threads).prepare_adjoint(circuit, "state")
        ones = np.array([i.bit_count() for i in range(2**n)])
        # S^dagger on every qubit turns Y into X.
        self._turn = ((-1j) ** (ones % 4)).astype(np.result_type(self.dtype, np.complex64))

    def __call__(self, weights: np.ndarray) -> tuple[np.ndarray, Back]:
        """Means of the words, and what brings their cotangents back. Shapes: weights (B, W) -> (B, M)."""
        batch = make_batch(self.circuit, None, np.asarray(weights, self.dtype))
        numbers, kept = self._evaluator.forward(batch, keep=True)
        states = numbers.view(self._turn.dtype)
        bases = [_rotated(states), _rotated(states * self._turn), states]

        def back(cotangents: np.ndarray) -> np.ndarray:
            ends = np.cumsum([len(places) for places in self._places])[:-1]
            parts = np.split(cotangents.astype(self.dtype), ends, axis=1)
            x, y, z = (self._slopes(*triple) for triple in zip(bases, self._places, parts, strict=True))
            slopes = z + _rotated(x) + _rotated(y) * self._turn.conj()
            _, gradients = self._evaluator.backward(batch, slopes.view(self.dtype), kept, (False, True))
            assert gradients is not None
            return gradients.astype(np.float64)

        means = [_over_rows(np.abs(basis) ** 2)[:, p] for basis, p in zip(bases, self._places, strict=True)]
        return np.hstack(means).astype(np.float64), back

    def _slopes(self, basis: np.ndarray, places: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        """2 O psi in the basis where O, the sum of the words with these factors, is diagonal. (B, 2^n)"""
        factors = np.zeros(basis.shape, self.dtype)
        factors[:, places] = 2 * cotangents
        return _over_rows(factors) * basis


def _over_rows(table: np.ndarray) -> np.ndarray:
    return np.stack([walsh_hadamard(row) for row in table])


def _rotated(states: np.ndarray) -> np.ndarray:
    """Hadamard gates on all qubits of each row, (B, 2^n)."""
    return _over_rows(states) * states.dtype.type(states.shape[1] ** -0.5)
