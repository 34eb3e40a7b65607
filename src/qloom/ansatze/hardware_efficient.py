"""Hardware-efficient layers: chosen rotations on every qubit, then two-qubit gates in a chosen pattern."""

from __future__ import annotations

from collections.abc import Sequence

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.circuits.entanglers import entangler_pairs
from qloom.circuits.gates import find_gate
from qloom.errors import CircuitError


def hardware_efficient(
    n_qubits: int,
    n_layers: int,
    rotations: Sequence[str] = ("ry", "rz"),
    entangler: str = "linear",
    gate: str = "cx",
) -> Circuit:
    """Rotations on every qubit, then `gate` on every pair of the pattern.

    Args:
        n_qubits: n.
        n_layers: L, at least 1.
        rotations: R one-qubit gates of one angle each, in order.
        entangler: "linear", "ring", "full", "brick" or "none".
        gate: two-qubit gate without angles, such as cx or cz.

    Shapes: weights (L, n, R), or (L, n) for one rotation.

    Raises:
        CircuitError: for `n_layers` below 1, an unknown pattern, or gates of other kinds.

    Source: Kandala et al. 2017, Nature 549, 242.
    """
    n_layers = checked_count("n_layers", n_layers)
    if isinstance(rotations, str):
        rotations = (rotations,)
    for name in rotations:
        if (find_gate(name).n_qubits, find_gate(name).n_angles) != (1, 1):
            raise CircuitError(f"rotation {name!r}, expected a one-qubit gate of one angle such as ry")
    if (find_gate(gate).n_qubits, find_gate(gate).n_angles) != (2, 0):
        raise CircuitError(f"entangling gate {gate!r}, expected a two-qubit gate without angles such as cx")
    pairs = entangler_pairs(entangler, n_qubits)
    circuit = Circuit(n_qubits)
    shape = (n_layers, n_qubits, len(rotations))
    weights = circuit.weights(*(shape[:2] if shape[2] == 1 else shape))
    for layer in weights.reshape(shape):
        for qubit, angles in enumerate(layer):
            for name, angle in zip(rotations, angles, strict=True):
                circuit.append(name, (angle,), (qubit,))
        for pair in pairs:
            circuit.append(gate, (), pair)
    return circuit
