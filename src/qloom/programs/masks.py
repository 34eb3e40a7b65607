"""Masks of many words as one array: a row of 64-bit numbers each, bit q % 64 of number q // 64 for qubit q."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qloom import _native
from qloom.errors import CircuitError

MOST_QUBITS: int = _native.wide_qubits


def numbers_a_mask(n_qubits: int) -> int:
    """One 64-bit number for narrow registers, sixteen for wide ones."""
    if n_qubits > MOST_QUBITS:
        raise CircuitError(f"{n_qubits} qubits, expected at most {MOST_QUBITS} for a program")
    return (_native.narrow_qubits if n_qubits <= _native.narrow_qubits else MOST_QUBITS) // 64


def pack(masks: Iterable[int], n_qubits: int) -> np.ndarray:
    """Masks (R,) as an array (R, numbers_a_mask)."""
    size = 8 * numbers_a_mask(n_qubits)
    text = b"".join(mask.to_bytes(size, "little") for mask in masks)
    return np.frombuffer(text, "<u8").astype(np.uint64).reshape(-1, size // 8)


def unpack(masks: np.ndarray) -> list[int]:
    """Inverse of `pack`."""
    return [int.from_bytes(row.astype("<u8").tobytes(), "little") for row in masks]


def as_index_masks(masks: np.ndarray, n_qubits: int) -> np.ndarray:
    """Masks (R, 1) of a narrow register read backwards, (R,): qubit 0 is the most significant bit of an index."""
    out = np.zeros(len(masks), np.uint64)
    for qubit in range(n_qubits):
        out |= (masks[:, 0] >> np.uint64(qubit) & np.uint64(1)) << np.uint64(n_qubits - 1 - qubit)
    return out
