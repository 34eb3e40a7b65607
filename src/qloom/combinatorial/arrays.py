"""Numbers that enter: real and finite, or refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.errors import ProblemError


def finite(name: str, numbers: Any) -> np.ndarray:
    """As float64.

    Raises:
        ProblemError: for what is no real number, NaN or infinity.
    """
    try:
        out = np.asarray(numbers, dtype=np.float64)
    except (TypeError, ValueError):
        raise ProblemError(f"{name} is {type(numbers).__name__}, expected real numbers") from None
    if not np.isfinite(out).all():
        raise ProblemError(f"{name} holds NaN or infinity, expected finite numbers")
    return out
