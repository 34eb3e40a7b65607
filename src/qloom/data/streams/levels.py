"""Levels of categories and their counts: exact up to a bound, beyond it those of the frequent ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from qloom.data.column_statistics import LevelStatistics, ranked_levels

MOST_LEVELS = 100_000


class LevelCounts:
    """Counts of levels, exact up to `most` of them.

    Beyond it all counts are lowered by the count of the level in the middle, and levels at 0 are dropped: no count is
    too high, and none is too low by more than `shortfall`.

    Source: Misra and Gries 1982, Science of Computer Programming 2, 143; merged as Agarwal et al. 2013, ACM
    Transactions on Database Systems 38, 26.
    """

    def __init__(self, most: int = MOST_LEVELS) -> None:
        self.most = most
        self.n_rows = self.n_missing = 0
        self.shortfall = 0
        self._counts: dict[str, int] = {}

    @property
    def is_exact(self) -> bool:
        """Whether no level was dropped."""
        return not self.shortfall

    def add(self, counts: Mapping[str, int], n_missing: int) -> None:
        """Take in counted rows; levels of none are passed over."""
        self.n_rows += sum(counts.values()) + n_missing
        self.n_missing += n_missing
        self._add(counts)

    def merge(self, other: LevelCounts) -> None:
        """Take in what another has taken in."""
        self.n_rows += other.n_rows
        self.n_missing += other.n_missing
        self.shortfall += other.shortfall
        self._add(other._counts)

    def _add(self, more: Mapping[str, int]) -> None:
        counts = self._counts
        for level, count in more.items():
            if count:
                counts[level] = counts.get(level, 0) + count
        if len(counts) > self.most:
            self._drop()

    def _drop(self) -> None:
        """Lower all counts by that of the middle level."""
        by = int(np.partition(list(self._counts.values()), len(self._counts) // 2)[len(self._counts) // 2])
        self.shortfall += by
        self._counts = {level: count - by for level, count in self._counts.items() if count > by}

    def statistics(self) -> LevelStatistics:
        """What a coding is made from."""
        return ranked_levels(self._counts, self.n_missing, self.n_rows)
