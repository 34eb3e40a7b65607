"""Intervals of a confidence from standard errors."""

from __future__ import annotations

from statistics import NormalDist

from qloom.errors import CircuitError


def normal_reach(confidence: float) -> float:
    """How many standard errors an interval of a confidence reaches to either side, 1.96 for 95%."""
    if not 0 < confidence < 1:
        raise CircuitError(f"confidence={confidence!r}, expected a number between 0 and 1 such as 0.95")
    return NormalDist().inv_cdf((1 + confidence) / 2)
