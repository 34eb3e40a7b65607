"""Dates as features: days since the first, year, and the cycles of month, weekday and hour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from qloom.data.cells import dates
from qloom.data.column_statistics import CYCLES, DateStatistics, calendar, days_since


@dataclass(frozen=True)
class DateCoding:
    """The fitted coding of one date column.

    Attributes:
        name: the column.
        date_format: of dates held as text or whole numbers, as `read_dates` takes it.
        first, last: earliest and latest training date, seconds since 1970; days and year stop there, since
            what lies beyond is untrained.
        fill: median training date, taken for missing cells.
        has_missing: whether training had missing cells, which adds the feature "name missing".
        cycles: those of CYCLES that vary in training; two features each.
        days: mean and standard deviation of the days since the first.
        year: mean and standard deviation of the year; empty if it does not vary.
        clip: bound of the standardised days and year.
        has_words: whether training had words among the dates; such cells count as missing.
    """

    name: str
    date_format: str | None
    first: int
    last: int
    fill: int
    has_missing: bool
    cycles: tuple[str, ...]
    days: tuple[float, float]
    year: tuple[float, ...]
    clip: float
    has_words: bool = False

    @property
    def feature_names(self) -> list[str]:
        """Days, year, sine and cosine of each cycle, the missing indicator."""
        names = ["days", *(["year"] if self.year else [])]
        names += [f"{cycle} {wave}" for cycle in self.cycles for wave in ("sine", "cosine")]
        return [f"{self.name} {name}" for name in [*names, *(["missing"] if self.has_missing else [])]]

    @property
    def became(self) -> str:
        """What the column becomes, in words."""
        return ", ".join(["days", *(["year"] if self.year else []), *self.cycles])

    def read(self, cells: pa.ChunkedArray) -> np.ndarray:
        """Cells as datetime64[s] with NaT for missing."""
        return dates(cells, self.name, self.date_format, self.has_words)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Code dates.

        Shapes: values datetime64[s] (B,) with NaT for missing; out float32 (B, len(feature_names)), filled in
        place.
        """
        missing = np.isnat(values)
        filled = np.where(missing, np.int64(self.fill), values.astype(np.int64)).astype("datetime64[s]")
        inside = np.clip(filled.astype(np.int64), self.first, self.last).astype("datetime64[s]")
        features = [self._standardised(days_since(inside, self.first), self.days)]
        if self.year:
            features += _by_day(inside, lambda days: [self._standardised(calendar(days, "year"), self.year)])
        features += _by_day(filled, lambda days: _waves(days, [cycle for cycle in self.cycles if cycle != "hour"]))
        features += _waves(filled, [cycle for cycle in self.cycles if cycle == "hour"])
        for i, feature in enumerate([*features, missing] if self.has_missing else features):
            out[:, i] = feature

    def _standardised(self, values: np.ndarray, moments: tuple[float, ...]) -> np.ndarray:
        return np.clip((values - moments[0]) / moments[1], -self.clip, self.clip)


def _waves(times: np.ndarray, cycles: Sequence[str]) -> list[np.ndarray]:
    phases = (2 * np.pi * calendar(times, cycle) / CYCLES[cycle] for cycle in cycles)
    return [wave(phase) for phase in phases for wave in (np.sin, np.cos)]


def _by_day(times: np.ndarray, features: Callable[[np.ndarray], list[np.ndarray]]) -> list[np.ndarray]:
    """Features that are the same all day, computed once a day where there are fewer days than times."""
    days = times.astype("datetime64[D]").astype(np.int64)
    first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)
    if last - first >= len(days):
        return features(times)
    every = np.arange(first, last + 1).astype("datetime64[D]").astype("datetime64[s]")
    days -= first
    return [feature[days] for feature in features(every)]


def fit_date(name: str, statistics: DateStatistics, date_format: str | None, clip: float) -> DateCoding:
    """Fit the coding of a column to the statistics of its training dates."""
    return DateCoding(
        name,
        date_format,
        statistics.first,
        statistics.last,
        statistics.median,
        statistics.n_missing > 0,
        statistics.cycles,
        statistics.days,
        statistics.year,
        clip,
    )
