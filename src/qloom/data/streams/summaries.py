"""What is kept of a column while its rows pass by; two halves merged are the whole."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from qloom.data.column_statistics import CYCLES, SECONDS_A_DAY, DateStatistics, calendar
from qloom.data.streams.moments import Moments
from qloom.data.streams.quantiles import SIZE, QuantileSketch


@dataclass
class Range:
    """The ends of numbers; both infinite of none."""

    low: float = np.inf
    high: float = -np.inf

    def update(self, values: np.ndarray) -> None:
        """Take in values. Shapes: (B,), without NaN."""
        if len(values):
            self.merge(Range(float(values.min()), float(values.max())))

    def merge(self, other: Range) -> None:
        """Take in what another has taken in."""
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    @property
    def varies(self) -> bool:
        """Whether there are two values."""
        return self.high > self.low


class ValueCounts:
    """Counts of distinct numbers, as long as these are few."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.is_over = False
        self._counts: dict[float, int] = {}

    def update(self, values: np.ndarray) -> None:
        """Take in values. Shapes: float64 (B,), without NaN."""
        self.is_over = self.is_over or len(np.unique(values[:1_000])) > self.most
        if not self.is_over:
            found, counts = np.unique(values, return_counts=True)
            self._add(dict(zip(found.tolist(), counts.tolist(), strict=True)))

    def merge(self, other: ValueCounts) -> None:
        """Take in what another has taken in."""
        self.is_over |= other.is_over
        self._add(other._counts)

    def _add(self, counts: dict[float, int]) -> None:
        for value, count in counts.items():
            self._counts[value] = self._counts.get(value, 0) + count
        self.is_over |= len(self._counts) > self.most
        if self.is_over:
            self._counts = {}

    @property
    def n(self) -> int:
        """Distinct values, one more than the most where they are over."""
        return self.most + 1 if self.is_over else len(self._counts)

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """Values, rising, and how often each stands."""
        ranked = sorted(self._counts.items())
        return np.array([value for value, _ in ranked]), np.array([count for _, count in ranked], dtype=np.int64)


class NumberSummary:
    """Numbers of a stream, as `NumberStatistics` has them.

    Moments, ends, codes and missing cells are exact; quantiles, and what is computed from them, are within the
    sketch's error.

    Args:
        largest: a value of about the size of the largest.
        most_codes: distinct values that are counted.
        size: of the sketch.
    """

    def __init__(self, largest: float = 1.0, most_codes: int = 31, size: int = SIZE) -> None:
        self.n_missing = 0
        self._moments = Moments.about(largest)
        self._range = Range()
        self._values = ValueCounts(max(most_codes, 2))
        self.sketch = QuantileSketch(size)

    def update(self, values: np.ndarray) -> None:
        """Take in values. Shapes: float64 (B,) with NaN for missing."""
        missing = np.isnan(values)
        n_missing = int(np.count_nonzero(missing))
        present = values[~missing] if n_missing else values
        self.n_missing += n_missing
        self._moments.update(present)
        self._range.update(present)
        self._values.update(present)
        self.sketch.update(present)

    def merge(self, other: NumberSummary) -> None:
        """Take in what another has taken in."""
        self.n_missing += other.n_missing
        self._moments.merge(other._moments)
        self._range.merge(other._range)
        self._values.merge(other._values)
        self.sketch.merge(other.sketch)

    @property
    def n_present(self) -> int:
        return self._moments.n

    @property
    def low(self) -> float:
        return self._range.low if self.n_present else 0.0

    @property
    def high(self) -> float:
        return self._range.high if self.n_present else 0.0

    @property
    def mean(self) -> float:
        return self._moments.mean

    @property
    def scale(self) -> float:
        return self._moments.scale

    @property
    def skewness(self) -> float:
        return self._moments.skewness

    @property
    def has_inner(self) -> bool:
        return self._values.n > 2

    @property
    def median(self) -> float:
        return float(self.quantiles(np.array([0.5]))[0])

    def quantiles(self, levels: np.ndarray) -> np.ndarray:
        if not self.n_present:
            return np.zeros(len(levels))
        found = self.sketch.quantiles(levels)
        return np.where(levels <= 0, self.low, np.where(levels >= 1, self.high, found))

    def mapped(self, knots: tuple[float, ...], marks: tuple[float, ...]) -> tuple[float, float]:
        if not knots or not self.n_present:
            return self.mean, self.scale
        values, weights = self.sketch.items()
        moments, mapped = Moments(), np.interp(values, knots, marks)
        moments.center = float(np.average(mapped, weights=weights))
        moments.second, moments.n = float((weights * (mapped - moments.center) ** 2).sum()), int(weights.sum())
        return moments.mean, moments.scale

    def counts(self, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        return None if not self.n_present or self._values.n > most else self._values.counts()


@dataclass
class DateSummary:
    """Dates of a stream; `statistics` gives what their coding is made from."""

    n_missing: int = 0
    seconds: Range = field(default_factory=Range)
    sketch: QuantileSketch = field(default_factory=QuantileSketch)
    moments: Moments = field(default_factory=Moments)
    years: Moments = field(default_factory=Moments)
    cycles: dict[str, Range] = field(default_factory=lambda: {part: Range() for part in ("year", *CYCLES)})

    def update(self, times: np.ndarray) -> None:
        """Take in dates. Shapes: datetime64[s] (B,) with NaT for missing."""
        missing = np.isnat(times)
        present = times[~missing]
        self.n_missing += int(missing.sum())
        seconds = present.astype(np.int64).astype(np.float64)  # exact up to 285 million years
        self.seconds.update(seconds)
        self.sketch.update(seconds)
        self.moments.update(seconds)
        for part, ends in self.cycles.items():
            if part == "year" or not ends.varies:
                values = calendar(present, part)
                ends.update(values)
                if part == "year":
                    self.years.update(values)

    def merge(self, other: DateSummary) -> None:
        """Take in what another has taken in."""
        self.n_missing += other.n_missing
        self.seconds.merge(other.seconds)
        self.sketch.merge(other.sketch)
        self.moments.merge(other.moments)
        self.years.merge(other.years)
        for part, ends in self.cycles.items():
            ends.merge(other.cycles[part])

    @property
    def n_present(self) -> int:
        """Dates that are not missing."""
        return self.moments.n

    def statistics(self) -> DateStatistics:
        """What a coding is made from; 1970 where all are missing."""
        if not self.n_present:
            return DateStatistics(self.n_missing, 0, 0, 0, (), (0.0, 1.0), ())
        first = int(self.seconds.low)
        days = ((self.moments.mean - first) / SECONDS_A_DAY, self.moments.deviation / SECONDS_A_DAY or 1.0)
        year = (self.years.mean, self.years.deviation or 1.0)
        return DateStatistics(
            self.n_missing,
            first,
            int(self.seconds.high),
            int(self.sketch.quantiles(np.array([0.5]))[0]),
            tuple(cycle for cycle in CYCLES if self.cycles[cycle].varies),
            days,
            year if self.cycles["year"].varies else (),
        )
