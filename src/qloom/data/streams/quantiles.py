"""Quantiles of more values than are held: sorted samples in levels, each of twice the weight of the one below.

Values arrive in chunks of 4 K; a sorted chunk is kept as every fourth of its values, and two samples of one level as
every other value of both. Which of them stay alternates, so that errors cancel, and nothing is drawn at random: the
same values in the same order give the same bits.

Source: Munro and Paterson 1980, Theoretical Computer Science 12, 315; Manku et al. 1998, SIGMOD 27, 426.
"""

from __future__ import annotations

import numpy as np

SIZE = 16_384  # K
_MEMORY = 256 << 20  # of all sketches of a table
_MOST_HELD = 12  # samples of K values that a sketch may hold, its chunk counted as four


def size_of_sketches(n: int) -> int:
    """K where there are n sketches: a power of two, 16,384 up to 170 of them, from where on memory says."""
    room = max(_MEMORY // (8 * _MOST_HELD * max(n, 1)), 256)
    return int(min(SIZE, 1 << (room.bit_length() - 1)))


class QuantileSketch:
    """Quantiles within a stated error of rank, exact below 4 K values.

    Args:
        size: K, a power of two.

    Attributes:
        n: values so far.
    """

    def __init__(self, size: int = SIZE) -> None:
        self.n = 0
        self._pending = np.empty(4 * size)
        self._n_pending = 0
        self._levels: list[np.ndarray | None] = []  # sorted, of weight 4 * 2^level each
        self._turns: list[bool] = []
        self._error = 0

    @property
    def rank_error(self) -> float:
        """The most that ranks are off, as a share of n: a bound, which errors that cancel stay well below."""
        return self._error / self.n if self.n else 0.0

    def update(self, values: np.ndarray) -> None:
        """Take in values. Shapes: float64 (B,), without NaN."""
        self.n += len(values)
        while len(values):
            taken = min(len(values), len(self._pending) - self._n_pending)
            self._pending[self._n_pending : self._n_pending + taken] = values[:taken]
            self._n_pending += taken
            values = values[taken:]
            if self._n_pending == len(self._pending):
                self._n_pending = 0
                self._add(0, np.sort(self._pending)[2 - self._turn(0) :: 4], 2)

    def merge(self, other: QuantileSketch) -> None:
        """Take in what another of the same size has taken in."""
        self._error += other._error
        n = self.n + other.n
        for level, sample in enumerate(other._levels):
            if sample is not None:
                self._add(level, sample, 0)
        self.update(other._pending[: other._n_pending])
        self.n = n

    def _turn(self, level: int) -> bool:
        """False and true by turns, for every level."""
        while len(self._turns) <= level:
            self._turns.append(True)
        self._turns[level] = not self._turns[level]
        return self._turns[level]

    def _add(self, level: int, sample: np.ndarray, error: int) -> None:
        """Put a sample into a level; two of one level become one of the next."""
        self._error += error
        while len(self._levels) <= level:
            self._levels.append(None)
        held = self._levels[level]
        if held is None:
            self._levels[level] = sample
            return
        self._levels[level] = None
        both = np.sort(np.concatenate([held, sample]))
        self._add(level + 1, both[self._turn(level + 1) :: 2], 4 << level)

    def items(self) -> tuple[np.ndarray, np.ndarray]:
        """Values that stand for all, rising, and the rows each stands for. Shapes: float64 (K,), int64 (K,)."""
        pending = self._pending[: self._n_pending]
        held = [(level, sample) for level, sample in enumerate(self._levels) if sample is not None]
        values = np.concatenate([pending, *(sample for _, sample in held)])
        weights = np.concatenate(
            [np.ones(len(pending), np.int64), *(np.full(len(sample), 4 << level) for level, sample in held)]
        )
        order = np.argsort(values, kind="stable")
        return values[order], weights[order]

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Values at levels from 0 to 1; those of `np.quantile` where all are held, else values that were taken in."""
        if self._n_pending == self.n:
            return np.asarray(np.quantile(self._pending[: self.n], levels))
        values, weights = self.items()
        places = np.searchsorted(np.cumsum(weights), np.floor(np.asarray(levels) * (self.n - 1)), side="right")
        return np.asarray(values[np.minimum(places, len(values) - 1)])

    @property
    def is_exact(self) -> bool:
        """Whether all values are held."""
        return self._n_pending == self.n
