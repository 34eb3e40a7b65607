"""Ground states of the transverse-field Ising chain: evaluations until the energy is right to a thousandth.

Goal: natural gradient and imaginary time need fewer than Adam at 8 and 12 qubits, by the median over seeds.

Run: python -m benchmarks.training.ising [--plot]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

import qloom as ql
from benchmarks.plots import save, thinned
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


def variational(n: int) -> ql.Circuit:
    """n / 2 layers of the Hamiltonian's own words, each with an angle of its own, from |+...+>."""
    circuit = ql.Circuit(n)
    for q in range(n):
        circuit.h(q)
    for _ in range(n // 2):
        for q, angle in enumerate(circuit.weights(n - 1)):
            circuit.rzz(angle, q, q + 1)
        for q, angle in enumerate(circuit.weights(n)):
            circuit.rx(angle, q)
    return circuit


def hardware_efficient(n: int) -> ql.Circuit:
    """n / 2 layers of RY, RZ and a line of CX."""
    return ql.ansatze.hardware_efficient(n, n // 2, ("ry", "rz"))


CIRCUITS = {"words of the Hamiltonian": variational, "hardware-efficient": hardware_efficient}


def ground_energy(n: int) -> float:
    """By free fermions: minus the sum of the singular values of a bidiagonal matrix (Pfeuty 1970)."""
    return -float(np.linalg.svd(np.eye(n) + np.eye(n, k=-1), compute_uv=False).sum())


def train(kind: str, n: int, way: str, seed: int) -> tuple[tuple[str, int, str, int], list[tuple[int, float]]]:
    """Evaluations and relative error of the energy at every step from random angles, until it is small enough."""
    torch.set_num_threads(1)
    layer = QuantumLayer(CIRCUITS[kind](n), [hamiltonian(n)], init="uniform", seed=seed, dtype=torch.float64)
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
    return (kind, n, way, seed), curve


def spent(curve: list[tuple[int, float]]) -> float:
    """Evaluations to the tolerance; infinite if it was not reached."""
    return curve[-1][0] if curve[-1][1] < TOLERANCE else float("inf")


def summary(unit: str, found: list[float]) -> dict[str, Any]:
    """Of what every seed took: the median, how many arrived, and all of it."""
    return {
        "median": float(np.median(found)), "reached": int(np.isfinite(found).sum()), "of": len(found),
        unit: " ".join(f"{value:g}" for value in sorted(found)),
    }  # fmt: skip


Curves = dict[tuple[str, int, str, int], list[tuple[int, float]]]


def main(plot: bool = False) -> None:
    works = [(kind, n, way, seed) for kind in CIRCUITS for n in WIDTHS[::-1] for way in WAYS for seed in SEEDS]
    curves: Curves = dict(in_parallel(train, works))
    for kind, n, way in product(CIRCUITS, WIDTHS, WAYS):
        row = {"circuit": kind, "qubits": n, "optimizer": way}
        row |= summary("evaluations", [spent(curves[kind, n, way, seed]) for seed in SEEDS])
        print(row, flush=True)
        append_row("ising", row | provenance())
    if plot:
        draw(curves, PICTURE)


def draw(curves: Curves, path: Path) -> None:
    """Errors over evaluations, a line a seed; of Adam the step size with the best median."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    panels = figure.subplots(len(CIRCUITS), len(WIDTHS), sharey=True, squeeze=False)
    for row, kind in zip(panels, CIRCUITS, strict=True):
        for ax, n in zip(row, WIDTHS, strict=True):
            _panel(ax, {key[2:]: curve for key, curve in curves.items() if key[:2] == (kind, n)})
            ax.set_title(f"{kind}, {n} qubits", loc="left", fontsize=10)
        row[0].set_ylabel("relative error of the energy")
    for ax in panels[-1]:
        ax.set_xlabel("runs of the circuit")
    save(figure, path)


def _panel(ax: Any, curves: dict[tuple[str, int], list[tuple[int, float]]]) -> None:
    rates = [way for way in WAYS if way.startswith("Adam")]
    best = min(rates, key=lambda way: np.median([min(spent(curves[way, seed]), 1e9) for seed in SEEDS]))
    for way, color in ((best, "#777777"), ("natural gradient", "#0072b2"), ("imaginary time", "#d55e00")):
        for seed in SEEDS:
            ax.loglog(*thinned(curves[way, seed]), color=color, lw=1, label=way if seed == 0 else None)
    ax.axhline(TOLERANCE, color="black", lw=0.7, ls=":")
    ax.legend(frameon=False, fontsize=8)


if __name__ == "__main__":
    main("--plot" in sys.argv)
