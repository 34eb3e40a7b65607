"""Times of a function, with the machine's rate around them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.benchmarking.limits import fma_rate


@dataclass(frozen=True)
class Timing:
    """Seconds of one call, over `repeats` of them; `fma_rate` is P, the mean of before and after."""

    median: float
    minimum: float
    spread: float  # between the quartiles, as a fraction of the median
    repeats: int
    fma_rate: float

    def fraction(self, multiply_adds: float) -> float:
        """Of P, reached by a call that needs this many multiply-adds."""
        return multiply_adds / self.median / self.fma_rate


def measure(
    function: Callable[[], Any], threads: int, seconds: float = 1.0, least: int = 5, most: int = 3000
) -> Timing:
    """Time a function for `seconds`, at least `least` and at most `most` calls, after a call or two to warm up."""
    if sum(_times(function, 0.0, 1, 1)) < 1.0:
        function()
    before = fma_rate(threads)
    times = _times(function, seconds, least, most)
    rate = (before + fma_rate(threads)) / 2
    low, median, high = np.quantile(times, (0.25, 0.5, 0.75))
    return Timing(float(median), min(times), float((high - low) / median), len(times), rate)


def _times(function: Callable[[], Any], seconds: float, least: int, most: int) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or (time.perf_counter() < end and len(times) < most):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times
