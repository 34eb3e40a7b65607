"""Words of Z, what they say of bits, and the maximum mean discrepancy as a mixture of them.

For bit strings and the Gaussian kernel exp(-|x - y|^2 / 2 s^2) the squared discrepancy of two distributions is
sum_a w_a (p_a - q_a)^2 over all words a of Z, where p_a and q_a are the means of (-1)^(a.x) and w_a the probability of
a if each of its bits is drawn with (1 - exp(-1 / 2 s^2)) / 2.

Source: Rudolph and others 2024, npj Quantum Information 10, 116; Recio-Armengol and others 2025, arXiv:2503.02934.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from qloom import _native
from qloom.checks import is_integer, is_real
from qloom.errors import ConfigError, DataError, ShapeError

# Bits up to which all 2^n probabilities are held.
MOST_EXACT = 20
# Bits up to which a circuit's amplitudes are held to draw rows.
MOST_SAMPLED = 26
# Numbers a block of distances between two samples holds.
_BLOCK = 1 << 24


def checked_bits(bits: Any, n_qubits: int | None = None, name: str = "X") -> np.ndarray:
    """Rows of zeros and ones, uint8 (N, n).

    Raises:
        DataError: for anything else, or no row.
        ShapeError: for another number of columns than `n_qubits`.
    """
    rows = np.asarray(bits)
    if rows.ndim != 2 or not rows.size:
        raise DataError(f"{name} has shape {rows.shape}, expected rows of bits (N, n) with at least one")
    with np.errstate(invalid="ignore"):
        whole = rows.astype(np.uint8) if rows.dtype.kind in "biuf" else None
    if whole is None or not np.array_equal(whole, rows) or whole.max() > 1:
        raise DataError(f"{name} holds {_first_other(rows)}, expected bits 0 and 1 only; code columns as bits first")
    if n_qubits is not None and rows.shape[1] != n_qubits:
        raise ShapeError(f"{name} has {rows.shape[1]} columns, expected {n_qubits} bits as the model has")
    return np.ascontiguousarray(whole)


def _first_other(rows: np.ndarray) -> str:
    others = [value for value in rows.ravel()[:100_000].tolist() if not (is_real(value) or value is True)
              or value not in (0, 1)]  # fmt: skip
    return repr(others[0]) if others else "other numbers"


def checked_width(width: Any) -> float:
    """The width of a Gaussian kernel: a number above 0."""
    if not is_real(width) or not math.isfinite(width) or width <= 0:
        raise ConfigError(f"width={width!r}, expected a number above 0, such as the median distance of two rows")
    return float(width)


def bit_share(width: float) -> float:
    """The probability of each bit of the words that a kernel of this width is made of."""
    return -math.expm1(-0.5 / checked_width(width) ** 2) / 2


def median_width(bits: np.ndarray, most: int = 2000, seed: int = 0) -> float:
    """The median distance of two different rows, of at most `most` of them drawn with `seed`."""
    if len(bits) > most:
        bits = bits[np.random.default_rng(seed).choice(len(bits), most, replace=False)]
    squares = _distances(bits, bits)[np.triu_indices(len(bits), 1)]
    squares = squares[squares > 0]
    if not squares.size:
        raise DataError(f"all {len(bits)} row(s) are the same, expected rows that differ; a kernel's width needs some")
    return math.sqrt(np.median(squares))


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Numbers of bits that differ, float32 (N, M): exact, since they are below 2^24."""
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x.sum(1)[:, None] + y.sum(1) - 2 * (x @ y.T)  # type: ignore[no-any-return]


class Words:
    """Words of Z on n qubits, as the qubits of each, one after the other.

    Attributes:
        starts: int64 (A + 1,), where each word's qubits begin.
        qubits: int32, in rising order within a word.
        n_qubits: of the register.
    """

    def __init__(self, starts: np.ndarray, qubits: np.ndarray, n_qubits: int):
        self.starts = np.ascontiguousarray(starts, np.int64)
        self.qubits = np.ascontiguousarray(qubits, np.int32)
        self.n_qubits = n_qubits

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, operators: Any, n_qubits: int) -> Words:
        """From tuples of qubits, each once; () is the identity.

        Raises:
            ShapeError: for anything else.
        """
        if isinstance(operators, Words):
            return operators
        try:
            found = [sorted(operator) for operator in operators]
        except TypeError:
            raise ShapeError(f"operators={operators!r}, expected tuples of qubits such as [(0,), (0, 3)]") from None
        for operator in found:
            for qubit in operator:
                if not is_integer(qubit) or not 0 <= qubit < n_qubits or operator.count(qubit) > 1:
                    raise ShapeError(f"operator {tuple(operator)}, expected different qubits of 0 to {n_qubits - 1}")
        starts = np.cumsum([0, *map(len, found)])
        return cls(starts, np.array([q for operator in found for q in operator], np.int32), n_qubits)

    @classmethod
    def where(cls, marked: np.ndarray) -> Words:
        """From booleans (A, n)."""
        rows, qubits = np.nonzero(marked)
        return cls(np.searchsorted(rows, np.arange(len(marked) + 1)), qubits, marked.shape[1])

    @classmethod
    def drawn(cls, n_qubits: int, width: float, count: int, generator: np.random.Generator) -> Words:
        """The words of a kernel of this width, drawn by their weights."""
        return cls.where(generator.random((count, n_qubits), np.float32) < np.float32(bit_share(width)))

    @classmethod
    def joined(cls, parts: Sequence[Words]) -> Words:
        """The words of several, one after the other."""
        ends = np.cumsum([0, *(part.starts[-1] for part in parts)])
        starts = [part.starts[:-1] + end for part, end in zip(parts, ends, strict=False)]
        return cls(np.concatenate([*starts, ends[-1:]]), np.concatenate([p.qubits for p in parts]), parts[0].n_qubits)

    def part(self, first: int, last: int) -> Words:
        """The words from number `first` up to and without `last`."""
        starts = self.starts[first : min(last, len(self)) + 1]
        return Words(starts - starts[0], self.qubits[starts[0] : starts[-1]], self.n_qubits)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for start, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            yield tuple(self.qubits[start:end].tolist())

    def matrix(self) -> np.ndarray:
        """Booleans (A, n)."""
        marked = np.zeros((len(self), self.n_qubits), bool)
        marked[np.repeat(np.arange(len(self)), np.diff(self.starts)), self.qubits] = True
        return marked

    def masks(self) -> np.ndarray:
        """Integers (A,) with qubit 0 at the most significant of n bits, as an index of 2^n outcomes has it."""
        places = np.int64(1) << (self.n_qubits - 1 - self.qubits.astype(np.int64))
        return np.add.reduceat(np.r_[places, 0], self.starts[:-1]) * (np.diff(self.starts) > 0)  # type: ignore[no-any-return]


def walsh(values: np.ndarray) -> np.ndarray:
    """sum_x (-1)^(a.x) values[x] for every a, (2^n,) -> (2^n,)."""
    out = np.array(values, np.float64)[None]
    _native.walsh(out, _native.available_threads())
    return out[0]  # type: ignore[no-any-return]


def outcomes_of(bits: np.ndarray) -> np.ndarray:
    """Rows of bits as indices of 2^n outcomes, int64 (N,); bit 0 is the most significant."""
    n = bits.shape[1]
    return bits.astype(np.int64) @ (np.int64(1) << np.arange(n - 1, -1, -1, dtype=np.int64))


def bits_of(outcomes: np.ndarray, n_qubits: int) -> np.ndarray:
    """Indices of 2^n outcomes as rows of bits, uint8 (N, n)."""
    return (outcomes[:, None] >> np.arange(n_qubits - 1, -1, -1) & 1).astype(np.uint8)


def word_weights(n_qubits: int, width: float) -> np.ndarray:
    """The weight of every word, (2^n,), by its mask."""
    share = bit_share(width)
    weights = np.ones(1)
    for _ in range(n_qubits):
        weights = np.concatenate([weights * (1 - share), weights * share])
    return weights


def exact_mmd(probabilities: np.ndarray, bits: np.ndarray, width: float) -> float:
    """The squared discrepancy of a distribution (2^n,) and the one that rows (N, n) were drawn from, unbiased.

    It can be below 0 where the two are alike: the mean over rows is then 0.

    Raises:
        DataError: for fewer than two rows.
    """
    n_qubits, n_rows = bits.shape[1], len(bits)
    if n_rows < 2:
        raise DataError(f"bits has {n_rows} row, expected two or more to estimate a discrepancy without bias")
    q = walsh(np.bincount(outcomes_of(bits), minlength=1 << n_qubits) / n_rows)
    p, weights = walsh(probabilities), word_weights(n_qubits, width)
    return float(weights @ (p * p - 2 * p * q + (n_rows * q * q - 1) / (n_rows - 1)))


def sample_mmd(x: np.ndarray, y: np.ndarray, width: float) -> float:
    """The squared discrepancy of the distributions that two samples of bits were drawn from, unbiased.

    Shapes: x (N, n), y (M, n), both of two rows or more.
    """
    if min(len(x), len(y)) < 2:
        raise DataError(f"samples have {len(x)} and {len(y)} rows, expected two or more of each")
    return own_kernel(x, width) + own_kernel(y, width) - 2 * _mean_kernel(x, y, width)


def own_kernel(bits: np.ndarray, width: float) -> float:
    """The mean of the kernel over pairs of different rows, of two rows or more: without bias that of the distribution.

    Raises:
        DataError: for fewer than two rows.
    """
    n_rows = len(bits)
    if n_rows < 2:
        raise DataError(f"bits has {n_rows} row, expected two or more to estimate a discrepancy without bias")
    return (_mean_kernel(bits, bits, width) * n_rows - 1) / (n_rows - 1)


def _mean_kernel(x: np.ndarray, y: np.ndarray, width: float) -> float:
    scale, step = -0.5 / checked_width(width) ** 2, max(1, _BLOCK // len(y))
    values = np.exp(scale * np.arange(x.shape[1] + 1))
    sums = [values[_distances(x[k : k + step], y).astype(np.int32)].sum() for k in range(0, len(x), step)]
    return float(sum(sums) / (len(x) * len(y)))
