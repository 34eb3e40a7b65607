"""An IQP model of 1,000 bits of a known truth: an Ising model on a scale-free graph, at a known temperature.

Spins on a graph grown by preferential attachment, two edges a node (Barabasi and Albert 1999), of couplings
J = 0.2 and fields of 0.1 by chance, in units of the temperature; rows are ends of Gibbs chains, one a row.

Goal: 2,000 steps in under 15 minutes; the discrepancy to test rows at most 1.5 times that of as many fresh rows of the
truth, less than that of independent bits, beside a restricted Boltzmann machine. An unbiased discrepancy of fresh rows
is 0 but for noise, so for the first of these the noise of two samples of that size, twice (1 - mean kernel) / N, is
added to all: what is compared is what two samples would show.

Run: python -m benchmarks.generative.iqp_wide [MODEL...]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from benchmarks.results import append_row, provenance
from qloom.models import ChowLiuTree, IndependentBits, IQPModel, RestrictedBoltzmannMachine
from qloom.models.generative.words import median_width, own_kernel, sample_mmd

N_BITS, N_ROWS, COUPLING, FIELD, SWEEPS = 1000, 10_000, 0.2, 0.1, 200


def scale_free_graph(n_nodes: int, random: np.random.Generator) -> list[np.ndarray]:
    """The neighbours of each node; a new node chooses two others, more likely those with many neighbours."""
    ends, neighbours = [0, 1], [[1], [0]]
    for node in range(2, n_nodes):
        chosen: set[int] = set()
        while len(chosen) < 2:
            chosen.add(ends[random.integers(len(ends))])
        neighbours.append(sorted(chosen))
        for other in chosen:
            neighbours[other].append(node)
            ends += [node, other]
    return [np.array(each) for each in neighbours]


def gibbs_rows(
    neighbours: list[np.ndarray], fields: np.ndarray, n_rows: int, random: np.random.Generator
) -> np.ndarray:
    """Ends of chains, uint8 (n_rows, n): spin -1 is bit 1."""
    spins = random.choice(np.array([-1, 1], np.float32), (len(neighbours), n_rows))
    for _ in range(SWEEPS):
        for node, others in enumerate(neighbours):
            field = np.float32(2 * COUPLING) * spins[others].sum(axis=0) + np.float32(2 * fields[node])
            spins[node] = np.where(random.random(n_rows, np.float32) * (1 + np.exp(-field)) < 1, 1, -1)
    return (spins.T < 0).astype(np.uint8)


def main() -> None:
    random = np.random.default_rng(0)
    graph, fields = scale_free_graph(N_BITS, random), FIELD * random.choice([-1, 1], N_BITS)
    train, test, fresh = (gibbs_rows(graph, fields, N_ROWS, random) for _ in range(3))
    median = median_width(train)
    models = {
        "IQP": IQPModel(n_steps=2000, learning_rate=0.0001),
        "IndependentBits": IndependentBits(),
        "ChowLiuTree": ChowLiuTree(),
        "RestrictedBoltzmannMachine": RestrictedBoltzmannMachine(n_parameters=N_BITS * (N_BITS + 1) // 2),
    }
    found = {"fresh rows": ([sample_mmd(fresh, test, width) for width in (median, median / 2, median / 4)], 0.0)}
    for name in sys.argv[1:] or models:
        model, start = models[name], time.perf_counter()
        model.fit(train)
        seconds = time.perf_counter() - start
        found[name] = ([model.mmd(test, width) for width in (median, median / 2, median / 4)], seconds)
    for name, (values, seconds) in found.items():
        for share, value in zip((1, 2, 4), values, strict=True):
            noise = 2 * (1 - own_kernel(test, median / share)) / N_ROWS
            row = {"model": name, "bits": N_BITS, "width": median / share, "mmd": value, "noise": noise,
                   "of_fresh_rows": (value + noise) / noise, "seconds": seconds}  # fmt: skip
            append_row("iqp_wide", {**row, **provenance()})
            print(f"{name:28s} width {row['width']:6.2f}: {value: .2e}, with noise {row['of_fresh_rows']:.2f} times "
                  f"fresh rows' ({seconds:.0f} s)", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
