"""Ground states of the transverse-field Ising chain: evaluations until the energy is right to a thousandth.

Run: python -m benchmarks.training.ising [--plot]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import qloom as ql
from benchmarks.plots import save
from benchmarks.published.workers import in_parallel
from benchmarks.results import ROOT, append_row, provenance
from qloom.nn import QuantumLayer
from qloom.optimizers import ImaginaryTime, NaturalGradient, QuantumOptimizer

WIDTHS, SEEDS, TOLERANCE = (8, 12), range(5), 1e-3
PICTURE = ROOT / "docs" / "plots" / "ising.svg"
# A value and a walk back, in runs of the circuit.
ADAM_STEP = 3


@dataclass(frozen=True)
class Way:
    """An optimizer with its step size, and how many steps it may take."""

    make: Callable[[QuantumLayer], torch.optim.Optimizer]
    most_steps: int


WAYS = {
    "Adam, 0.02": Way(lambda layer: torch.optim.Adam(layer.parameters(), 0.02), 6000),
    "Adam, 0.05": Way(lambda layer: torch.optim.Adam(layer.parameters(), 0.05), 6000),
    "Adam, 0.1": Way(lambda layer: torch.optim.Adam(layer.parameters(), 0.1), 6000),
    "natural gradient": Way(lambda layer: NaturalGradient(layer, 0.1), 400),
    "imaginary time": Way(lambda layer: ImaginaryTime(layer, 0.2), 400),
}


def hamiltonian(n: int) -> ql.PauliSum:
    """- sum Z Z - sum X on an open line, at its critical point."""
    terms = [-1.0 * ql.Z(q) @ ql.Z(q + 1) for q in range(n - 1)] + [-1.0 * ql.X(q) for q in range(n)]
    return sum(terms[1:], start=terms[0])


def ground_energy(n: int) -> float:
    """By free fermions: minus the sum of the singular values of a bidiagonal matrix (Pfeuty 1970)."""
    return -float(np.linalg.svd(np.eye(n) + np.eye(n, k=-1), compute_uv=False).sum())


def train(way: str, n: int, seed: int) -> tuple[str, int, int, list[tuple[int, float]]]:
    """Evaluations and relative error of the energy at every step, until it is small enough."""
    torch.set_num_threads(1)
    circuit = ql.ansatze.hardware_efficient(n, n // 2, ("ry", "rz"))
    layer = QuantumLayer(circuit, [hamiltonian(n)], init="uniform", seed=seed, dtype=torch.float64)
    optimizer, exact, curve = WAYS[way].make(layer), ground_energy(n), []

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = layer()[0]
        loss.backward()
        return loss

    for step in range(WAYS[way].most_steps):
        loss: Any = optimizer.step(closure)
        spent = optimizer.cost.evaluations if isinstance(optimizer, QuantumOptimizer) else ADAM_STEP * (step + 1)
        curve.append((spent, 1 - loss.item() / exact))
        if curve[-1][1] < TOLERANCE:
            break
    return way, n, seed, curve


def spent(curve: list[tuple[int, float]]) -> float:
    """Evaluations to the tolerance; infinite if it was not reached."""
    return curve[-1][0] if curve[-1][1] < TOLERANCE else float("inf")


def main(plot: bool = False) -> None:
    works = [(way, n, seed) for n in WIDTHS[::-1] for way in WAYS for seed in SEEDS]
    curves = {(way, n, seed): curve for way, n, seed, curve in in_parallel(train, works)}
    for n in WIDTHS:
        for way in WAYS:
            found = sorted(spent(curves[way, n, seed]) for seed in SEEDS)
            reached = sum(np.isfinite(found))
            row = {
                "qubits": n, "optimizer": way, "median": found[len(found) // 2], "reached": reached, "of": len(found),
                "evaluations": " ".join(f"{value:g}" for value in found),
            }  # fmt: skip
            print(row, flush=True)
            append_row("ising", row | provenance())
    if plot:
        draw(curves, PICTURE)


def draw(curves: dict[tuple[str, int, int], list[tuple[int, float]]], path: Path) -> None:
    """Errors over evaluations, a line a seed; of Adam the step size that reached it most often."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    colors = {"Adam": "#777777", "natural gradient": "#0072b2", "imaginary time": "#d55e00"}
    for ax, n in zip(figure.subplots(1, len(WIDTHS), sharey=True), WIDTHS, strict=True):
        rates = [way for way in WAYS if way.startswith("Adam")]
        best = min(rates, key=lambda way: np.median([min(spent(curves[way, n, s]), 1e9) for s in SEEDS]))
        for way, color in ((best, colors["Adam"]), *list(colors.items())[1:]):
            for seed in SEEDS:
                cost, error = np.array(curves[way, n, seed]).T
                ax.loglog(cost, error, color=color, lw=1, label=way if seed == 0 else None)
        ax.axhline(TOLERANCE, color="black", lw=0.7, ls=":")
        ax.set_title(f"{n} qubits", loc="left")
        ax.set_xlabel("runs of the circuit")
        ax.legend(frameon=False, fontsize=8)
    figure.axes[0].set_ylabel("relative error of the energy")
    save(figure, path)


if __name__ == "__main__":
    main("--plot" in sys.argv)
