"""Shots until an energy is right to 1% and 0.2%: optimizers that measure, on the transverse-field Ising chain.

Goal: shot-adaptive Adam needs fewer than Adam with any fixed number, by the median over seeds.

Run: python -m benchmarks.training.shots [--plot]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch

import qloom as ql
from benchmarks.plots import save, thinned
from benchmarks.published.workers import in_parallel
from benchmarks.results import ROOT, append_row, provenance
from benchmarks.training.ising import ground_energy, hamiltonian, summary
from qloom.nn import QuantumLayer
from qloom.optimizers import QNSPSA, SPSA, QuantumOptimizer, Rotosolve, ShotAdaptiveAdam

QUBITS, LAYERS, SEEDS, MOST_SHOTS = 4, 3, range(10), 5_000_000
TOLERANCES = (1e-2, 2e-3)
PICTURE = ROOT / "docs" / "plots" / "shots.svg"


@dataclass(frozen=True)
class Way:
    """An optimizer, the measurements of a value, and whether the optimizer wants a gradient."""

    make: Callable[[QuantumLayer], torch.optim.Optimizer]
    shots: int
    slopes: bool = True


WAYS = {
    "Adam, 10 shots": Way(lambda layer: torch.optim.Adam(layer.parameters(), 0.05), 10),
    "Adam, 100 shots": Way(lambda layer: torch.optim.Adam(layer.parameters(), 0.05), 100),
    "Adam, 1,000 shots": Way(lambda layer: torch.optim.Adam(layer.parameters(), 0.05), 1000),
    "shot-adaptive Adam": Way(lambda layer: ShotAdaptiveAdam(layer, 0.05), 10),
    "Rotosolve, 100 shots": Way(Rotosolve, 100, slopes=False),
    "SPSA, 100 shots": Way(lambda layer: SPSA(layer, 0.1), 100, slopes=False),
    "QNSPSA, 100 shots": Way(
        lambda layer: QNSPSA(layer, 0.1, engine=ql.engines.StatevectorEngine()), 100, slopes=False
    ),
}


def train(way: str, seed: int) -> tuple[str, int, list[tuple[int, float]]]:
    """Shots spent and the exact relative error of the energy after every step, until that is least."""
    torch.set_num_threads(1)
    circuit, energy = ql.ansatze.hardware_efficient(QUBITS, LAYERS, ("ry", "rz")), [hamiltonian(QUBITS)]
    layer = QuantumLayer(circuit, energy, shots=WAYS[way].shots, seed=seed, dtype=torch.float64)
    optimizer, exact, curve, spent = WAYS[way].make(layer), ground_energy(QUBITS), [], 0

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = layer()[0]
        if WAYS[way].slopes:
            loss.backward()
        return loss

    while spent < MOST_SHOTS:
        optimizer.step(closure)  # type: ignore[arg-type]
        known = isinstance(optimizer, QuantumOptimizer)
        spent = optimizer.cost.shots if known else spent + layer.shots_a_run * (1 + layer.walk_cost)  # type: ignore[union-attr]
        value = ql.expectation(circuit, energy, weights=layer.weights.detach().numpy())[0]
        curve.append((spent, 1 - value / exact))
        if curve[-1][1] < min(TOLERANCES):
            break
    return way, seed, curve


def shots_needed(curve: list[tuple[int, float]], tolerance: float) -> float:
    """Infinite if the tolerance was not reached."""
    return next((spent for spent, error in curve if error < tolerance), float("inf"))


def main(plot: bool = False) -> None:
    curves = {(way, seed): curve for way, seed, curve in in_parallel(train, [(w, s) for w in WAYS for s in SEEDS])}
    for way, tolerance in product(WAYS, TOLERANCES):
        row = {"optimizer": way, "tolerance": tolerance}
        row |= summary("shots", [shots_needed(curves[way, seed], tolerance) for seed in SEEDS])
        print(row, flush=True)
        append_row("shots", row | provenance())
    if plot:
        draw(curves)


def draw(curves: dict[tuple[str, int], list[tuple[int, float]]]) -> None:
    """Errors over shots, the seed with the median number of shots of each optimizer."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.8), layout="constrained")
    ax = figure.add_subplot()
    colors = ("#bbbbbb", "#888888", "#444444", "#d55e00", "#0072b2", "#009e73", "#cc79a7")
    for way, color in zip(WAYS, colors, strict=True):
        middle = sorted(SEEDS, key=lambda seed: shots_needed(curves[way, seed], TOLERANCES[0]))[(len(SEEDS) - 1) // 2]
        ax.loglog(*thinned(curves[way, middle]), color=color, lw=2 if "adaptive" in way else 1.2, label=way)
    for tolerance in TOLERANCES:
        ax.axhline(tolerance, color="black", lw=0.7, ls=":")
    ax.set_xlabel("shots")
    ax.set_ylabel("relative error of the energy")
    ax.legend(frameon=False, fontsize=8)
    save(figure, PICTURE)


if __name__ == "__main__":
    main("--plot" in sys.argv)
