"""What callers give, checked once where it enters; what does not fit is refused by name, in one line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qloom.errors import CircuitError, ProblemError

# Products of two are finite in double precision, single numbers in the single precision of some searches.
LARGEST = 1e30
_NORM_TOLERANCE = 1e-6


def is_integer(value: object) -> bool:
    """Whether it is one, of Python or numpy; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_real(value: object) -> bool:
    """Whether it is an integer or another real number, of Python or numpy."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


# -- of circuits and their training


def checked_count(name: str, value: Any, least: int = 1) -> int:
    """A number of qubits, features or layers: an integer of at least `least`."""
    if not is_integer(value) or value < least:
        raise CircuitError(f"{name}={value!r}, expected an integer of at least {least}")
    return int(value)


def checked_seed(seed: Any) -> int | None:
    """A seed: an integer of at least 0, or None for fresh entropy."""
    if seed is not None and (not is_integer(seed) or seed < 0):
        raise CircuitError(f"seed={seed!r}, expected an integer of at least 0, or None for fresh entropy")
    return None if seed is None else int(seed)


def as_tuple(name: str, qubits: Any) -> tuple[Any, ...]:
    """Qubits given as any sequence."""
    if not isinstance(qubits, Iterable):
        raise CircuitError(f"{name} got qubits {qubits!r}, expected a sequence of them such as (0, 1)")
    return tuple(qubits)


def checked_places(name: str, qubits: tuple[Any, ...], n_qubits: int) -> tuple[int, ...]:
    """Qubits of a register of n_qubits: different integers within it."""
    for qubit in qubits:
        if type(qubit) is not int and not is_integer(qubit):  # asked of every gate that is built
            raise CircuitError(f"{name} got qubit {qubit!r}, expected an integer; angles come first, qubits after")
        if not 0 <= qubit < n_qubits:
            raise CircuitError(f"{name} got qubit {qubit}, expected 0 to {n_qubits - 1}")
    if len(set(qubits)) != len(qubits):
        raise CircuitError(f"{name} got qubits {tuple(map(int, qubits))}, expected different ones")
    return tuple(map(int, qubits))


def checked_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an array of slots."""
    if not all(is_integer(size) and size >= 0 for size in shape):
        raise CircuitError(f"slot array of shape {shape}, expected integers of at least 0")
    return tuple(map(int, shape))


def check_norm(vector: np.ndarray) -> None:
    """Raise unless a state has norm 1."""
    norm = float(np.linalg.norm(vector))
    if not abs(norm - 1) < _NORM_TOLERANCE:
        raise CircuitError(
            f"state {np.round(vector[:4], 6).tolist()} has norm {norm:.6g}, expected 1; divide by its norm"
        )


# -- of problems and their solvers


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
        if not ((is_integer(number) and number >= least) or (or_none and number is None)):
            raise ProblemError(f"{name}={number!r}, expected an integer from {least}{', or None' * or_none}")


def positive(or_none: bool = False, **numbers: Any) -> None:
    """Refuse what is no number above 0; None only where it stands for a choice of our own.

    Raises:
        ProblemError: with the name of the number.
    """
    for name, number in numbers.items():
        if not ((is_real(number) and 0 < number < np.inf) or (or_none and number is None)):
            raise ProblemError(f"{name}={number!r}, expected a number above 0{', or None' * or_none}")


def duration(time_limit: Any) -> float:
    """A time to search, which may be infinite.

    Raises:
        ProblemError: for what is no number above 0.
    """
    if not is_real(time_limit) or not time_limit > 0:
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
