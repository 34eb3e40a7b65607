"""Calls cut into pieces that have room: trajectories of some samples all, or of one sample some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qloom.engines.batch import MOST_NUMBERS


@dataclass(eq=False, slots=True)
class Piece:
    """Trajectories that are run together.

    Attributes:
        samples: of the batch.
        rows: the same as the native side counts them: first sample, samples, trajectories of each, first, count.
    """

    samples: slice
    rows: list[int]

    @property
    def size(self) -> int:
        return self.rows[1] * self.rows[4]


def pieces(n_samples: int, n: int, numbers_a_row: int) -> Iterator[Piece]:
    """Of `n` trajectories of each sample, in pieces of at most MOST_NUMBERS numbers."""
    most = max(1, MOST_NUMBERS // max(1, numbers_a_row))
    if n_samples * n <= most:
        yield Piece(slice(0, n_samples), [0, n_samples, n, 0, n])
        return
    together, count = max(1, most // n), min(n, most)
    for first in range(0, n_samples, together):
        samples = slice(first, min(first + together, n_samples))
        for start in range(0, n, count):
            yield Piece(samples, [first, samples.stop - first, n, start, min(count, n - start)])
