"""The cells of a column as a few values, bins of numbers or levels, and cells drawn for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import RARE, category_words
from qloom.data.cells import dates, numbers

# Observed numbers that are kept of a bin.
_KNOTS = 32
_MOST_DECIMALS = 9
# Seconds that dates may be whole multiples of.
_UNITS = (86_400, 3_600, 60, 1)


@dataclass(frozen=True)
class NumberCells:
    """Numbers, or dates as whole units of time since 1970, in bins of about as many training rows each.

    A number belongs to the last bin that begins at or below it. Of each bin a few quantiles are kept. Where numbers
    repeat (at most half of the present cells are distinct) one of these observed numbers is drawn; where they do not, a
    number between two that are neighbours, so that none comes back as it was. Numbers are rounded as training had them.

    Attributes:
        starts: where the bins after the first begin, (K - 1,).
        knots: observed numbers of each bin, in rising order; K of them.
        between: whether numbers are drawn between the knots.
        decimals: digits after the point; None for as many as there are.
        type: of the cells that come back, as Arrow names it.
        unit: seconds in a unit of time; 0 for numbers.
        written: how text spells the cells, as `Column` has it.
        has_words: whether training had words among the cells; such cells count as missing.
    """

    starts: tuple[float, ...]
    knots: tuple[tuple[float, ...], ...]
    between: bool
    decimals: int | None
    type: str
    unit: int = 0
    written: str | None = None
    has_words: bool = False

    def __len__(self) -> int:
        return len(self.knots)

    def values(self, cells: pa.ChunkedArray, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The bin of each plain cell, and which are missing. Shapes: (N,) -> int64 (N,), bool (N,)."""
        read = read_numbers(cells, name, self.unit, self.written, self.has_words)
        missing = np.isnan(read)
        return np.searchsorted(self.starts, np.where(missing, 0, read), side="right"), missing

    def draw(self, values: np.ndarray, random: np.random.Generator) -> pa.Array:
        """Cells for bins. Shapes: int64 (N,) -> (N,)."""
        drawn, chances = np.empty(len(values)), random.random(len(values))
        for k, knots in enumerate(self.knots):
            rows = values == k
            places = chances[rows] * (len(knots) - self.between)
            at = np.array(knots)
            drawn[rows] = np.interp(places, np.arange(len(at)), at) if self.between else at[places.astype(int)]
        if self.decimals is not None:
            drawn = np.round(drawn, self.decimals)
        if self.unit:
            return pa.array((drawn * self.unit).astype("datetime64[s]")).cast(pa.type_for_alias(self.type))
        return pa.array(drawn).cast(pa.type_for_alias(self.type))


def read_numbers(cells: pa.ChunkedArray, name: str, unit: int, written: str | None, words: bool) -> np.ndarray:
    """Plain cells as float64 with NaN for missing: numbers, or dates in units of so many seconds if `unit` is not 0."""
    if not unit:
        return numbers(cells, name, written, words)
    found = dates(cells, name, written, words)
    return np.where(np.isnat(found), np.nan, found.astype(np.int64) / unit)


def fit_numbers(
    cells: pa.ChunkedArray, name: str, bins: int, is_date: bool, written: str | None, words: bool
) -> tuple[NumberCells, list[int]]:
    """The bins of a plain column of at least one present cell, and how many cells each has.

    At most `bins` distinct numbers are a bin each. Else a number belongs to a bin by the share of cells below it, so
    that cells of one number stay together and frequent ones have a bin for themselves.
    """
    unit = _unit(dates(cells, name, written, words)) if is_date else 0
    read = read_numbers(cells, name, unit, written, words)
    present = np.sort(read[~np.isnan(read)])
    distinct, counts = np.unique(present, return_counts=True)
    bin_of = np.arange(len(distinct))
    if len(distinct) > bins:
        below = (np.cumsum(counts) - counts / 2) / len(present)
        bin_of = np.unique((below * bins).astype(int), return_inverse=True)[1]
    starts = distinct[np.flatnonzero(np.diff(bin_of, prepend=-1))]
    sizes = np.bincount(bin_of, counts).astype(int)
    between = 2 * len(distinct) > len(present) and len(distinct) > bins
    parts = np.split(present, np.cumsum(sizes)[:-1])
    decimals = 0 if is_date else _decimals(distinct)
    fitted = NumberCells(
        tuple(starts[1:].tolist()), tuple(_knots(part, between) for part in parts), between, decimals,
        _type(cells.type, unit, decimals), unit, written, words,
    )  # fmt: skip
    return fitted, sizes.tolist()


def _knots(part: np.ndarray, between: bool) -> tuple[float, ...]:
    """Quantiles of a bin: both ends and evenly between, or observed numbers by their share."""
    if part[0] == part[-1]:
        return (float(part[0]),)
    if between:
        return tuple(np.quantile(part, np.linspace(0, 1, _KNOTS + 1)).tolist())
    return tuple(np.quantile(part, (np.arange(_KNOTS) + 0.5) / _KNOTS, method="inverted_cdf").tolist())


def _decimals(distinct: np.ndarray) -> int | None:
    return next((d for d in range(_MOST_DECIMALS + 1) if np.array_equal(np.round(distinct, d), distinct)), None)


def _unit(found: np.ndarray) -> int:
    seconds = found[~np.isnat(found)].astype(np.int64)
    return next(unit for unit in _UNITS if not (seconds % unit).any())


def _type(kind: pa.DataType, unit: int, decimals: int | None) -> str:
    if unit:
        return "date32[day]" if unit == _UNITS[0] else "timestamp[s]"
    whole = pa.types.is_integer(kind) or (decimals == 0 and not pa.types.is_floating(kind))
    return "int64" if whole else str(kind) if pa.types.is_floating(kind) else "double"


@dataclass(frozen=True)
class LevelCells:
    """Levels of a category, the most frequent first; those that are rare are one value together.

    Where that value is drawn, one of the rare levels comes back by its training frequency; none that fewer rows had
    than is asked for, and "(rare)" if there are no others.

    Attributes:
        levels: with a value of their own.
        has_rare: whether training had others.
        rare, shares: the others that come back, and how often training had them.
        type: of the cells that come back, as Arrow names it.
    """

    levels: tuple[str, ...]
    has_rare: bool
    rare: tuple[str, ...]
    shares: tuple[int, ...]
    type: str

    def __len__(self) -> int:
        return len(self.levels) + self.has_rare

    def values(self, cells: pa.ChunkedArray, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The value of each plain cell, -1 for a level that training did not have, and which are missing.

        Shapes: (N,) -> int64 (N,), bool (N,).
        """
        words = category_words(cells)
        found = pc.index_in(words, value_set=pa.array(self.levels, pa.string()))
        other = len(self.levels) if self.has_rare else -1
        return pc.fill_null(found, other).to_numpy().astype(np.int64), np.asarray(pc.is_null(words).to_numpy())

    def draw(self, values: np.ndarray, random: np.random.Generator) -> pa.Array:
        """Cells for values. Shapes: int64 (N,) -> (N,)."""
        words = np.array([*self.levels, *(self.rare or (RARE,))], object)
        places, chances = values.copy(), random.random(len(values))
        if self.rare:
            rows = values == len(self.levels)
            ends = np.cumsum(self.shares)
            places[rows] += np.searchsorted(ends, chances[rows] * ends[-1], side="right")
        return pa.array(words[places], pa.string()).cast(pa.type_for_alias(self.type))


def fit_levels(cells: pa.ChunkedArray, most: int, min_rows: int) -> tuple[LevelCells, list[int]]:
    """The levels of a plain column, and how many cells each value has.

    Args:
        most: values at most, the rare levels together being one.
        min_rows: a level of fewer rows is rare and does not come back.
    """
    counts = pc.value_counts(category_words(cells).drop_null()).to_pylist()
    ranked = sorted(((str(c["values"]), c["counts"]) for c in counts), key=lambda entry: (-entry[1], entry[0]))
    n_enough = sum(count >= min_rows for _, count in ranked)
    n_own = n_enough if n_enough == len(ranked) <= most else min(n_enough, most - 1)
    rare = ranked[n_own:]
    back = [(level, count) for level, count in rare if count >= min_rows]
    kind = _level_type(cells.type) if back or not rare else "string"
    levels = tuple(level for level, _ in ranked[:n_own])
    fitted = LevelCells(levels, bool(rare), tuple(b[0] for b in back), tuple(b[1] for b in back), kind)
    sizes = [count for _, count in ranked[:n_own]]
    return fitted, sizes + [sum(count for _, count in rare)] * bool(rare)


def _level_type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return str(kind)
    return "double" if pa.types.is_floating(kind) else "int64" if pa.types.is_integer(kind) else "string"
