"""W1: one training step of a hybrid layer, forward and full backward to weights and inputs.

RY(x_q) on every qubit, then L times (RZ RY RZ on every qubit, ring of CNOTs), <Z_q> of every q, mean squared loss.
The floor is 2^n B L (16 n + 14) float32 fused multiply-adds; each row gives the rate that was reached.

Run: python benchmarks/engine/w1.py [--threads 2]. Rows are appended to benchmarks/results/w1.csv.
"""

from __future__ import annotations

import argparse
import csv
import platform
import subprocess
import time
from pathlib import Path

import numpy as np
import torch

import qloom as ql

RESULTS = Path(__file__).resolve().parents[1] / "results" / "w1.csv"
# (n, B, L) -> goal in milliseconds; None where none is set yet.
COLUMNS = (
    "commit", "machine", "threads", "n", "batch", "layers", "median_ms", "min_ms", "max_ms", "goal_ms", "gfma_per_s",
)  # fmt: skip
CASES = {(4, 32, 2): None, (8, 32, 4): None, (8, 256, 4): 5.0, (10, 128, 4): None, (12, 64, 4): None}


def make_layer(n: int, n_layers: int, threads: int | None) -> ql.nn.QuantumLayer:
    circuit = ql.encoders.angle(n) + ql.ansatze.strongly_entangling(n, n_layers, [1] * n_layers)
    return ql.nn.QuantumLayer(circuit, engine=ql.engines.StatevectorEngine(threads), init="uniform", seed=0)


def step(layer: torch.nn.Module, x: torch.Tensor, target: torch.Tensor) -> None:
    loss = (layer(x) - target).square().sum(dim=1).mean()
    loss.backward()


def check(layer: ql.nn.QuantumLayer, x: torch.Tensor) -> None:
    """The first two samples agree with the reference engine to 1e-4 before anything is timed."""
    truth = ql.expectation(
        layer.circuit, None, x[:2].detach().numpy(), layer.weights.detach().numpy(), engine=ql.engines.ReferenceEngine()
    )
    np.testing.assert_allclose(layer(x[:2]).detach(), truth, atol=1e-4)


def measure(n: int, batch: int, n_layers: int, threads: int | None, repeats: int = 50) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, n, generator=generator, requires_grad=True)
    target = torch.rand(batch, n, generator=generator)
    layer = make_layer(n, n_layers, threads)
    check(layer, x)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step(layer, x, target)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=None)
    threads = parser.parse_args().threads
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    RESULTS.parent.mkdir(exist_ok=True)
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(COLUMNS)
        for (n, batch, n_layers), goal in CASES.items():
            times = measure(n, batch, n_layers, threads)
            median = float(np.median(times))
            rate = 2**n * batch * n_layers * (16 * n + 14) / median / 1e6
            print(f"n={n} B={batch} L={n_layers}: {median:.3f} ms, {rate:.1f} G multiply-adds/s, goal {goal or '-'} ms")
            row = [commit, platform.machine(), threads or "all", n, batch, n_layers, median, min(times), max(times)]
            writer.writerow([*row, goal or "", round(rate, 2)])


if __name__ == "__main__":
    main()
