"""The mean of a few rounds with an interval that covers retraining and resplitting: the corrected resampled t."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
_MOST_MORE = 1000


class Interval(NamedTuple):
    """A 95% interval."""

    low: float
    high: float


class Estimate(NamedTuple):
    """What rounds say of a score or a difference.

    Attributes:
        mean: over the rounds; None where one of them has no value.
        deviation: standard deviation between rounds; None below two.
        low, high: 95% interval of what rounds without end would give on average; None below two.
    """

    mean: float | None
    deviation: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> list[float] | None:
        """Both ends, if there are any."""
        return None if self.low is None or self.high is None else [self.low, self.high]


def estimate(values: Sequence[float], test_ratio: float) -> Estimate:
    """Mean, deviation and interval of one value a round.

    Rounds share most of their training rows, so their scores are not independent, and the plain t interval is far too
    narrow. With J rounds the variance of the mean is taken as (1 / J + n_test / n_train) s^2, s^2 that between rounds.

    Args:
        values: one a round, J of them.
        test_ratio: n_test / n_train, rows of a round that were tested over those that were learnt from; of K folds
            1 / (K - 1).

    Source: Nadeau and Bengio 2003, Machine Learning 52, 239, section 3; for repeated folds Bouckaert and Frank 2004,
        PAKDD, 3. The interval is also the posterior one of the correlated Bayesian t-test (Benavoli, Corani, Demsar and
        Zaffalon 2017, JMLR 18(77), section 3).
    """
    if not len(values) or not np.isfinite(values).all():
        return Estimate(None)
    mean, n = float(np.mean(values)), len(values)
    if n == 1:
        return Estimate(mean)
    deviation = float(np.std(values, ddof=1))
    half = half_width(deviation, n, test_ratio)
    return Estimate(mean, deviation, mean - half, mean + half)


def half_width(deviation: float, n_rounds: int, test_ratio: float) -> float:
    """Half of the interval's width."""
    return quantile(n_rounds - 1) * math.sqrt(1 / n_rounds + test_ratio) * deviation


def quantile(freedom: float) -> float:
    """Of Student's t with so many degrees of freedom: 95% lie between minus it and it."""
    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def rounds_for(half: float, deviation: float, test_ratio: float) -> int | None:
    """The fewest rounds whose interval is no wider, if they scatter as before; None if no number is enough."""
    counts = range(2, _MOST_MORE + 1)
    return next((n for n in counts if half_width(deviation, n, test_ratio) < half), None)


def plain(value: Any) -> float | None:
    """A number as JSON has it: None for NaN and infinities."""
    return float(value) if value is not None and math.isfinite(value) else None
