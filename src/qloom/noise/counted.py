"""Counts of circuits as arrays, those of independent qubits apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qloom.checks import is_real
from qloom.circuits.circuit import Circuit
from qloom.circuits.composition import connected_qubits
from qloom.errors import CircuitError


@dataclass(frozen=True)
class Part:
    """A circuit of qubits that gates connect, and how often each of its outcomes was measured, (2^k,)."""

    circuit: Circuit
    counts: np.ndarray


def count_parts(circuits: Sequence[Circuit], counts: Sequence[Mapping[str, int]]) -> list[Part]:
    """Circuits and their counts, apart where qubits are; alike ones are counted together.

    Raises:
        CircuitError: for another number of counts than of circuits, or strings of other lengths.
    """
    if len(circuits) != len(counts) or not circuits:
        raise CircuitError(f"{len(circuits)} circuits and {len(counts)} counts, expected as many, at least one")
    found: dict[Circuit, np.ndarray] = {}
    for circuit, table in zip(circuits, counts, strict=True):
        bits, shots = _rows(circuit, table)
        for qubits, part in zip(connected_qubits(circuit), circuit.components(), strict=True):
            places = bits[:, qubits] @ (1 << np.arange(len(qubits))[::-1])
            tally = np.bincount(places, shots, minlength=2 ** len(qubits))
            found[part] = found[part] + tally if part in found else tally
    return [Part(circuit, tally) for circuit, tally in found.items()]


def _rows(circuit: Circuit, table: Mapping[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Bits (D, n) and how often they were measured (D,)."""
    for string, count in table.items():
        if not isinstance(string, str) or len(string) != circuit.n_qubits or set(string) - {"0", "1"}:
            raise CircuitError(f"counts have the string {string!r}, expected {circuit.n_qubits} bits 0 and 1")
        if not is_real(count) or count < 0:
            raise CircuitError(f"{string} was counted {count!r} times, expected a number of at least 0")
    if not table:
        raise CircuitError("counts of a circuit are empty, expected bit strings with how often each was measured")
    bits = np.array([[int(bit) for bit in string] for string in table])
    return bits, np.array(list(table.values()), float)
