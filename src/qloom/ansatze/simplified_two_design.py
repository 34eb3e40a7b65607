"""Simplified two-design: RY everywhere, then CZ with RY on pairs in a brick pattern."""

from __future__ import annotations

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.circuits.entanglers import entangler_pairs


def simplified_two_design(n_qubits: int, n_layers: int) -> Circuit:
    """RY on every qubit, then L times CZ and two RY on the even pairs, then on the odd ones.

    Its gradients vanish with the number of qubits as fast as those of random circuits, at few gates.

    Args:
        n_qubits: n.
        n_layers: L, at least 1.

    Shapes: weights (n + L (n - 1) 2,): "first" (n,), then "layers" (L, n - 1, 2).

    Source: Cerezo et al. 2021, Nature Communications 12, 1791.
    """
    n_layers = checked_count("n_layers", n_layers)
    circuit = Circuit(n_qubits)
    for qubit, angle in enumerate(circuit.weights(n_qubits, name="first")):
        circuit.ry(angle, qubit)
    for layer in circuit.weights(n_layers, n_qubits - 1, 2, name="layers"):
        for (a, b), (first, second) in zip(entangler_pairs("brick", n_qubits), layer, strict=True):
            circuit.cz(a, b).ry(first, a).ry(second, b)
    return circuit
