"""Mean, variance and skewness of more values than are held, from those of parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qloom.data.column_statistics import or_one


@dataclass
class Moments:
    """Count, mean, and sums of second and third powers about the mean, merged part by part.

    Values are counted in a unit, a power of two, so that no square overflows.

    Source: Pebay 2008, Sandia report SAND2008-6212, eqs. (1.1) to (2.1).
    """

    unit: float = 1.0
    n: int = 0
    center: float = 0.0
    second: float = 0.0
    third: float = 0.0

    @classmethod
    def about(cls, largest: float) -> Moments:
        """None yet of values of about this size."""
        is_plain = 1e-40 < largest < 1e40 or not largest
        return cls(1.0 if is_plain else float(2.0 ** np.round(np.log2(largest))))

    def update(self, values: np.ndarray) -> None:
        """Take in values. Shapes: float64 (B,), without NaN."""
        if not len(values):
            return
        scaled = values / self.unit if self.unit != 1 else values
        center = float(scaled.mean())
        apart = scaled - center
        squares = apart * apart
        second = float(squares.sum())
        squares *= apart
        self.merge(Moments(self.unit, len(values), center, second, float(squares.sum())))

    def merge(self, other: Moments) -> None:
        """Take in what another of the same unit has taken in."""
        if not other.n:
            return
        n, apart = self.n + other.n, other.center - self.center
        share = other.n / n
        self.third += other.third + apart**3 * self.n * share * (self.n - other.n) / n
        self.third += 3 * apart * (self.n * other.second - other.n * self.second) / n
        self.second += other.second + apart**2 * self.n * share
        self.center += apart * share
        self.n = n

    @property
    def mean(self) -> float:
        """0 of no values."""
        return self.center * self.unit

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        return float(np.sqrt(self.second / self.n)) * self.unit if self.n else 0.0

    @property
    def scale(self) -> float:
        """The standard deviation, or 1 for a constant."""
        return or_one(self.mean, self.deviation)

    @property
    def skewness(self) -> float:
        """The third standardised moment."""
        return self.third / self.n / (self.scale / self.unit) ** 3 if self.n else 0.0
