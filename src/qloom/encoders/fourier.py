"""Fourier encoding: each feature turns several qubits at frequencies of their own."""

from __future__ import annotations

import numpy as np

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.errors import CircuitError

# Frequency of a feature's k-th qubit. Sums and differences of powers of three reach every integer just once.
SPACINGS = {"equal": lambda k: 1.0, "linear": lambda k: k + 1.0, "ternary": lambda k: 3.0**k}


def fourier(n_features: int, n_qubits_each: int = 1, spacing: str = "ternary", axis: str = "y") -> Circuit:
    """Rotate K qubits a feature by frequency_k * x_i.

    Args:
        n_features: F; n = F K qubits, those of a feature side by side.
        n_qubits_each: K, at least 1.
        spacing: "equal" (1, 1, ...), "linear" (1, 2, ...), "ternary" (1, 3, 9, ...), or "trainable": every qubit
            takes an input of its own, made from frequencies that are trained by ``scaled_inputs(x, frequencies)``.
        axis: of the rotations, "x" or "y".

    Shapes: inputs (B, F); (B, K F) if trainable, frequencies (K, F).

    Raises:
        CircuitError: for another spacing or axis, or numbers below 1.

    Source: Schuld, Sweke, Meyer 2021, Phys. Rev. A 103, 032430; trainable ones Jaderberg et al. 2024, Phys. Rev. A 109,
        042421.
    """
    n_features, each = checked_count("n_features", n_features), checked_count("n_qubits_each", n_qubits_each)
    if spacing not in (*SPACINGS, "trainable"):
        raise CircuitError(f"spacing={spacing!r}, expected one of {', '.join(SPACINGS)}, trainable")
    if axis not in ("x", "y"):
        raise CircuitError(f"axis={axis!r}, expected x or y")
    circuit = Circuit(n_features * each)
    if spacing == "trainable":
        angles = circuit.inputs(each, n_features)
    else:
        x = circuit.inputs(n_features)
        angles = np.stack([SPACINGS[spacing](k) * x for k in range(each)])
    for k in range(each):
        for i in range(n_features):
            circuit.append(f"r{axis}", (angles[k][i],), (i * each + k,))
    return circuit
