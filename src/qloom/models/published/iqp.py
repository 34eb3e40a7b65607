"""The variational IQP classifier: features and their products as diagonal phases, then strongly entangling layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from qloom.ansatze import strongly_entangling
from qloom.encoders import encoding
from qloom.models.published.objectives import ERRORS, Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.nn import QuantumLayer
from qloom.observables import Z


class IQPNetwork(nn.Module):
    """The encoder, the trained layers and the parity of the first two qubits.

    Shapes: x (B, F) -> (B,), from -1 to 1.
    """

    def __init__(self, n_features: int, repeats: int, n_layers: int, entangled: bool, generator: torch.Generator):
        super().__init__()
        self.encode = encoding("iqp", n_features, n_layers=repeats)
        circuit = self.encode.circuit + strongly_entangling(n_features, n_layers, gate="cz")
        weights = 2 * torch.pi * torch.rand(circuit.n_weights, generator=generator)
        word = Z(0) @ Z(1) if n_features > 1 else Z(0)
        self.quantum = QuantumLayer(circuit if entangled else circuit.without_entanglers(), [word], init=weights)

    def forward(self, x: Tensor) -> Tensor:
        return self.quantum(self.encode(x))[:, 0]


class IQPVariationalClassifier(VariationalClassifier):
    """IQP encoding of features and their products, then any rotation and CZ in layers; trained on wrong answers.

    Features are scaled to -pi / 2 to pi / 2 by their range on the training rows; one qubit each. The loss is the
    probability that the parity of the first two qubits is the wrong label. More than two classes: one against the rest;
    the source has two.

    Args:
        repeats: of the encoding.
        n_layers: of the trained circuit.
        entangled: False for the separable control: no phases of products, no CZ.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_, classes_, scaler_: the trained module, the labels, and the scaling of features.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.

    Source: Havlicek et al. 2019, Nature 567, 209; as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    def __init__(
        self,
        repeats: int = 1,
        n_layers: int = 5,
        entangled: bool = True,
        learning_rate: float = 0.01,
        batch_size: int = 32,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.repeats = repeats
        self.n_layers = n_layers
        self.entangled = entangled

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        return IQPNetwork(n_features, self.repeats, self.n_layers, self.entangled, generator)

    def make_objective(self, network: Any) -> Objective:
        return ERRORS
