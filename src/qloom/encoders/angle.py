"""Angle encoding: one rotation a feature, one feature a qubit."""

from __future__ import annotations

from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError


def angle(n_features: int, axis: str = "y", scale: float = 1.0) -> Circuit:
    """Rotate qubit i about an axis by scale * x_i.

    Args:
        n_features: F, one qubit each.
        axis: "x", "y" or "z"; about z a Hadamard comes first, else nothing would be seen.
        scale: radians a unit of the feature.

    Shapes: inputs (B, F), radians when scale is 1.

    Source: Schuld, Petruccione 2018, Supervised Learning with Quantum Computers, section 6.3 (rotation encoding).
    """
    if axis not in ("x", "y", "z"):
        raise CircuitError(f"axis={axis!r}, expected x, y or z")
    circuit = Circuit(n_features)
    x = circuit.inputs(n_features)
    for qubit in range(n_features):
        if axis == "z":
            circuit.h(qubit)
        circuit.append(f"r{axis}", (scale * x[qubit],), (qubit,))
    return circuit
