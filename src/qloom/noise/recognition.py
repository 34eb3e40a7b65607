"""Channels of Kraus operators as the simplest that does the same: depolarizing, Pauli, a unitary, or as they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import product

import numpy as np

from qloom.circuits import matrices as m
from qloom.circuits.circuit import Circuit

# Entries of transfer matrices up to here are rounding.
SMALL = 1e-10
PAULIS = (m.I2, m.X, m.Y, m.Z)


def recognized(operators: Sequence[np.ndarray]) -> Circuit:
    """A circuit that does what Kraus operators do, (2^k, 2^k) each, the first qubit the most significant bit.

    Simple channels are shorter to read, faster to run, and have rates that can be scaled and fitted.
    """
    kraus = [np.asarray(operator, complex) for operator in operators]
    kraus = [operator for operator in kraus if np.abs(operator).max() > SMALL]
    width = len(kraus[0]).bit_length() - 1
    qubits, circuit = tuple(range(width)), Circuit(width)
    if len(kraus) == 1:
        phase = np.trace(kraus[0]) / len(kraus[0])
        is_identity = abs(abs(phase) - 1) < SMALL and np.abs(kraus[0] - phase * np.eye(len(kraus[0]))).max() < SMALL
        return circuit if is_identity else circuit.unitary(kraus[0], qubits)
    rates = pauli_rates(kraus)
    if rates is None or (width > 2 and np.ptp(rates[1:]) > SMALL):
        return circuit.kraus(kraus, qubits)
    if rates[0] > 1 - SMALL:
        return circuit
    if np.ptp(rates[1:]) < SMALL:
        return circuit.depolarizing(min(1.0, float(rates[1:].sum())), *qubits)
    chosen = tuple(map(float, rates[1:]))
    return circuit.pauli_channel(chosen, 0) if width == 1 else circuit.pauli_channel(chosen, qubits)


def pauli_rates(kraus: Sequence[np.ndarray]) -> np.ndarray | None:
    """Probabilities (4^k,) of the words of a Pauli channel, I first; None for another channel."""
    words = _words(len(kraus[0]).bit_length() - 1)
    size = len(kraus[0])
    images = [sum(operator @ word @ operator.conj().T for operator in kraus) for word in words]
    transfer = np.array([[np.trace(row @ image).real / size for image in images] for row in words])
    if np.abs(transfer - np.diag(np.diag(transfer))).max() > SMALL:
        return None
    signs = np.array([[1 if np.abs(a @ b - b @ a).max() < SMALL else -1 for b in words] for a in words])
    rates = signs @ np.diag(transfer) / size**2
    return np.where(np.abs(rates) < SMALL / 100, 0, np.maximum(rates, 0))


def _words(width: int) -> list[np.ndarray]:
    """All Pauli words of so many letters, in the order I X Y Z, the first letter the most significant."""
    return [reduce(np.kron, letters, np.eye(1)) for letters in product(PAULIS, repeat=width)]


def reversed_qubits(operator: np.ndarray) -> np.ndarray:
    """A matrix on qubits in the other order, for packages whose first qubit is the least significant bit."""
    width = len(operator).bit_length() - 1
    axes = tuple(range(width))[::-1]
    cube = np.asarray(operator, complex).reshape((2,) * (2 * width))
    return cube.transpose(*axes, *(width + a for a in axes)).reshape(operator.shape)


def read_errors(operators: Sequence[np.ndarray]) -> tuple[float, float]:
    """What a channel on one qubit in front of a measurement is as a readout error: 1 for 0, and 0 for 1."""
    return tuple(float(sum(abs(operator[1 - bit, bit]) ** 2 for operator in operators)) for bit in (0, 1))  # type: ignore[return-value]
