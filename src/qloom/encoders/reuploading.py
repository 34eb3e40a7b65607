"""Data re-uploading: inputs enter again before every trainable layer, with a scale of their own that can be trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.encoders.angle import angle

if TYPE_CHECKING:
    from torch import Tensor


def reuploading(
    n_features: int, n_layers: int, layer: Callable[[int], Circuit], axis: str = "y", separate: bool = False
) -> Circuit:
    """Angle encoding and a trainable layer, n_layers times.

    Args:
        n_features: F, one qubit each.
        n_layers: L, at least 1.
        layer: n_qubits -> the trainable circuit of one layer, such as
            ``lambda n: ansatze.strongly_entangling(n, 1)``; each layer gets weights of its own.
        axis: of the encoding rotations.
        separate: each layer takes inputs of its own, (B, L F), as `scaled_inputs` makes them; else all take x (B, F).

    Shapes: inputs (B, F), or (B, L F) if separate.

    Raises:
        CircuitError: for `n_layers` below 1, another axis, or a layer of other qubits.

    Source: Perez-Salinas et al. 2020, Quantum 4, 226.
    """
    n_layers = checked_count("n_layers", n_layers)
    block = angle(n_features, axis) + layer(n_features)
    if not separate:
        return block.repeat(n_layers)
    circuit = block
    for _ in range(n_layers - 1):
        circuit = circuit + block
    return circuit


def scaled_inputs(x: Tensor, scales: Tensor) -> Tensor:
    """Inputs of separate layers from trainable scales, differentiably: scales[l, i] * x[i].

    Shapes: x (..., F), scales (L, F) -> (..., L F).
    """
    return (x.unsqueeze(-2) * scales).flatten(-2)
