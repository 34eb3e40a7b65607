"""Layer by layer against all at once, with shot noise: MNIST 3 against 6 on six qubits, twenty seeds of each.

Skolik et al. 2021 (Quantum Machine Intelligence 3, 5) found a lower test error for training layer by layer with shots,
and a larger share of runs that train at all. Six principal components are angles of six qubits; layers are RX, RZ and
a line of CZ; Z of the last qubit is the label; Adam; as many steps for both, and once as many runs of the circuit.

Run: python -m benchmarks.training.layerwise
"""

from __future__ import annotations

import time

import numpy as np
import torch
from sklearn.decomposition import PCA

import qloom as ql
from benchmarks.published.mnist import images
from benchmarks.published.workers import in_parallel
from benchmarks.results import append_row, provenance
from qloom.nn import QuantumLayer

N_QUBITS, N_LAYERS, SHOTS, BATCH, RATE, SEEDS = 6, 8, 50, 8, 0.05, 20
# Ways and their steps.
WAYS = {"all at once": 160, "layer by layer": 160, "layer by layer, as many runs": 506}
TRAIN_ROWS, TEST_ROWS = 400, 800


def rows() -> list[torch.Tensor]:
    """Angles and signs: x, y, x_test, y_test."""
    (x, y), (x_test, y_test) = images("train", (3, 6)), images("t10k", (3, 6))
    pca = PCA(N_QUBITS, random_state=0, whiten=True).fit(x.reshape(len(x), -1))
    parts = []
    for pixels, first, count in ((x, y, TRAIN_ROWS), (x_test, y_test, TEST_ROWS)):
        chosen = np.random.default_rng(0).choice(len(pixels), count, replace=False)
        angles = np.clip(pca.transform(pixels[chosen].reshape(count, -1)), -np.pi, np.pi)
        parts += [torch.from_numpy(angles.astype(np.float32)), torch.from_numpy(np.where(first[chosen], 1.0, -1.0))]
    return [part.float() for part in parts]


def circuit() -> ql.Circuit:
    return ql.encoders.angle(N_QUBITS) + ql.ansatze.hardware_efficient(N_QUBITS, N_LAYERS, ("rx", "rz"), "linear", "cz")


def stage(step: int, steps: int) -> slice:
    """Of layer by layer: one layer after the other in the first half of the steps, then halves of the circuit."""
    a_layer, first = 2 * N_QUBITS, steps // 2
    if step < first:
        number = step * N_LAYERS // first
        return slice(number * a_layer, (number + 1) * a_layer)
    half = N_LAYERS * a_layer // 2
    return slice(0, half) if (step - first) // (first // 4) % 2 == 0 else slice(half, None)


def run(way: str, seed: int) -> tuple[str, float, float, int]:
    """Test error and loss of exact values after training with shots; runs of the circuit."""
    torch.set_num_threads(1)
    x, y, x_test, y_test = rows()
    random = np.random.default_rng(seed)
    made, runs = circuit(), 0
    start = random.uniform(0, 2 * np.pi, made.n_weights)
    layerwise, steps = way != "all at once", WAYS[way]
    if layerwise:
        start[2 * N_QUBITS :] = 0  # layers that are still to come do nothing but entangle
    layer = QuantumLayer(made, [ql.Z(N_QUBITS - 1)], shots=SHOTS, init=start, dtype=torch.float32, seed=seed)
    optimizer, before = torch.optim.Adam(layer.parameters(), RATE), None
    for step in range(steps):
        if layerwise and stage(step, steps) != before:
            before = stage(step, steps)
            optimizer = torch.optim.Adam(layer.train_weights(before).parameters(), RATE)
        batch = torch.from_numpy(random.integers(0, len(x), BATCH))
        optimizer.zero_grad()
        (y[batch] - layer(x[batch])[:, 0]).square().mean().backward()
        optimizer.step()
        turned = len(range(made.n_weights)[before]) if before else made.n_weights
        runs += BATCH * (1 + 2 * turned)
    values = ql.expectation(made, [ql.Z(N_QUBITS - 1)], x_test.numpy(), layer.weights.detach().numpy())[:, 0]
    return (
        way,
        float(np.mean(np.sign(values) != y_test.numpy())),
        float(np.mean((y_test.numpy() - values) ** 2)),
        (runs),
    )


def main() -> None:
    start = time.perf_counter()
    works = [(way, seed) for seed in range(SEEDS) for way in WAYS]
    found = list(in_parallel(run, works))
    for way, steps in WAYS.items():
        errors = np.sort([error for name, error, _, _ in found if name == way])
        losses = [loss for name, _, loss, _ in found if name == way]
        row = {
            "training": way, "seeds": SEEDS, "shots": SHOTS, "steps": steps, "mean_error": errors.mean(),
            "quartiles": " ".join(f"{value:.3f}" for value in np.quantile(errors, (0, 0.25, 0.5, 0.75, 1))),
            "mean_loss": np.mean(losses), "below_a_quarter": int((errors < 0.25).sum()),
            "evaluations": next(runs for name, _, _, runs in found if name == way),
        }  # fmt: skip
        print(row, flush=True)
        append_row("layerwise", row | provenance())
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
