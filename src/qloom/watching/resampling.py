"""How far a mean over rows may be off: rows drawn anew, in blocks where neighbours are alike."""

from __future__ import annotations

import numpy as np

from qloom.training.bootstrap import Interval, interval_of

N_DRAWS = 2000
_CELLS = 4_000_000


def difference_interval(differences: np.ndarray, seed: int, *, in_order: bool) -> Interval:
    """The 95% interval of a mean of paired differences.

    Rows in order of time are drawn in blocks of n^(1/3) neighbours, as the errors of a model on neighbours are alike.

    Shapes: differences (B,).

    Source: Efron 1979, Annals of Statistics 7, 1; circular blocks: Politis and Romano 1992, in LePage and Billard,
        Exploring the Limits of Bootstrap, 263.
    """
    n = len(differences)
    length = max(1, round(n ** (1 / 3))) if in_order else 1
    sums = np.cumsum(np.r_[0.0, differences, differences[: length - 1]])
    blocks = sums[length:] - sums[:-length]  # of the block that begins at each row
    n_blocks = -(-n // length)
    random, draws = np.random.default_rng(seed), list[np.ndarray]()
    chunk = max(1, _CELLS // n_blocks)
    for first in range(0, N_DRAWS, chunk):
        starts = random.integers(0, n, size=(min(chunk, N_DRAWS - first), n_blocks))
        draws.append(blocks[starts].sum(axis=1) / (n_blocks * length))
    return interval_of(np.concatenate(draws))
