"""Points with intervals on one shared scale, as percentages of the width they are drawn in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """The range that is drawn, with a margin of 4% at both ends."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Percentage of the width at which a value stands."""
        return round(4 + 92 * (value - self.low) / (self.high - self.low), 2)


@dataclass(frozen=True)
class Whisker:
    """A point and the ends of its interval, in percent of the width."""

    low: float
    middle: float
    high: float


def scale_of(values: Iterable[float]) -> Scale:
    """A scale that holds all finite values."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    return Scale(low, high) if high > low else Scale(low - 0.5, high + 0.5)


def whisker(scale: Scale, middle: float, interval: Sequence[float] | None) -> Whisker | None:
    """The whisker of a value, without an interval a mere point; None if a number is not finite."""
    low, high = interval or (middle, middle)
    if not all(map(math.isfinite, (low, middle, high))):
        return None
    return Whisker(scale.place(low), scale.place(middle), scale.place(high))
