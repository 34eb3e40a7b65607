"""Dense angle encoding: two features a qubit, its two angles on the Bloch sphere."""

from __future__ import annotations

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit


def dense_angle(n_features: int, scale: float = 1.0) -> Circuit:
    """Rotate qubit k to the polar angle scale * x_2k and the azimuth scale * x_(2k+1): RY, then RZ.

    Args:
        n_features: F; n = ceil(F / 2) qubits.
        scale: radians a unit of the feature.

    Shapes: inputs (B, F), radians when scale is 1.

    Raises:
        CircuitError: for `n_features` below 1.

    Source: LaRose, Coyle 2020, Phys. Rev. A 102, 032420.
    """
    n_features = checked_count("n_features", n_features)
    circuit = Circuit((n_features + 1) // 2)
    for i, x in enumerate(circuit.inputs(n_features)):
        circuit.append("rz" if i % 2 else "ry", (scale * x,), (i // 2,))
    return circuit
