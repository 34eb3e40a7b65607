"""Tables of outcomes and their confusion undone: by the inverse, or as the nearest probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from qloom.engines.readout import on_bits
from qloom.errors import UnsupportedError
from qloom.mitigation.combinations import Combination
from qloom.mitigation.confusion import Block

# Nearest probabilities take a dense matrix of this many outcomes a side at most.
MOST_OUTCOMES = 1 << 10


class ConfusedTable(Combination):
    """Probabilities of the outcomes of some qubits, from those of them and of all that are misread with them.

    Args:
        asked: qubits, in order.
        blocks: of confusion.

    Attributes:
        qubits: whose outcomes are measured, (P = 2^k).
    """

    def __init__(self, asked: Sequence[int], blocks: Sequence[Block]):
        touching = [block for block in blocks if set(block.qubits) & set(asked)]
        further = sorted({q for block in touching for q in block.qubits} - set(asked))
        self.qubits = (*asked, *further)
        self._n_asked = len(asked)
        self._blocks = [([self.qubits.index(q) for q in block.qubits], block.matrix) for block in touching]
        self._inverses = [(axes, np.linalg.inv(matrix)) for axes, matrix in self._blocks]

    @property
    def n_outcomes(self) -> int:
        return int(2 ** len(self.qubits))

    def _applied(self, table: np.ndarray, maps: Sequence[tuple[list[int], np.ndarray]]) -> np.ndarray:
        """Matrices on their qubits of tables (B, P)."""
        for axes, matrix in maps:
            table = on_bits(table, axes, lambda flat, m=matrix: m @ flat)
        return table

    def matrix(self) -> np.ndarray:
        """The confusion of all its outcomes, dense, (P, P)."""
        return self._applied(np.eye(self.n_outcomes), [(axes, m.T) for axes, m in self._blocks])

    def marginal(self, table: np.ndarray) -> np.ndarray:
        """Of what was asked for, (B, O), from tables (B, P)."""
        return table.reshape(len(table), 2**self._n_asked, self.n_outcomes >> self._n_asked).sum(axis=2)

    def spread(self, cotangents: np.ndarray) -> np.ndarray:
        """Cotangents (B, P) of a table from those of its marginals."""
        return np.repeat(cotangents, self.n_outcomes >> self._n_asked, axis=1)

    def undone(self, table: np.ndarray) -> np.ndarray:
        """Tables (B, P) before confusion."""
        return self._applied(table, self._inverses)

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        return self.marginal(self.undone(values[0]))

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        return self._applied(self.spread(cotangents), [(axes, m.T) for axes, m in self._inverses])[None]


@dataclass(frozen=True, eq=False)
class BoundedOutcomes(Combination):
    """Probabilities of at least 0 that add up to 1 and whose confusion is nearest to what was measured."""

    table: ConfusedTable

    def __post_init__(self) -> None:
        if self.table.n_outcomes > MOST_OUTCOMES:
            raise UnsupportedError(
                f"least squares of {self.table.n_outcomes:,} outcomes, expected at most {MOST_OUTCOMES:,}; ask for "
                'fewer qubits, or take method="inverse"'
            )

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        return self.table.marginal(self._nearest(values[0]))

    def _nearest(self, measured: np.ndarray) -> np.ndarray:
        found = self.table.undone(measured)
        confusion = self.table.matrix()
        for b in np.flatnonzero(found.min(axis=1, initial=0) < 0):  # elsewhere the inverse is the nearest
            kept = _kept(confusion, measured[b])
            found[b] = 0
            found[b, kept] = _solved(confusion[:, kept])[:, :-1] @ measured[b] + _solved(confusion[:, kept])[:, -1]
        return found

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        measured, spread = values[0], self.table.spread(cotangents)
        linear = self.table.undone(measured)
        pulled = self.table.pulled_back(values, cotangents)[0]
        confusion = self.table.matrix()
        for b in np.flatnonzero(linear.min(axis=1, initial=0) < 0):
            kept = _kept(confusion, measured[b])
            pulled[b] = spread[b, kept] @ _solved(confusion[:, kept])[:, :-1]
        return pulled[None]


def _kept(confusion: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Which outcomes have probabilities above 0: least squares with a heavy row that holds their sum at 1."""
    heavy = 1e4
    p, _ = nnls(np.vstack([confusion, np.full(len(confusion), heavy)]), np.append(measured, heavy))
    return np.flatnonzero(p > 1e-12)


def _solved(kept: np.ndarray) -> np.ndarray:
    """Least squares of sum 1 over kept columns (P, K) as an affine map of what was measured, (K, P + 1)."""
    normal = np.linalg.inv(kept.T @ kept)
    of_one = normal.sum(axis=1) / normal.sum()
    free = normal @ kept.T
    return np.hstack([free - np.outer(of_one, free.sum(axis=0)), of_one[:, None]])
