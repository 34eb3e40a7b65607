"""The Walsh-Hadamard transform of arrays over all bit strings."""

from __future__ import annotations

import numpy as np


def walsh_hadamard(values: np.ndarray) -> np.ndarray:
    """sum_y (-1)^|x & y| values[y] for every x; twice it is 2^n times the identity.

    Shapes: values (2^n,), real or complex -> (2^n,).
    """
    half = 2 ** ((len(values).bit_length() - 1) // 2)
    # Both halves of the bits are worked on as leading ones, in long rows.
    table = _over_rows(values.reshape(-1, half)).T
    return np.ascontiguousarray(_over_rows(np.ascontiguousarray(table)).T).reshape(-1)


def _over_rows(table: np.ndarray) -> np.ndarray:
    """The transform of each column. Shapes: (2^k, M) -> (2^k, M)."""
    source, target, n_blocks = table.copy(), np.empty_like(table), 1
    while n_blocks < len(table):
        old, new = source.reshape(n_blocks, 2, -1), target.reshape(n_blocks, 2, -1)
        np.add(old[:, 0], old[:, 1], out=new[:, 0])
        np.subtract(old[:, 0], old[:, 1], out=new[:, 1])
        source, target, n_blocks = target, source, 2 * n_blocks
    return source
