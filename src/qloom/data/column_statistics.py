"""What a column's coding is made from: counts, moments and quantiles, of cells held in memory or of a stream's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

CYCLES = {"month": 12.0, "weekday": 7.0, "hour": 24.0}
SECONDS_A_DAY = 86_400.0


class NumberStatistics(Protocol):
    """Numbers of one column; one 0 where all are missing.

    Attributes:
        n_present, n_missing: cells.
        low, high: the ends.
        mean, scale: with the standard deviation; 1 for a constant.
        skewness: third standardised moment.
        has_inner: whether a value is neither the lowest nor the highest.
    """

    @property
    def n_present(self) -> int: ...
    @property
    def n_missing(self) -> int: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def mean(self) -> float: ...
    @property
    def scale(self) -> float: ...
    @property
    def skewness(self) -> float: ...
    @property
    def has_inner(self) -> bool: ...
    @property
    def median(self) -> float: ...

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        """Values at levels from 0 to 1, (L,)."""

    def mapped(self, knots: tuple[float, ...], marks: tuple[float, ...]) -> tuple[float, float]:
        """Mean and scale of the values after a map that is linear between knots; no knots for no map."""

    def counts(self, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        """The distinct values, rising, and how often each stands; None where there are more than `most`."""


class HeldNumbers:
    """Statistics of numbers in memory. Shapes: values float64 (B,) with NaN for missing."""

    def __init__(self, values: np.ndarray) -> None:
        present = values[~np.isnan(values)]
        self.n_present, self.n_missing = len(present), len(values) - len(present)
        self._values = present if len(present) else np.zeros(1)

    @cached_property
    def low(self) -> float:
        return float(self._values.min())

    @cached_property
    def high(self) -> float:
        return float(self._values.max())

    @cached_property
    def _moments(self) -> tuple[float, float]:
        return mean_and_scale(self._values)

    @property
    def mean(self) -> float:
        return self._moments[0]

    @property
    def scale(self) -> float:
        return self._moments[1]

    @property
    def skewness(self) -> float:
        return float((((self._values - self.mean) / self.scale) ** 3).mean())

    @property
    def has_inner(self) -> bool:
        return bool(((self._values != self.low) & (self._values != self.high)).any())

    @property
    def median(self) -> float:
        return float(np.median(self._values))

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        return np.asarray(np.quantile(self._values, levels))

    def mapped(self, knots: tuple[float, ...], marks: tuple[float, ...]) -> tuple[float, float]:
        return mean_and_scale(np.interp(self._values, knots, marks)) if knots else self._moments

    def counts(self, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        if not self.n_present or len(np.unique(self._values[:10_000])) > most:
            return None
        values, counts = np.unique(self._values, return_counts=True)
        return (values, counts) if len(values) <= most else None


def mean_and_scale(present: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, 1 for a constant; computed on a scale where no square overflows."""
    largest = float(np.abs(present).max()) or 1.0
    scaled = present / largest
    mean, scale = float(scaled.mean()) * largest, float(scaled.std()) * largest
    return mean, or_one(mean, scale)


def or_one(mean: float, scale: float) -> float:
    """The scale, or 1 where it is nothing beside the mean."""
    return scale if scale > 1e-12 * abs(mean) and scale > 0 else 1.0


@dataclass(frozen=True)
class LevelStatistics:
    """The levels of a category, the most frequent first, then by name.

    Attributes:
        levels, counts: as many of both.
        n_missing: cells without one.
        n_rows: cells; more than the counts and the missing where rare levels are not held.
    """

    levels: tuple[str, ...]
    counts: tuple[int, ...]
    n_missing: int
    n_rows: int


def held_levels(words: pa.ChunkedArray) -> LevelStatistics:
    """Statistics of text in memory."""
    counts = pc.value_counts(words.drop_null()).to_pylist()
    return ranked_levels({entry["values"]: entry["counts"] for entry in counts}, words.null_count, len(words))


def ranked_levels(counts: dict[str, int], n_missing: int, n_rows: int) -> LevelStatistics:
    """Statistics of counted levels."""
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return LevelStatistics(
        tuple(str(level) for level, _ in ranked), tuple(count for _, count in ranked), n_missing, n_rows
    )


@dataclass(frozen=True)
class DateStatistics:
    """Dates of one column; 1970 once where all are missing.

    Attributes:
        n_missing: cells.
        first, last, median: seconds since 1970.
        cycles: those of CYCLES that vary.
        days: mean and standard deviation of the days since the first.
        year: mean and standard deviation of the year; empty if it does not vary.
    """

    n_missing: int
    first: int
    last: int
    median: int
    cycles: tuple[str, ...]
    days: tuple[float, float]
    year: tuple[float, ...]


def held_dates(values: np.ndarray) -> DateStatistics:
    """Statistics of dates in memory. Shapes: datetime64[s] (B,) with NaT for missing."""
    present = values[~np.isnat(values)]
    n_missing = len(values) - len(present)
    present = present if len(present) else np.zeros(1, dtype="datetime64[s]")
    seconds = present.astype(np.int64)
    first, years = int(seconds.min()), calendar(present, "year")
    return DateStatistics(
        n_missing,
        first,
        int(seconds.max()),
        int(np.median(seconds)),
        tuple(cycle for cycle in CYCLES if np.ptp(calendar(present, cycle)) > 0),
        _moments(days_since(present, first)),
        _moments(years) if np.ptp(years) > 0 else (),
    )


def _moments(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std()) or 1.0


def days_since(times: np.ndarray, first: int) -> np.ndarray:
    """Days of dates since a second. Shapes: datetime64[s] (B,) -> float64 (B,)."""
    return np.asarray((times.astype(np.int64) - first) / SECONDS_A_DAY)


def calendar(times: np.ndarray, part: str) -> np.ndarray:
    """Year, month 0..11, weekday 0..6 from Monday, or hour with its fraction."""
    days = times.astype("datetime64[D]")
    if part == "year":
        return days.astype("datetime64[Y]").astype(np.float64) + 1970
    if part == "month":
        return (days.astype("datetime64[M]").astype(np.int64) % 12).astype(np.float64)
    if part == "weekday":
        return ((days.astype(np.int64) + 3) % 7).astype(np.float64)
    return np.asarray((times - days).astype(np.float64) / 3600.0)
