"""Basic entangler layers: one rotation on every qubit, then a ring of CNOTs."""

from __future__ import annotations

from qloom.ansatze.hardware_efficient import hardware_efficient
from qloom.circuits.circuit import Circuit


def basic_entangler(n_qubits: int, n_layers: int, rotation: str = "rx") -> Circuit:
    """One rotation on every qubit and CX around the ring.

    Args:
        n_qubits: n.
        n_layers: L, at least 1.
        rotation: one-qubit gate of one angle.

    Shapes: weights (L, n).

    Raises:
        CircuitError: for `n_layers` below 1, or another kind of gate.

    Source: PennyLane, qml.BasicEntanglerLayers.
    """
    return hardware_efficient(n_qubits, n_layers, (rotation,), "ring")
