"""The quantum metric learner: an embedding trained to part the classes' states; new rows go to the nearest class."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from qloom.circuits.circuit import Circuit
from qloom.circuits.entanglers import entangler_pairs
from qloom.fitting import Training
from qloom.models.execution import OnEngine
from qloom.models.kernels.alignment import fidelities
from qloom.models.kernels.kernels import fidelity_kernel
from qloom.models.published.objectives import Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.nn import QuantumLayer


def embedding_circuit(n_features: int, n_layers: int, entangled: bool = True) -> Circuit:
    """Features by RX with a free qubit in |+>, then RZZ around a ring and RY; the features once more at the end.

    Shapes: inputs (B, F), weights (L (P + n),) for n = F + 1 qubits and the ring's P pairs.

    Source: Lloyd et al. 2020, arXiv 2001.03622.
    """
    n_qubits = n_features + 1
    pairs = entangler_pairs("ring" if entangled else "none", n_qubits)
    circuit = Circuit(n_qubits)
    x, weights = circuit.inputs(n_features), circuit.weights(n_layers, len(pairs) + n_qubits)
    for layer in range(n_layers + 1):
        for qubit, feature in enumerate(x):
            circuit.rx(feature, qubit)
        circuit.h(n_features)
        if layer == n_layers:
            break
        for angle, pair in zip(weights[layer], pairs, strict=False):
            circuit.rzz(angle, *pair)
        for qubit, angle in enumerate(weights[layer, len(pairs) :]):
            circuit.ry(angle, qubit)
    return circuit


def overlap_loss(states: Tensor, y: Tensor, n_classes: int = 2) -> Tensor:
    """1 minus half the squared Hilbert-Schmidt distance of two classes' mean states; its mean over pairs of more.

    Shapes: states (B, 2^n), complex; y (B,) of 0 to C - 1.
    """
    shares = torch.stack([y == label for label in range(n_classes)]).to(states.real.dtype)
    shares = shares / shares.sum(dim=1, keepdim=True).clamp(min=1)  # (C, B); a class absent from the batch counts 0
    means = shares @ fidelities(states) @ shares.T
    pairs = [1 - 0.5 * (means[a, a] + means[b, b]) + means[a, b] for a, b in combinations(range(n_classes), 2)]
    return torch.stack(pairs).mean()


class QuantumMetricLearner(VariationalClassifier):
    """States of the classes are trained apart; a row is as likely of a class as its state overlaps with that one's.

    Features are scaled to -pi / 2 to pi / 2 by their range on the training rows; one qubit each and one more. All
    training rows are compared with, N states for N rows. More than two classes have one embedding, whose loss is the
    mean over their pairs; the source has two.

    Args:
        n_layers: of the embedding.
        entangled: False for the separable control: the same without RZZ.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_, classes_, scaler_: the trained module, the labels, and the scaling of features.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.
        examples_: scaled training rows of each class, C arrays (N_c, F).
        example_weights_: their weights, None for equal ones.

    Source: Lloyd et al. 2020, arXiv 2001.03622; as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059, whose loss leaves
    the overlaps within a class out.
    """

    tells_many_apart = True

    def __init__(
        self,
        n_layers: int = 3,
        entangled: bool = True,
        learning_rate: float = 0.01,
        batch_size: int = 64,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.n_layers = n_layers
        self.entangled = entangled

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        circuit = embedding_circuit(n_features, self.n_layers, self.entangled)
        weights = 0.1 * torch.randn(circuit.n_weights, generator=generator)
        return QuantumLayer(circuit, "state", init=weights)

    def make_objective(self, network: Any) -> Objective:
        # Probabilities need the examples: predict_proba.
        return Objective("overlap", partial(overlap_loss, n_classes=len(self.classes_)), lambda states: states)

    def end_fit(self, training: Training) -> None:
        super().end_fit(training)
        rows: Any = training.batches
        chosen = [rows.y == label for label in range(len(self.classes_))]
        self.examples_ = [rows.x[of_label].double().numpy() for of_label in chosen]
        self.example_weights_ = [None if rows.weights is None else rows.weights[each.numpy()] for each in chosen]

    _run = OnEngine._run  # predictions take the layer's weights and states of their own

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> share of the mean fidelity with each class (B, C)."""
        check_is_fitted(self, "examples_")
        x = self.scaler_.transform(validate_data(self, X, dtype=np.float64, reset=False))
        layer, weights = self.network_, self.network_.weights.detach().double().numpy()
        kernels = [fidelity_kernel(layer.circuit, x, known, weights, engine=self._engine) for known in self.examples_]
        means = [
            np.average(kernel, axis=1, weights=of_rows)
            for kernel, of_rows in zip(kernels, self.example_weights_, strict=True)
        ]
        return np.stack(means, axis=1) / np.sum(means, axis=0)[:, None]
