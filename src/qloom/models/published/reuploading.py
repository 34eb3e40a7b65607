"""The data re-uploading classifier: features enter before every layer, three a qubit, with trainable scales."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from qloom.circuits import Circuit
from qloom.encoders import scaled_inputs
from qloom.errors import ConfigError
from qloom.models.published.label_states import (
    fidelity_loss,
    label_states,
    mean_probabilities,
    weighted_fidelity_loss,
)
from qloom.models.published.objectives import Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.nn import QuantumLayer
from qloom.observables import X, Y, Z

OBSERVED = ("single", "half", "full")
LOSSES = ("weighted_fidelity", "fidelity")


def reuploading_circuit(n_qubits: int, n_layers: int, entangled: bool = True) -> Circuit:
    """L times Rot of inputs, Rot of weights and CZ on even or odd pairs in turn; then a last Rot of both, added.

    Shapes: inputs (B, (L + 1) 3 n), weights (L 3 n,). The weights of the last Rot are added to its inputs before.
    """
    circuit = Circuit(n_qubits)
    inputs, weights = circuit.inputs(n_layers + 1, n_qubits, 3), circuit.weights(n_layers, n_qubits, 3)
    for layer in range(n_layers):
        for qubit in range(n_qubits):
            circuit.rot(*inputs[layer, qubit], qubit).rot(*weights[layer, qubit], qubit)
        for qubit in range(layer % 2, n_qubits - 1, 2) if entangled else ():
            circuit.cz(qubit, qubit + 1)
    for qubit in range(n_qubits):
        circuit.rot(*inputs[n_layers, qubit], qubit)
    return circuit


class ReuploadingNetwork(nn.Module):
    """Scaled features through the circuit.

    Shapes: x (B, F) -> <Z> of the observed qubits (B, K) for two classes, their X, Y and Z (B, 3 K) for more.

    Attributes:
        scales: (L + 1, 3 n), of the features at each upload.
        offsets: (3 n,), of the last one.
        class_weights: (C, K), of the fidelities with the labels.
        labels: (C, 3), their Bloch vectors; None for two.
    """

    labels: Tensor | None

    def __init__(
        self, n_features: int, n_classes: int, n_layers: int, n_observed: int, entangled: bool,
        generator: torch.Generator,
    ):  # fmt: skip
        super().__init__()
        n_qubits = -(-n_features // 3)
        circuit = reuploading_circuit(n_qubits, n_layers, entangled)
        first = torch.rand(n_layers + 1, 3 * n_qubits, generator=generator)
        self.scales = nn.Parameter(torch.rand(n_layers + 1, 3 * n_qubits, generator=generator))
        self.offsets = nn.Parameter(first[-1])
        letters = (Z,) if n_classes == 2 else (X, Y, Z)
        words = [letter(qubit) for qubit in range(n_observed) for letter in letters]
        self.quantum = QuantumLayer(circuit, words, init=first[:-1].flatten())
        self.class_weights = nn.Parameter(torch.ones(n_classes, n_observed))
        self.register_buffer("labels", None if n_classes == 2 else torch.from_numpy(label_states(n_classes)).float())
        self.n_missing = 3 * n_qubits - n_features

    def forward(self, x: Tensor) -> Tensor:
        angles = scaled_inputs(pad(x, (0, self.n_missing)), self.scales)
        last = len(self.offsets)
        return self.quantum(torch.cat([angles[:, :-last], angles[:, -last:] + self.offsets], dim=1))


class ReuploadingClassifier(VariationalClassifier):
    """Features enter a few qubits again and again, three each; classes are states of a qubit that lie far apart.

    Features are scaled to -pi / 2 to pi / 2 by their range on the training rows. Any number of classes, as in the
    source: the poles of the Bloch sphere for two, a triangle for three, a tetrahedron for four.

    Args:
        n_layers: L; features enter L + 1 times.
        observed: qubits that are compared with the label: "single" (the first), "half" or "full".
        objective: "weighted_fidelity", squared distance of the fidelities with both labels, times trainable weights,
            from those of the right label's state; "fidelity", 1 minus the fidelity with the right label.
        entangled: False for the separable control: the same without CZ.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_, classes_, scaler_: the trained module, the labels, and the scaling of features.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.

    Source: Perez-Salinas et al. 2020, Quantum 4, 226; as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    tells_many_apart = True

    def __init__(
        self,
        n_layers: int = 4,
        observed: str = "single",
        objective: str = "weighted_fidelity",
        entangled: bool = True,
        learning_rate: float = 0.05,
        batch_size: int = 32,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.n_layers = n_layers
        self.observed = observed
        self.objective = objective
        self.entangled = entangled

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        if self.observed not in OBSERVED:
            raise ConfigError(f"observed={self.observed!r}, expected one of {', '.join(OBSERVED)}")
        if self.objective not in LOSSES:
            raise ConfigError(f"objective={self.objective!r}, expected one of {', '.join(LOSSES)}")
        n_qubits = -(-n_features // 3)
        n_observed = {"single": 1, "half": max(1, n_qubits // 2), "full": n_qubits}[self.observed]
        return ReuploadingNetwork(n_features, n_classes, self.n_layers, n_observed, self.entangled, generator)

    def make_objective(self, network: Any) -> Objective:
        labels = network.labels
        probabilities = partial(mean_probabilities, labels=labels)
        if self.objective == "fidelity":
            return Objective(self.objective, partial(fidelity_loss, labels=labels), probabilities)
        loss = partial(weighted_fidelity_loss, network.class_weights, labels=labels)
        return Objective(self.objective, loss, probabilities)
