"""Permutation-equivariant layers: all qubits are treated alike, all pairs too."""

from __future__ import annotations

from itertools import combinations

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit


def permutation_equivariant(n_qubits: int, n_layers: int) -> Circuit:
    """RX and RY by one angle each on all qubits, RZZ by one on all pairs; exchanging qubits changes nothing.

    Args:
        n_qubits: n.
        n_layers: L, at least 1.

    Shapes: weights (L, 3): RX, RY, RZZ.

    Source: Schatzki et al. 2024, npj Quantum Information 10, 12.
    """
    n_layers = checked_count("n_layers", n_layers)
    circuit = Circuit(n_qubits)
    for x, y, zz in circuit.weights(n_layers, 3):
        for qubit in range(n_qubits):
            circuit.rx(x, qubit)
        for qubit in range(n_qubits):
            circuit.ry(y, qubit)
        for pair in combinations(range(n_qubits), 2):
            circuit.rzz(zz, *pair)
    return circuit
