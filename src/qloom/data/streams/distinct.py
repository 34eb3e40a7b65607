"""How many different values there are among more than are held: the smallest hashes say it."""

from __future__ import annotations

import numpy as np

from qloom.data.row_keys import mixed_keys

SIZE = 4_096  # K: an error of about 1 / sqrt(K), 1.6%


class DistinctCount:
    """The number of different keys: exact below 4,096, else an estimate from the smallest hashes.

    Source: Bar-Yossef et al. 2002, RANDOM, LNCS 2483, 1; Beyer et al. 2007, SIGMOD, 199.
    """

    def __init__(self) -> None:
        self._smallest = np.empty(0, dtype=np.uint64)

    def update(self, keys: np.ndarray) -> None:
        """Take in keys, equal for equal cells. Shapes: uint64 (B,)."""
        self._keep(mixed_keys(keys))

    def merge(self, other: DistinctCount) -> None:
        """Take in what another has taken in."""
        self._keep(other._smallest)

    def _keep(self, hashes: np.ndarray) -> None:
        if len(self._smallest) == SIZE:
            hashes = hashes[hashes < self._smallest[-1]]
        if len(hashes):
            self._smallest = np.unique(np.concatenate([self._smallest, hashes]))[:SIZE]

    @property
    def is_exact(self) -> bool:
        """Whether all were counted."""
        return len(self._smallest) < SIZE

    @property
    def n(self) -> int:
        """Different keys; an estimate has three digits that count."""
        if self.is_exact:
            return len(self._smallest)
        return int(float(f"{(SIZE - 1) * 2.0**64 / (float(self._smallest[-1]) + 1):.3g}"))
