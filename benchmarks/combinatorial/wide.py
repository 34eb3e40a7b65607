"""Quantum searches of more variables than a state vector has room for, beside their controls in equal time.

Pauli-correlation encoding beside the same descent from random states; blocks by QAOA beside blocks by looking at all
states, by annealing and by as many random states as QAOA measures; all beside annealing of the whole. Then what QAOA's
light cone takes on a graph of 1000 nodes with 3 neighbours each, at the best angles of the tree.

Run: python -m benchmarks.combinatorial.wide [INSTANCE ...]   (reads ../shared/instances; under 6 minutes)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.others import noting_others
from benchmarks.results import append_row, provenance
from benchmarks.shared import INSTANCES
from qloom.combinatorial import MaxCut, Quadratic, SimulatedAnnealing, Solver, read_max_cut
from qloom.combinatorial.qaoa import tree_angles
from qloom.combinatorial.solvers import descend
from qloom.combinatorial.wide import BlockSearch, Enumeration, LightCone, PauliCorrelation

GRAPH_FILES = INSTANCES / "maxcut_gset"
# Best known cut, seconds for each method.
GRAPHS = {"G1": (11624, 4), "G43": (6660, 4), "G22": (13359, 6), "3-regular": (None, 4)}
SEEDS, MEASURED = 2, 128
# After as many, searches by blocks are compared at equal numbers of blocks too.
ROUNDS = 100


class RandomStates(Solver):
    """States without any search; brought down by single flips, if asked for."""

    def __init__(self, n_states: int, down: bool):
        super().__init__()
        self.n_states, self.down = n_states, down

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            states = random.choice(np.array([-1, 1], np.int8), (self.n_states, spins.n))
            yield descend(spins, states, pairs=False) if self.down else (states, spins.energies(states))


METHODS = {
    "Pauli correlations": PauliCorrelation,
    "descent from random states": lambda: RandomStates(100, True),
    "blocks, QAOA": BlockSearch,
    "blocks, all states": lambda: BlockSearch(Enumeration()),
    "blocks, annealing": lambda: BlockSearch(SimulatedAnnealing(20, 4)),
    "blocks, random states": lambda: BlockSearch(RandomStates(MEASURED, False)),
    "annealing": SimulatedAnnealing,
}


def regular(n: int = 1000, degree: int = 3, seed: int = 0) -> MaxCut:
    """A random graph with equally many neighbours of each node."""
    random = np.random.default_rng(seed)
    while True:
        edges = np.sort(random.permutation(np.repeat(np.arange(n), degree)).reshape(-1, 2), axis=1)
        if (edges[:, 0] != edges[:, 1]).all() and len(np.unique(edges, axis=0)) == len(edges):
            return MaxCut(n, edges, np.ones(len(edges)))


def graph(name: str) -> MaxCut:
    return regular() if name == "3-regular" else read_max_cut(GRAPH_FILES / f"{name}.txt")


def search(solver: Solver, function: Quadratic, seconds: float, seed: int) -> tuple[float, float]:
    """The best cut within the time, and within the first rounds; NaN if there were not so many."""
    start, best, early = time.perf_counter(), -np.inf, np.nan
    for k, (_, energies) in enumerate(solver.rounds(function, np.random.default_rng(seed)), 1):
        best = max(best, -float(energies.min()))
        early = best if k == ROUNDS else early
        if time.perf_counter() - start >= seconds:
            break
    return best, early


def measure(name: str, method: str, function: Quadratic) -> None:
    seen, limit = {"others": 0.0}, GRAPHS[name][1]
    with noting_others(seen):
        found = np.array([search(METHODS[method](), function, limit, seed) for seed in range(SEEDS)])
    note(name, method, limit, found, None, seen["others"])


def measure_light_cone(name: str, n_layers: int, function: Quadratic) -> None:
    """The mean cut, with the time that cones and one evaluation take."""
    seen, start = {"others": 0.0}, time.perf_counter()
    with noting_others(seen):
        cone = LightCone(function, n_layers)
        values, _ = cone(tree_angles(3, n_layers).reshape(1, -1))
    seconds, found = time.perf_counter() - start, np.array([[-values[0], np.nan]])
    note(name, f"light cone, p = {n_layers}, mean of its state", seconds, found, len(cone.cones), seen["others"])


def note(name: str, method: str, seconds: float, found: np.ndarray, circuits: int | None, others: float) -> None:
    problem = graph(name)
    row: dict[str, Any] = {
        "instance": name, "n": problem.n_nodes, "edges": len(problem.edges), "best_known": GRAPHS[name][0],
        "method": method, "seconds": seconds, "seeds": len(found), "mean_cut": float(found[:, 0].mean()),
        "best_cut": float(found[:, 0].max()), f"mean_cut_after_{ROUNDS}_rounds": float(found[:, 1].mean()),
        "circuits": circuits, "others": others,
    }  # fmt: skip
    print(row, flush=True)
    append_row("wide", row | provenance())


def main() -> None:
    if not GRAPH_FILES.is_dir():
        raise SystemExit(f"{GRAPH_FILES} does not exist, expected the instances; put them there")
    for name in sys.argv[1:] or GRAPHS:
        function = graph(name).quadratic
        for method in METHODS:
            measure(name, method, function)
        for n_layers in (1, 2) if name == "3-regular" else ():
            measure_light_cone(name, n_layers, function)


if __name__ == "__main__":
    main()
