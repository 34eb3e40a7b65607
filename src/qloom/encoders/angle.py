"""Angle encoding: one rotation a feature, one feature a qubit."""

from __future__ import annotations

from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError


def angle(n_features: int, axis: str = "y", scale: float = 1.0) -> Circuit:
    """Rotate qubit i by scale * x_i about an axis, or about several in turn.

    Args:
        n_features: F, one qubit each.
        axis: "x", "y" or "z", or several such as "zy", applied in this order; where z comes first a Hadamard comes
            before it, else it would not be seen.
        scale: radians a unit of the feature.

    Shapes: inputs (B, F), radians when scale is 1.

    Raises:
        CircuitError: for other axes, or `n_features` below 1.

    Source: Schuld, Petruccione 2018, Supervised Learning with Quantum Computers, section 6.3 (rotation encoding).
    """
    if not axis or not set(axis) <= set("xyz"):
        raise CircuitError(f"axis={axis!r}, expected x, y or z, or several of them such as zy")
    circuit = Circuit(n_features)
    for qubit, x in enumerate(circuit.inputs(n_features)):
        if axis[0] == "z":
            circuit.h(qubit)
        for letter in axis:
            circuit.append(f"r{letter}", (scale * x,), (qubit,))
    return circuit
