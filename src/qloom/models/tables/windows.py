"""Training rows that lie on disk, a window at a time: each is an epoch of the loop, and so a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from qloom.data.streams.freed import give_back_memory
from qloom.models.tables.rows import Rows


class Windows:
    """The rows of a stream in another order at each pass, cut into windows of about one size.

    The blocks of the stream are put in a random order at each pass; a window is some blocks one after the other in that
    order, and its rows are shuffled among themselves by whoever trains on it. So a row meets those of its own block and
    of a few others: what is sorted by more than a window's worth of blocks is well mixed, what is sorted within a block
    stays together in a window. Which rows a window has is a function of the seed and its number.

    Args:
        read: number of a block -> its training rows.
        n_blocks: of the stream.
        n_rows: training rows of all blocks.
        size: rows of a window, about.
        seed: of the order.

    Attributes:
        per_pass: windows that a pass over the rows has.
    """

    def __init__(self, read: Callable[[int], Rows], n_blocks: int, n_rows: int, size: int, seed: int):
        self.read, self.n_blocks, self.n_rows, self.seed = read, n_blocks, n_rows, seed
        self.per_pass = min(n_blocks, max(1, -(-n_rows // size)))
        self._next: tuple[int, Future[Rows]] | None = None
        self._reader = ThreadPoolExecutor(1, "windows")

    def rows(self, number: int) -> Rows:
        """The rows of a window, counted from 0 over all passes; the one after it is read meanwhile."""
        if self._next is None or self._next[0] != number:
            self._next = number, self._reader.submit(self._read, number)
        found = self._next[1].result()
        self._next = number + 1, self._reader.submit(self._read, number + 1)
        return found

    def patience(self, given: int) -> int:
        """So many windows without a better loss end a training; at least a pass, so that no row goes unseen."""
        return max(given, self.per_pass)

    def blocks(self, number: int) -> np.ndarray:
        """The numbers of the blocks of a window."""
        which, place = divmod(number, self.per_pass)
        order = np.random.default_rng([self.seed, which]).permutation(self.n_blocks)
        return np.array_split(order, self.per_pass)[place]

    def forget(self) -> None:
        """Let go of what was read ahead."""
        self._next = None
        give_back_memory()

    def _read(self, number: int) -> Rows:
        return Rows.joined([self.read(int(block)) for block in self.blocks(number)])
