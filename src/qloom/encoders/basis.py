"""Basis encoding: bits become basis states."""

from __future__ import annotations

import numpy as np

from qloom.circuits.circuit import Circuit


def basis(n_features: int) -> Circuit:
    """Turn qubit i to |x_i> for bits x_i, by RX(pi x_i): basis states up to a phase (-i)^(number of ones).

    Between 0 and 1 it interpolates, so gradients exist.

    Shapes: inputs (B, F), 0 or 1.
    """
    circuit = Circuit(n_features)
    x = circuit.inputs(n_features)
    for qubit in range(n_features):
        circuit.rx(np.pi * x[qubit], qubit)
    return circuit
