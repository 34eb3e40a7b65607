"""Quantum convolutional networks on MNIST 0 against 1, as in Hur, Kim, Park 2022 (arXiv 2108.00661).

The published program shrinks each image to 784 x 1 before the principal components: what is left is the mean of its
two middle columns, stretched. It scales training and test rows to 0 to pi by their own ranges, a small leak. Both are
kept here.

Run: python -m benchmarks.published.qcnn
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from sklearn.decomposition import PCA

import qloom as ql
from benchmarks.published.mnist import images
from benchmarks.published.record import record
from qloom.ansatze import convolutional, pooled_qubits, two_qubit_block
from qloom.nn import QuantumLayer

STEPS, BATCH, RATE, MOMENTUM, SEEDS = 200, 25, 0.01, 0.9, 5
READOUT = pooled_qubits(8)[0]


def chain(block: str) -> ql.Circuit:
    """One block on the pairs of a line, then on those that reach the readout: no pooling."""
    circuit, made = ql.Circuit(8), two_qubit_block(block)
    layers = [[(0, 1), (2, 3), (4, 5), (6, 7), (1, 2), (3, 4), (5, 6)], [(2, 3), (4, 5)], [(3, 4)]]
    for pairs, weights in zip(layers, circuit.weights(3, made.n_weights), strict=True):
        for pair in pairs:
            circuit.place(made, pair, weights)
    return circuit


# Name -> number of components, circuit, published mean accuracy.
SETTINGS: dict[str, tuple[int, Callable[[], ql.Circuit], float]] = {
    "QCNN of SU4, 51 weights, 30 components": (
        30, lambda: ql.encoders.hybrid_angle(30) + convolutional(8, "su4"), 0.985,
    ),
    "chain of SU4, 45 weights, 8 components": (8, lambda: ql.encoders.angle(8) + chain("su4"), 0.983),
    "QCNN of TTN, 12 weights, 30 components": (
        30, lambda: ql.encoders.hybrid_angle(30) + convolutional(8, "ttn"), 0.978,
    ),
}  # fmt: skip


def middle_columns(x: np.ndarray) -> np.ndarray:
    """Bilinear resizing to 784 x 1. Shapes: x (N, 28, 28) -> (N, 784)."""
    column = x[:, :, 13:15].mean(axis=2)
    places = np.clip((np.arange(784) + 0.5) / 28 - 0.5, 0, 27)
    low = np.minimum(places.astype(int), 26)
    return column[:, low] * (1 - (places - low)) + column[:, low + 1] * (places - low)


def components(n_components: int) -> list[torch.Tensor]:
    """Angles and signs: x, y, x_test, y_test; the sign is 1 for a zero."""
    (x, y), (x_test, y_test) = (images(part, (0, 1)) for part in ("train", "t10k"))
    pca = PCA(n_components, random_state=0).fit(middle_columns(x))
    angles = [pca.transform(middle_columns(part)) for part in (x, x_test)]
    angles = [(part - part.min()) * (np.pi / (part.max() - part.min())) for part in angles]
    tensors = [angles[0], np.where(y, 1.0, -1.0), angles[1], np.where(y_test, 1.0, -1.0)]
    return [torch.from_numpy(part.astype(np.float32)) for part in tensors]


def train(layer: QuantumLayer, x: torch.Tensor, y: torch.Tensor, random: np.random.Generator) -> None:
    """Nesterov momentum on the squared loss, the gradient taken ahead."""
    weights, velocity = layer.weights, torch.zeros_like(layer.weights)
    for _ in range(STEPS):
        batch = torch.from_numpy(random.integers(0, len(x), BATCH))
        with torch.no_grad():
            weights -= MOMENTUM * velocity
        loss = (y[batch] - layer(x[batch])[:, 0]).square().mean()
        (slope,) = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            weights += MOMENTUM * velocity
            velocity = MOMENTUM * velocity + RATE * slope
            weights -= velocity


def accuracies(name: str) -> list[float]:
    """Of all seeds of a setting."""
    n_components, circuit, _ = SETTINGS[name]
    x, y, x_test, y_test = components(n_components)
    found = []
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        made = circuit()
        layer = QuantumLayer(made, [ql.Z(READOUT)], init=random.normal(size=made.n_weights), dtype=torch.float32)
        train(layer, x, y, random)
        with torch.no_grad():
            found.append(float(((layer(x_test)[:, 0] > 0) == (y_test > 0)).float().mean()))
    return found


def main() -> None:
    for name, (_, _, published) in SETTINGS.items():
        start, found = time.perf_counter(), accuracies(name)
        mean, spread = float(np.mean(found)), float(np.std(found))
        record(
            f"MNIST 0 against 1, {name}", f"{published:.3f} within .01, mean of {SEEDS}",
            f"{mean:.4f} +- {spread:.4f}", abs(mean - published) <= 0.01, time.perf_counter() - start,
        )  # fmt: skip


if __name__ == "__main__":
    main()
