"""A state of one qubit as the label of each class: fidelities with them are what is trained for, and what is read.

Of two classes these are the poles of the Bloch sphere, told apart by Z; more lie as far apart as they can, and X, Y and
Z are measured. Where labels are None, there are two.

Source: Perez-Salinas et al. 2020, Quantum 4, 226.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import one_hot


def label_states(n_classes: int) -> np.ndarray:
    """Bloch vectors as far apart as they can be, for more than two classes: charges on the sphere, at rest.

    An equilateral triangle, a tetrahedron, an octahedron for 3, 4, 6. Shapes: -> (C, 3).
    """
    k = np.arange(n_classes)
    heights, turns = 1 - (2 * k + 1) / n_classes, k * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - heights**2)
    spiral = np.stack([flat * np.cos(turns), flat * np.sin(turns), heights], axis=1)
    found = minimize(_charges, spiral.ravel(), jac=True, options={"gtol": 1e-10})
    points = found.x.reshape(-1, 3)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _charges(flat: np.ndarray) -> tuple[float, np.ndarray]:
    """Energy of charges in the directions of some vectors, and its slopes by their coordinates."""
    vectors = flat.reshape(-1, 3)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    points = vectors / norms
    differences = points[:, None] - points[None]
    distances = np.linalg.norm(differences, axis=2) + np.diag(np.full(len(points), np.inf))
    slopes = -(differences / distances[..., None] ** 3).sum(axis=1)
    along = (slopes - points * (slopes * points).sum(axis=1, keepdims=True)) / norms
    return float((1 / distances).sum() / 2), along.ravel()


def _fidelities(outputs: Tensor, labels: Tensor | None) -> Tensor:
    """With the labels' states; of two the first is 1 and the second 0.

    Shapes: <Z> of K qubits (B, K), or their X, Y and Z (B, 3 K) -> (B, C, K).
    """
    if labels is None:
        return torch.stack([1 - outputs, 1 + outputs], dim=1) / 2
    return (1 + labels.to(outputs.dtype) @ outputs.unflatten(1, (-1, 3)).mT) / 2


def _right(y: Tensor, labels: Tensor | None) -> Tensor:
    """1 for the right label, 0 for others, (B, C, 1)."""
    return one_hot(y, 2 if labels is None else len(labels)).unsqueeze(2)


def fidelity_loss(outputs: Tensor, y: Tensor, labels: Tensor | None = None) -> Tensor:
    """1 minus the fidelity with the right label's state, summed over qubits."""
    return (1 - (_fidelities(outputs, labels) * _right(y, labels)).sum(dim=1)).sum(dim=1).mean()


def weighted_fidelity_loss(
    class_weights: Tensor, outputs: Tensor, y: Tensor, labels: Tensor | None = None
) -> Tensor:  # fmt: skip
    """Half the squared distance of the weighted fidelities from those of the right label's state, 1 with itself."""
    expected = _right(y, labels) if labels is None else ((1 + labels @ labels.T) / 2)[y].unsqueeze(2)
    return 0.5 * (class_weights * _fidelities(outputs, labels) - expected).square().sum(dim=(1, 2)).mean()


def mean_probabilities(outputs: Tensor, labels: Tensor | None = None) -> Tensor:
    """The mean fidelity of the observed qubits with each label's state; of more than two its share."""
    means = _fidelities(outputs, labels).mean(dim=2)
    return means if labels is None else means / means.sum(dim=1, keepdim=True)
