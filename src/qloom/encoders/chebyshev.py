"""Chebyshev encoding: expectation values are Chebyshev polynomials of the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor


def chebyshev(n_features: int, degree: int = 1, tower: bool = False) -> Circuit:
    """RY(2 d arccos x_i), so that <Z> = T_2d(x_i); `chebyshev_inputs` takes the arc cosines.

    Args:
        n_features: F.
        degree: D, at least 1.
        tower: each feature on D qubits with d = 1 to D; else on one qubit with d = D.

    Shapes: inputs (B, F), arccos of features from -1 to 1.

    Raises:
        CircuitError: for `n_features` or `degree` below 1.

    Source: Kyriienko, Paine, Elfving 2021, Phys. Rev. A 103, 052416.
    """
    n_features, degree = checked_count("n_features", n_features), checked_count("degree", degree)
    degrees = range(1, degree + 1) if tower else [degree]
    circuit = Circuit(n_features * len(degrees))
    for i, x in enumerate(circuit.inputs(n_features)):
        for k, d in enumerate(degrees):
            circuit.ry(2 * d * x, i * len(degrees) + k)
    return circuit


def chebyshev_inputs(x: Tensor) -> Tensor:
    """Arc cosines of features, differentiably.

    Shapes: x (..., F) -> (..., F), from 0 to pi.

    Raises:
        ShapeError: for a feature outside -1 to 1. Its derivative has no bound at the ends.
    """
    outside = x.detach().abs() > 1
    if bool(outside.any()):
        raise ShapeError(
            f"x holds {x.detach()[outside][0].item():.6g}, expected features from -1 to 1; scale them, with tanh(x) say"
        )
    return x.arccos()
