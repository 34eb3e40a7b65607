"""What a circuit is given, checked once where it enters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qloom.errors import CircuitError

_NORM_TOLERANCE = 1e-6
_INTEGERS = (int, np.integer)


def as_tuple(name: str, qubits: Any) -> tuple[Any, ...]:
    """Qubits given as any sequence."""
    if not isinstance(qubits, Iterable):
        raise CircuitError(f"{name} got qubits {qubits!r}, expected a sequence of them such as (0, 1)")
    return tuple(qubits)


def checked_places(name: str, qubits: tuple[Any, ...], n_qubits: int) -> tuple[int, ...]:
    """Qubits of a register of n_qubits: different integers within it."""
    for qubit in qubits:
        if not isinstance(qubit, _INTEGERS) or isinstance(qubit, bool):
            raise CircuitError(f"{name} got qubit {qubit!r}, expected an integer; angles come first, qubits after")
        if not 0 <= qubit < n_qubits:
            raise CircuitError(f"{name} got qubit {qubit}, expected 0 to {n_qubits - 1}")
    if len(set(qubits)) != len(qubits):
        raise CircuitError(f"{name} got qubits {tuple(map(int, qubits))}, expected different ones")
    return tuple(map(int, qubits))


def checked_count(name: str, value: Any, least: int = 1) -> int:
    """A number of qubits, features or layers: an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, _INTEGERS) or value < least:
        raise CircuitError(f"{name}={value!r}, expected an integer of at least {least}")
    return int(value)


def checked_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an array of slots."""
    if not all(isinstance(size, _INTEGERS) and size >= 0 for size in shape):
        raise CircuitError(f"slot array of shape {shape}, expected integers of at least 0")
    return tuple(int(size) for size in shape)


def check_norm(vector: np.ndarray) -> None:
    """Raise unless a state has norm 1."""
    norm = float(np.linalg.norm(vector))
    if not abs(norm - 1) < _NORM_TOLERANCE:
        raise CircuitError(
            f"state {np.round(vector[:4], 6).tolist()} has norm {norm:.6g}, expected 1; divide by its norm"
        )
