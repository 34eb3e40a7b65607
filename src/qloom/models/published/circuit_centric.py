"""The circuit-centric classifier: copies of the features as amplitudes, strongly entangling layers, one qubit read."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.preprocessing import FunctionTransformer
from torch import Tensor, nn

from qloom.ansatze import strongly_entangling
from qloom.circuits.circuit import Circuit
from qloom.encoders import amplitude, normalize
from qloom.models.published.objectives import SQUARED, Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.nn import QuantumLayer
from qloom.observables import Z


class AmplitudeNetwork(nn.Module):
    """Copies of the features as amplitudes, a circuit, <Z> of the first qubit and a bias.

    Shapes: x (B, F) -> (B,). Features are padded with 2^-m to 2^m of them and divided by their norm.

    Args:
        n_amplitudes: 2^m, of a copy.
        n_copies: d, their states side by side.
        trained: on d m qubits.
        init: weights.
        bias: to begin with.
    """

    def __init__(self, n_amplitudes: int, n_copies: int, trained: Circuit, init: Tensor, bias: float):
        super().__init__()
        self.n_amplitudes, self.n_copies = n_amplitudes, n_copies
        circuit = amplitude(n_amplitudes**n_copies) + trained
        self.quantum = QuantumLayer(circuit, [Z(0)], init=init)
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, x: Tensor) -> Tensor:
        copy = normalize(x, self.n_amplitudes, padding=1 / self.n_amplitudes)
        state = copy
        for _ in range(self.n_copies - 1):
            state = torch.einsum("bi,bj->bij", state, copy).flatten(1)
        return self.quantum(state)[:, 0] + self.bias


class AmplitudeClassifier(VariationalClassifier):
    """Rows as amplitudes, <Z> of one qubit; subclasses give the circuit."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Of three clouds around the origin, as scikit-learn has them, directions tell two apart.
        tags.classifier_tags.poor_score = True
        return tags

    def make_scaler(self) -> Any:
        return FunctionTransformer()

    def make_objective(self, network: Any) -> Objective:
        return SQUARED


class CircuitCentricClassifier(AmplitudeClassifier):
    """Copies of the features as amplitudes, strongly entangling layers, <Z> of one qubit; squared loss.

    Features are taken as they are; each row is divided by its norm. More than two classes: one against the rest, as the
    source does for digits and wines.

    Args:
        n_copies: of the features, m = log2 of their number qubits each.
        n_layers: of any rotation on each qubit, then CX around rings of growing distance.
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

    Source: Schuld et al. 2020, Phys. Rev. A 101, 032308; as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    def __init__(
        self,
        n_copies: int = 2,
        n_layers: int = 4,
        entangled: bool = True,
        learning_rate: float = 0.01,
        batch_size: int = 32,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.n_copies = n_copies
        self.n_layers = n_layers
        self.entangled = entangled

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        m = amplitude(n_features).n_qubits
        trained = strongly_entangling(m * self.n_copies, self.n_layers)
        weights = 2 * torch.pi * torch.rand(trained.n_weights, generator=generator)
        trained = trained if self.entangled else trained.without_entanglers()
        return AmplitudeNetwork(2**m, self.n_copies, trained, weights, bias=0.01)
