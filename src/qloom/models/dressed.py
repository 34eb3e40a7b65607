"""The dressed quantum circuit: a linear map in front of a circuit, and one behind it."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from qloom.ansatze import hardware_efficient
from qloom.circuits import Circuit
from qloom.models.variational import VariationalClassifier
from qloom.nn import QuantumLayer


class DressedNetwork(nn.Module):
    """Linear, tanh to angles, H and RY, layers of RY and a ring of CX, Z of every qubit, Linear. No biases.

    Shapes: x (B, F) -> scores (B, 2).
    """

    def __init__(self, n_features: int, n_layers: int, entangled: bool, generator: torch.Generator):
        super().__init__()
        circuit = Circuit(n_features)
        for qubit, x in enumerate(circuit.inputs(n_features)):
            circuit.h(qubit).ry(x, qubit)
        circuit = circuit + hardware_efficient(n_features, n_layers, ("ry",), "ring" if entangled else "none")
        weights = 2 * torch.pi * torch.rand(circuit.n_weights, generator=generator)
        self.before = nn.Parameter(torch.randn(n_features, n_features, generator=generator) / n_features)
        self.quantum = QuantumLayer(circuit, init=weights)
        self.after = nn.Parameter(torch.randn(n_features, 2, generator=generator) / n_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.quantum(torch.tanh(x @ self.before) * (torch.pi / 2)) @ self.after


class DressedCircuitClassifier(VariationalClassifier):
    """A circuit between two linear maps, for two classes; one qubit a feature. Softmax and cross-entropy.

    Features are standardized.

    Args:
        n_layers: of RY and a ring of CX.
        entangled: False for the separable control: the same without CX.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Source: Mari et al. 2020, Quantum 4, 340; as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    def __init__(
        self,
        n_layers: int = 3,
        entangled: bool = True,
        learning_rate: float = 0.001,
        batch_size: int = 32,
        max_steps: int = 100_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        self.n_layers = n_layers
        self.entangled = entangled
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.convergence_interval = convergence_interval
        self.random_state = random_state

    def make_scaler(self) -> Any:
        return StandardScaler()

    def make_network(self, n_features: int, generator: torch.Generator) -> nn.Module:
        return DressedNetwork(n_features, self.n_layers, self.entangled, generator)

    def loss(self, outputs: Tensor, y: Tensor) -> Tensor:
        return cross_entropy(outputs, y)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return torch.softmax(outputs, dim=1)
