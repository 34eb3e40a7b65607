"""Values of a column as patterns of bits: Gray code, binary, one-hot, a flag for missing; and back from any bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


def binary_codes(count: int) -> np.ndarray:
    """Numbers 0 .. count - 1 in binary, the most significant bit first.

    Shapes: uint8 (count, n), n the fewest bits that tell them apart; none for one number.
    """
    return _bits_of(np.arange(count), _width(count))


def gray_codes(count: int) -> np.ndarray:
    """The same in Gray code: numbers that follow one another differ in one bit.

    Source: Gray 1953, US patent 2632058.
    """
    numbers = np.arange(count)
    return _bits_of(numbers ^ (numbers >> 1), _width(count))


def one_hot_codes(count: int) -> np.ndarray:
    """A bit a number; two numbers share one bit, and one alone has none."""
    return np.eye(count, dtype=np.uint8) if count > 2 else binary_codes(count)


CODES: dict[str, Callable[[int], np.ndarray]] = {
    "gray": gray_codes, "one-hot": one_hot_codes, "binary": binary_codes,
}  # fmt: skip


def _width(count: int) -> int:
    return max(count - 1, 0).bit_length()


def _bits_of(numbers: np.ndarray, width: int) -> np.ndarray:
    return (numbers[:, None] >> np.arange(width - 1, -1, -1) & 1).astype(np.uint8)


class CodeBook:
    """The patterns that the values of a column have, K of n bits each, and how often training had each.

    A missing cell is the last value, where training had one: a flag that stands first, and zeros. All other bits are
    patterns that training never had; they are read as a known one.

    Attributes:
        codes: uint8 (K, n).
        counts: training rows of each value, (K,).
    """

    def __init__(self, code: str, counts: Sequence[int], n_missing: int = 0):
        codes = CODES[code](len(counts))
        if n_missing and len(counts):
            width = codes.shape[1]
            codes = np.vstack([np.pad(codes, ((0, 0), (1, 0))), np.eye(1, 1 + width, dtype=np.uint8)])
        elif n_missing:
            codes = np.zeros((1, 0), np.uint8)
        self.codes = np.ascontiguousarray(codes)
        self.counts = np.array([*counts, n_missing] if n_missing else counts, np.int64)

    @property
    def n_bits(self) -> int:
        """n."""
        return self.codes.shape[1]

    def known(self, bits: np.ndarray) -> np.ndarray:
        """Which rows of bits are a pattern that training had. Shapes: (N, n) -> bool (N,)."""
        return np.asarray(self._apart(bits).min(axis=1) == 0)

    def read(self, bits: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Numbers of the values that bits mean: of those whose patterns differ in the fewest bits one is drawn, by how
        frequent they are in training. A known pattern differs in none, from itself alone.

        Shapes: (N, n) -> int64 (N,), 0 .. K - 1.
        """
        apart = self._apart(bits)
        nearest = apart == apart.min(axis=1, keepdims=True)
        chances = np.cumsum(nearest * self.counts, axis=1)
        drawn = random.random(len(bits)) * chances[:, -1]
        return np.asarray((chances <= drawn[:, None]).sum(axis=1))

    def _apart(self, bits: np.ndarray) -> np.ndarray:
        """Numbers of bits that differ from each code, (N, K)."""
        rows, codes = bits.astype(np.float32), self.codes.astype(np.float32)
        return rows.sum(1)[:, None] + codes.sum(1) - 2 * (rows @ codes.T)  # type: ignore[no-any-return]
