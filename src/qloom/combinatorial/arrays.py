"""What enters: numbers that are real and finite, integers, seeds and types; all else is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.errors import ProblemError

# Products of two are finite in double precision, single numbers in the single precision of some searches.
LARGEST = 1e30


def finite(name: str, numbers: Any) -> np.ndarray:
    """As float64.

    Raises:
        ProblemError: for what is no real number, NaN, infinity, or too large to calculate with.
    """
    try:
        out = np.asarray(numbers, dtype=np.float64)
    except (TypeError, ValueError):
        raise ProblemError(f"{name} is {type(numbers).__name__}, expected real numbers") from None
    if not np.isfinite(out).all():
        raise ProblemError(f"{name} holds NaN or infinity, expected finite numbers")
    if np.abs(out).max(initial=0.0) > LARGEST:
        raise ProblemError(f"{name} holds numbers above {LARGEST:g} in size, expected smaller ones; use other units")
    return out


def whole(least: int, or_none: bool = False, **numbers: Any) -> None:
    """Refuse what is no integer from `least` on; None only where it stands for a choice of our own.

    Raises:
        ProblemError: with the name of the number.
    """
    for name, number in numbers.items():
        integer = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not ((integer and number >= least) or (or_none and number is None)):
            raise ProblemError(f"{name}={number!r}, expected an integer from {least}{', or None' * or_none}")


def positive(or_none: bool = False, **numbers: Any) -> None:
    """Refuse what is no number above 0; None only where it stands for a choice of our own.

    Raises:
        ProblemError: with the name of the number.
    """
    for name, number in numbers.items():
        real = isinstance(number, int | float | np.number) and not isinstance(number, bool)
        if not ((real and 0 < number < np.inf) or (or_none and number is None)):
            raise ProblemError(f"{name}={number!r}, expected a number above 0{', or None' * or_none}")


def duration(time_limit: Any) -> float:
    """A time to search, which may be infinite.

    Raises:
        ProblemError: for what is no number above 0.
    """
    if not isinstance(time_limit, int | float | np.number) or not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit!r}, expected seconds above 0")
    return float(time_limit)


def generator(seed: Any) -> np.random.Generator:
    """Of a seed; None for fresh entropy.

    Raises:
        ProblemError: for what is no integer from 0.
    """
    whole(0, or_none=True, seed=seed)
    return np.random.default_rng(seed)


def float_type(dtype: Any) -> np.dtype[Any]:
    """Of a simulation.

    Raises:
        ProblemError: for other types than float64 and float32.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in (np.float32, np.float64):
        raise ProblemError(f"dtype={dtype!r}, expected float64 or float32")
    return found
