"""QAOA of maximum cuts on random 3-regular graphs: terms on their light cones by state vectors, or all by Pauli words.

The mean energy and its 2 p slopes at 8 points. Which is faster; there is no goal. Checked first: both give the same.
At three layers words have no room (38 million after two thirds of the way back, of 30 spins).

Run: python -m benchmarks.propagation.cones
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import networkx as nx
import numpy as np

from benchmarks.results import append_row, provenance
from qloom.combinatorial import LightCone, MaxCut, Quadratic
from qloom.combinatorial.qaoa import Polynomial, qaoa_circuit
from qloom.engines import PropagationEngine, make_batch
from qloom.observables import PauliSum, pauli


def function_of(n: int) -> Quadratic:
    edges = np.array(nx.random_regular_graph(3, n, seed=0).edges)
    return MaxCut(n, edges, np.ones(len(edges))).quadratic


def observable_of(function: Quadratic) -> PauliSum:
    spins, terms = function.as_spins(), dict[tuple[int, int], complex]()
    for i, j, value in zip(spins.first.tolist(), spins.second.tolist(), spins.values.tolist(), strict=True):
        terms |= {word: value * c for word, c in pauli("ZZ", (i, j)).terms.items()}
    return PauliSum(terms)


def seconds(work: Any) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def main() -> None:
    for n_layers, n in ((1, 30), (1, 300), (2, 30), (2, 300)):
        function, points = function_of(n), np.random.default_rng(0).uniform(-0.5, 0.5, (8, 2 * n_layers))
        circuit, observable = qaoa_circuit(Polynomial.from_quadratic(function), n_layers), observable_of(function)
        words = PropagationEngine().prepare_adjoint(circuit, [observable])
        batch, ones = make_batch(circuit, weights=points), np.ones((8, 1))

        def walk(words: Any = words, batch: Any = batch, ones: Any = ones) -> tuple[np.ndarray, Any]:
            values, kept = words.forward(batch, True)
            return values[:, 0], words.backward(batch, ones, kept, (False, True))[1]

        row: dict[str, Any] = {"layers": n_layers, "spins": n, "terms": len(observable)}
        cones: Any = LightCone(function, n_layers)
        row |= {"cones_s": seconds(lambda c=cones, p=points: c(p)), "cones": len(cones.cones)}
        (values, slopes), (right, gradients) = walk(), cones(points)
        assert np.abs(values + function.as_spins().constant - right).max() < 1e-9
        assert np.abs(slopes - gradients).max() < 1e-9
        row |= {"words_s": seconds(walk), "words": int(words.propagated(batch).words[0])}
        append_row("propagation_cones", {**row, **provenance()})
        print(row, flush=True)


if __name__ == "__main__":
    main()
