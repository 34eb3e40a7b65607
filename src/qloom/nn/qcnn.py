"""The quantum convolutional network as a module: an encoder, convolutions and poolings, the qubits that are left."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from qloom.ansatze import convolutional, pooled_qubits
from qloom.circuits.circuit import Circuit
from qloom.encoders import amplitude, angle, hybrid_angle, normalize
from qloom.engines.base import Engine
from qloom.errors import CircuitError
from qloom.nn.layer import QuantumLayer
from qloom.observables import Z

ENCODERS = {"angle": angle, "amplitude": amplitude, "hybrid": hybrid_angle}


class QCNN(nn.Module):
    """Convolutions and poolings of qubits that hold the features; Z of the qubits that are left.

    Args:
        in_features: F. One qubit each by "angle" (RY), 2^n by "amplitude", 15 on four qubits by "hybrid".
        encoder: "angle", "amplitude" or "hybrid".
        n_outputs: O, qubits left at the end: layers go on while there are more.
        convolution, pooling: blocks of `ansatze.convolutional`.
        entangled: False for the separable control: the same without gates on two qubits.
        engine, init, dtype, seed: of the `QuantumLayer`.

    Shapes: x (..., F) -> (..., O), from -1 to 1. Amplitudes are features padded and divided by their norm.

    Attributes:
        quantum: the `QuantumLayer`.

    Raises:
        CircuitError: for an encoder that is none, or more outputs than there can be.
        ShapeError: for x of another shape.

    Source: Cong, Choi, Lukin 2019, Nature Physics 15, 1273; Hur, Kim, Park 2022, Quantum Machine Intelligence 4, 3.
    """

    def __init__(
        self,
        in_features: int,
        encoder: str = "angle",
        n_outputs: int = 1,
        convolution: str | Circuit = "su4",
        pooling: str | Circuit | None = "pooling",
        entangled: bool = True,
        engine: Engine | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        if encoder not in ENCODERS:
            raise CircuitError(f"encoder={encoder!r}, expected one of {', '.join(ENCODERS)}")
        encoded = ENCODERS[encoder](in_features)
        layers = convolutional(encoded.n_qubits, convolution, pooling, n_outputs)
        circuit = encoded + (layers if entangled else layers.without_entanglers())
        left = pooled_qubits(encoded.n_qubits, n_outputs)
        if len(left) != n_outputs:
            raise CircuitError(
                f"n_outputs={n_outputs}, pooling {encoded.n_qubits} qubits leaves {len(left)}; take that"
            )
        self._normalized = encoder == "amplitude"
        words = [Z(qubit) for qubit in left]
        self.quantum = QuantumLayer(circuit, words, engine=engine, init=init, dtype=dtype, seed=seed)

    def forward(self, x: Tensor) -> Tensor:
        return self.quantum(normalize(x, self.quantum.n_inputs) if self._normalized else x)
