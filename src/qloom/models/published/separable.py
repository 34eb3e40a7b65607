"""The separable classifier: each feature on a qubit of its own, no entanglement at all; a control with its own name."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from qloom.circuits.circuit import Circuit
from qloom.models.published.objectives import LOGISTIC, Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.nn import QuantumLayer

# A mean of expectation values lies from -1 to 1, the logistic function's slope from about -6 to 6.
STEEPNESS = 6.0


class SeparableNetwork(nn.Module):
    """Steepness times the mean <Z> of unconnected qubits.

    Every feature of every row is one sample of a circuit on one qubit, whose angles are all inputs: no state of many
    qubits is ever made.

    Shapes: x (B, F) -> (B,).

    Attributes:
        weights: (F, L + 1, 3), of Rot before, between and after L uploads by RY.
    """

    def __init__(self, n_features: int, n_layers: int, generator: torch.Generator):
        super().__init__()
        circuit = Circuit(1)
        angles, uploads = circuit.inputs(n_layers + 1, 3), circuit.inputs(1)
        for layer in range(n_layers):
            circuit.rot(*angles[layer], 0).ry(*uploads, 0)
        self.quantum = QuantumLayer(circuit.rot(*angles[n_layers], 0))
        self.weights = nn.Parameter(2 * torch.pi * torch.rand(n_features, n_layers + 1, 3, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        weights = self.weights.flatten(1).expand(len(x), -1, -1)
        return STEEPNESS * self.quantum(torch.cat([weights, x.unsqueeze(2)], dim=2)).mean(dim=(1, 2))


class SeparableVariationalClassifier(VariationalClassifier):
    """Each feature uploaded to a qubit of its own between trained rotations; the mean <Z> is the log-odds, times 6.

    Features are scaled to -pi / 2 to pi / 2 by their range on the training rows. Nothing entangles: what this reaches,
    one qubit reaches. More than two classes: one against the rest; the source has two.

    Args:
        n_layers: L, uploads.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_, classes_, scaler_: the trained module, the labels, and the scaling of features.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.

    Source: Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    def __init__(
        self,
        n_layers: int = 1,
        learning_rate: float = 0.01,
        batch_size: int = 32,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.n_layers = n_layers

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        return SeparableNetwork(n_features, self.n_layers, generator)

    def make_objective(self, network: Any) -> Objective:
        return LOGISTIC
