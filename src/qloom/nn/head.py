"""A quantum head for any backbone: features to angles, a circuit, outputs (dressed quantum circuit)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from qloom.ansatze import hardware_efficient
from qloom.checks import checked_count
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.nn.initialization import derived_seeds, seeded_linear
from qloom.nn.layer import QuantumLayer


class QuantumHead(nn.Module):
    """Linear, tanh to angles between -pi/2 and pi/2, the circuit, Linear.

    In the place of the last layer of a network, frozen or not:

        model = torchvision.models.resnet18(weights="DEFAULT").requires_grad_(False)
        model.fc = ql.nn.QuantumHead(512, n_classes)

    Args:
        in_features: F.
        out_features: O.
        n_qubits: n.
        n_layers: L.
        ansatz: (n, L) -> the trainable circuit; by default RY and a ring of CNOTs.
        bias: of the two linear maps.
        engine, init, dtype, seed: of the `QuantumLayer`; the seed is that of the linear maps too.

    Shapes: x (..., F) -> (..., O).

    Attributes:
        quantum: the `QuantumLayer`.

    Source: Mari et al. 2020, Quantum 4, 340.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        n_qubits: int = 4,
        n_layers: int = 3,
        ansatz: Callable[[int, int], Circuit] | None = None,
        bias: bool = True,
        engine: Engine | None = None,
        init: Any = "auto",
        dtype: torch.dtype | None = None,
        seed: int | None = None,
    ):
        super().__init__()
        circuit = Circuit(checked_count("n_qubits", n_qubits))
        for qubit, x in enumerate(circuit.inputs(n_qubits)):
            circuit.h(qubit).ry(x, qubit)
        trained = ansatz(n_qubits, n_layers) if ansatz else hardware_efficient(n_qubits, n_layers, ("ry",), "ring")
        seeds = derived_seeds(seed, 2)
        self.before = seeded_linear(in_features, n_qubits, bias, dtype, seeds[0])
        self.quantum = QuantumLayer(circuit + trained, engine=engine, init=init, dtype=dtype, seed=seed)
        self.after = seeded_linear(n_qubits, out_features, bias, dtype, seeds[1])

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.quantum(torch.tanh(self.before(x)) * (torch.pi / 2)))
