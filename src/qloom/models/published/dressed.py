"""The dressed quantum circuit: a linear map in front of a circuit, and one behind it."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from qloom.ansatze import hardware_efficient
from qloom.models.published.objectives import SOFTMAX, Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.nn import QuantumHead


class DressedCircuitClassifier(VariationalClassifier):
    """A circuit between two linear maps; one qubit a feature. Softmax and cross-entropy.

    Features are standardized. The second map has an output for each class, of which there may be any number, as in the
    source.

    Args:
        n_layers: of RY and a ring of CX.
        entangled: False for the separable control: the same without CX.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_, classes_, scaler_: the trained module, the labels, and the scaling of features.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.

    Source: Mari et al. 2020, Quantum 4, 340; as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    tells_many_apart = True

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
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.n_layers = n_layers
        self.entangled = entangled

    def make_scaler(self) -> Any:
        return StandardScaler()

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        entangler = "ring" if self.entangled else "none"
        ansatz = lambda n, n_layers: hardware_efficient(n, n_layers, ("ry",), entangler)  # noqa: E731
        weights = 2 * torch.pi * torch.rand(self.n_layers * n_features, generator=generator)
        head = QuantumHead(n_features, n_classes, n_features, self.n_layers, ansatz, bias=False, init=weights)
        for linear in (head.before, head.after):
            nn.init.normal_(linear.weight, std=1 / n_features, generator=generator)
        return head

    def make_objective(self, network: Any) -> Objective:
        return SOFTMAX
