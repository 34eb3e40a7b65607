"""Strongly entangling layers: any one-qubit rotation everywhere, then gates around rings of growing distance."""

from __future__ import annotations

from collections.abc import Sequence

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.circuits.entanglers import ring_pairs
from qloom.errors import CircuitError


def strongly_entangling(n_qubits: int, n_layers: int, ranges: Sequence[int] | None = None, gate: str = "cx") -> Circuit:
    """Rot on every qubit, then `gate` from q to q + r mod n.

    Args:
        n_qubits: n.
        n_layers: L, at least 1.
        ranges: r of each layer, 1 to n - 1; by default 1, 2, ..., n - 1 in turn.
        gate: two-qubit gate without angles, such as cx or cz.

    Shapes: weights (L, n, 3); on each qubit RZ, RY, RZ in order.

    Raises:
        CircuitError: for `n_layers` below 1, other ranges, or a gate of another kind.

    Source: Schuld et al. 2020, Phys. Rev. A 101, 032308.
    """
    n_layers = checked_count("n_layers", n_layers)
    if ranges is None:
        ranges = [1 + layer % max(1, n_qubits - 1) for layer in range(n_layers)]
    if len(ranges) != n_layers or not all(1 <= r < max(2, n_qubits) for r in ranges):
        raise CircuitError(f"ranges={list(ranges)}, expected {n_layers} of them from 1 to {n_qubits - 1}")
    circuit = Circuit(n_qubits)
    weights = circuit.weights(n_layers, n_qubits, 3)
    for layer, distance in enumerate(ranges):
        for qubit in range(n_qubits):
            circuit.rot(*weights[layer, qubit], qubit)
        for pair in ring_pairs(n_qubits, distance):
            circuit.append(gate, (), pair)
    return circuit
