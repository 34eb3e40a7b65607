"""Rows of bits packed into machine words, for means of many words of Z over many rows."""

from __future__ import annotations

import numpy as np

from qloom import _native
from qloom.models.generative.words import Words


class PackedRows:
    """Rows of bits, 64 to a number.

    Args:
        bits: (N, n) of 0 and 1.
    """

    def __init__(self, bits: np.ndarray):
        self.n_rows = len(bits)
        packed = np.packbits(np.ascontiguousarray(bits.T), axis=1)
        columns = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), np.uint8)
        columns[:, : packed.shape[1]] = packed
        self._columns = columns.view(np.uint64)

    def means(self, words: Words) -> np.ndarray:
        """Mean of (-1)^(a.x) over rows for each word a, float64 (A,)."""
        odd = np.empty(len(words), np.int64)
        _native.odd_rows(words.starts, words.qubits, self._columns, odd, _native.available_threads())
        return 1 - 2 * odd / self.n_rows
