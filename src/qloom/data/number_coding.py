"""Numbers as network inputs: filled, squashed where uneven, standardised, one-hot where they are codes."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from qloom.data.cells import numbers, truths
from qloom.data.column_statistics import NumberStatistics

_LEVELS = np.linspace(0.0, 1.0, 101)
_FARTHEST = 3.0  # normal quantile given to the training minimum and maximum
_FARTHEST_OUT = 5.0  # standard deviations from the mean
_SKEWED = 0.75  # third standardised moment


@dataclass(frozen=True)
class NumberCoding:
    """The fitted coding of one number column.

    Attributes:
        name: the column.
        fill: the training median, taken for missing cells.
        has_missing: whether training had missing cells, which adds the feature "name missing".
        knots, marks: for heavy tails, training quantiles and the normal quantiles they are mapped to, linear
            in between; empty otherwise.
        mean, scale, clip: what comes out is (value - mean) / scale, bounded by +-clip.
        codes: whole numbers that have a feature "name=code" each, beside the number.
        boolean: whether cells may be words such as yes and no.
        number_format: how text spells numbers; None for plainly. Found in training, so that no row is read otherwise.
        has_words: whether training had words among the numbers; such cells count as missing.
    """

    name: str
    fill: float
    has_missing: bool
    knots: tuple[float, ...]
    marks: tuple[float, ...]
    mean: float
    scale: float
    clip: float
    codes: tuple[float, ...] = ()
    boolean: bool = False
    number_format: str | None = None
    has_words: bool = False

    @property
    def feature_names(self) -> list[str]:
        """The number, then one name a code, then the missing indicator."""
        codes = [f"{self.name}={code:g}" for code in self.codes]
        return [self.name, *codes, *([f"{self.name} missing"] if self.has_missing else [])]

    @property
    def became(self) -> str:
        """What the column becomes, in words."""
        spread = ", spread evenly" if self.knots else ""
        codes = f", {len(self.codes)} codes" if self.codes else ""
        return f"a number{spread}{codes}" + (", missing or not" if self.has_missing else "")

    def read(self, cells: pa.ChunkedArray) -> np.ndarray:
        """Cells as float64 with NaN for missing."""
        if self.boolean:
            return truths(cells, self.name)
        return numbers(cells, self.name, self.number_format, self.has_words)

    def write(self, values: np.ndarray, out: np.ndarray) -> None:
        """Code values.

        Shapes: values float64 (B,) with NaN for missing; out float32 (B, len(feature_names)), filled in
        place.
        """
        missing = np.isnan(values)
        spread = _squash(np.where(missing, self.fill, values), self.knots, self.marks)
        out[:, 0] = np.clip((spread - self.mean) / self.scale, -self.clip, self.clip)
        if self.codes:
            self._write_codes(values, out[:, 1 : 1 + len(self.codes)])
        if self.has_missing:
            out[:, -1] = missing

    def _write_codes(self, values: np.ndarray, out: np.ndarray) -> None:
        """One-hot codes; these are rising."""
        codes = np.array(self.codes)
        places = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
        places[codes[places] != values] = len(codes)
        out[:] = np.eye(len(codes) + 1, len(codes), dtype=np.float32)[places]


def fit_number(
    name: str, statistics: NumberStatistics, clip: float, codes: tuple[float, ...] = (), boolean: bool = False
) -> NumberCoding:
    """Fit the coding of a column to the statistics of its training values.

    A column of more than two values is squashed if one lies over 5 standard deviations from the mean or the
    skewness is over 0.75: its quantiles are mapped to those of the normal distribution, so that amounts over
    many orders of magnitude spread evenly.
    """
    knots, marks = _fit_quantiles(statistics) if _is_uneven(statistics) else ((), ())
    mean, scale = statistics.mapped(knots, marks)
    return NumberCoding(
        name, statistics.median, statistics.n_missing > 0, knots, marks, mean, scale, clip, codes, boolean
    )


def find_codes(statistics: NumberStatistics, most: int, min_rows: int, min_share: float) -> tuple[float, ...]:
    """The frequent values, if the distinct ones are 3 to `most` whole numbers, `min_rows` rows each on average.

    Args:
        min_share: of the rows, from which on a value is frequent.
    """
    counted = statistics.counts(most)
    if counted is None:
        return ()
    values, counts = counted
    if len(values) < 3 or statistics.n_present < min_rows * len(values) or not (values == np.round(values)).all():
        return ()
    enough = min_share * (statistics.n_present + statistics.n_missing)
    return tuple(float(value) for value, count in zip(values, counts, strict=True) if count >= enough)


def _is_uneven(statistics: NumberStatistics) -> bool:
    """Whether more than two values lie so unevenly that a linear scale would crowd most of them together."""
    mean, scale = statistics.mean, statistics.scale
    farthest = max(abs((statistics.low - mean) / scale), abs((statistics.high - mean) / scale))
    return (farthest > _FARTHEST_OUT or abs(statistics.skewness) > _SKEWED) and statistics.has_inner


def _fit_quantiles(statistics: NumberStatistics) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Distinct training quantiles and their normal quantiles; a value at several levels takes the middle."""
    quantiles = statistics.quantiles(_LEVELS)
    knots = np.unique(quantiles)
    first = np.searchsorted(quantiles, knots, side="left")
    last = np.searchsorted(quantiles, knots, side="right") - 1
    normal = NormalDist()
    low = normal.cdf(-_FARTHEST)
    middle = np.clip((_LEVELS[first] + _LEVELS[last]) / 2, low, 1 - low)
    return tuple(knots.tolist()), tuple(normal.inv_cdf(level) for level in middle.tolist())


def _squash(values: np.ndarray, knots: tuple[float, ...], marks: tuple[float, ...]) -> np.ndarray:
    return np.interp(values, knots, marks) if knots else values
