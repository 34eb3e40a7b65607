"""Basis encoding: bits become basis states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor


def basis(n_features: int) -> Circuit:
    """Turn qubit i to |x_i> for bits x_i, by RX(pi x_i): basis states up to a phase (-i)^(number of ones).

    Between 0 and 1 it interpolates, so gradients exist.

    Args:
        n_features: F, one qubit each.

    Shapes: inputs (B, F), 0 or 1.
    """
    circuit = Circuit(n_features)
    x = circuit.inputs(n_features)
    for qubit in range(n_features):
        circuit.rx(np.pi * x[qubit], qubit)
    return circuit


def bits(x: Tensor) -> Tensor:
    """The features as they are.

    Shapes: x (..., F), 0 or 1.

    Raises:
        ShapeError: for any other number.
    """
    wrong = (x != 0) & (x != 1)
    if bool(wrong.any()):
        raise ShapeError(f"x holds {x[wrong][0].item():.6g}, expected 0 or 1; compare with a threshold first")
    return x
