"""Dates as features: days since the first, year, and the cycles of month, weekday and hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from qloom.data.cells import dates

_SECONDS_A_DAY = 86_400.0
CYCLES = {"month": 12.0, "weekday": 7.0, "hour": 24.0}


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
        features = [self._standardised(_days(inside, self.first), self.days)]
        if self.year:
            features.append(self._standardised(_calendar(inside, "year"), self.year))
        for cycle in self.cycles:
            phase = 2 * np.pi * _calendar(filled, cycle) / CYCLES[cycle]
            features += [np.sin(phase), np.cos(phase)]
        for i, feature in enumerate([*features, missing] if self.has_missing else features):
            out[:, i] = feature

    def _standardised(self, values: np.ndarray, moments: tuple[float, ...]) -> np.ndarray:
        return np.clip((values - moments[0]) / moments[1], -self.clip, self.clip)


def fit_date(name: str, values: np.ndarray, date_format: str | None, clip: float) -> DateCoding:
    """Fit the coding of a column to its training dates (datetime64[s], NaT for missing)."""
    present = values[~np.isnat(values)]
    present = present if len(present) else np.zeros(1, dtype="datetime64[s]")
    seconds = present.astype(np.int64)
    first = int(seconds.min())
    years = _calendar(present, "year")
    return DateCoding(
        name,
        date_format,
        first,
        int(seconds.max()),
        int(np.median(seconds)),
        len(present) < len(values),
        tuple(cycle for cycle in CYCLES if np.ptp(_calendar(present, cycle)) > 0),
        _moments(_days(present, first)),
        _moments(years) if np.ptp(years) > 0 else (),
        clip,
    )


def _moments(values: np.ndarray) -> tuple[float, float]:
    return float(values.mean()), float(values.std()) or 1.0


def _days(times: np.ndarray, first: int) -> np.ndarray:
    return np.asarray((times.astype(np.int64) - first) / _SECONDS_A_DAY)


def _calendar(times: np.ndarray, part: str) -> np.ndarray:
    """Year, month 0..11, weekday 0..6 from Monday, or hour with its fraction."""
    days = times.astype("datetime64[D]")
    if part == "year":
        return days.astype("datetime64[Y]").astype(np.float64) + 1970
    if part == "month":
        return (days.astype("datetime64[M]").astype(np.int64) % 12).astype(np.float64)
    if part == "weekday":
        return ((days.astype(np.int64) + 3) % 7).astype(np.float64)
    return np.asarray((times - days).astype(np.float64) / 3600.0)
