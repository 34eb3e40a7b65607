"""The tree tensor classifier: features as amplitudes, a tree of small blocks, its root read."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from qloom.ansatze import tree_tensor
from qloom.circuits.circuit import Circuit
from qloom.encoders import amplitude
from qloom.models.published.circuit_centric import AmplitudeClassifier, AmplitudeNetwork


def tree_circuit(n_qubits: int) -> Circuit:
    """RY on each qubit and CX toward the first of each pair, level by level, then RY on the root, qubit 0.

    Shapes: weights (2 n - 1,).
    """
    circuit = Circuit(n_qubits)
    if n_qubits > 1:
        tree = tree_tensor(n_qubits)  # its root is the last qubit
        circuit.place(tree, range(n_qubits)[::-1], circuit.weights(tree.n_weights))
    return circuit.ry(*circuit.weights(1), 0)


class TreeTensorClassifier(AmplitudeClassifier):
    """Features as amplitudes of 2^k qubits, a tree of RY and CX, <Z> of its root; squared loss.

    Features are taken as they are; each row is divided by its norm. More than two classes: one against the rest; the
    source has two.

    Args:
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

    Source: Grant et al. 2018, npj Quantum Information 4, 65; as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    def __init__(
        self,
        entangled: bool = True,
        learning_rate: float = 0.01,
        batch_size: int = 32,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.entangled = entangled

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        needed = amplitude(n_features).n_qubits
        trained = tree_circuit(2 ** (needed - 1).bit_length())
        weights = 2 * torch.pi * torch.rand(trained.n_weights, generator=generator)
        bias = 0.1 * torch.randn((), generator=generator).item()
        trained = trained if self.entangled else trained.without_entanglers()
        return AmplitudeNetwork(2**trained.n_qubits, 1, trained, weights, bias)
