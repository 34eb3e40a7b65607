"""Dense quadratic functions of bits by `solve` with 5 s, beside 5 s of annealing by dwave-samplers in the same run.

Goals: the search and its answer within 5.5 s, and at least as good as the peer. Certificate and controls are on, as in
`qloom solve`; the peer anneals reads of 1,000 sweeps, with its own temperatures, until 5 s have passed. Both begin with
the same arrays. Functions: entries of -100 to 100, drawn evenly, for every pair and every bit. On a machine with other
work beside it wall times are of that too; then seconds of processors, `cpu_s`, say more.

Run: python -m benchmarks.combinatorial.limits   (needs pip install dwave-samplers==1.6.0)
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

import numpy as np

from benchmarks.results import append_row, provenance
from qloom.combinatorial import Quadratic, solve

SIZES, SEEDS, LIMIT, LATE, SWEEPS = (300, 500), 3, 5.0, 0.5, 1000


def function_of(n: int, seed: int) -> Quadratic:
    """x' Q x to be small."""
    entries = np.random.default_rng(seed).integers(-100, 101, (n, n)).astype(float)
    return Quadratic.from_matrix(np.triu(entries))


def theirs(function: Quadratic, seed: int) -> tuple[float, float]:
    """The lowest value, and the seconds until it was asked for no more."""
    import dimod
    from dwave.samplers import SimulatedAnnealingSampler

    pairs = (function.first, function.second, function.values)
    model = dimod.BinaryQuadraticModel.from_numpy_vectors(function.linear, pairs, function.constant, "BINARY")
    start, lowest, k = time.perf_counter(), np.inf, 0
    while (seconds := time.perf_counter() - start) < LIMIT:
        found = SimulatedAnnealingSampler().sample(model, num_reads=4, num_sweeps=SWEEPS, seed=1000 * seed + k)
        lowest, k = min(lowest, float(found.record.energy.min())), k + 1
    return lowest, seconds


def measure(n: int, seed: int) -> dict[str, Any]:
    function = function_of(n, seed)
    start, work = time.perf_counter(), time.process_time()
    solved = solve(function, time_limit=LIMIT, seed=seed)
    seconds, work = time.perf_counter() - start, time.process_time() - work
    lowest, their_seconds = theirs(function, seed)
    return {
        "n": n, "seed": seed, "limit_s": LIMIT, "seconds": seconds, "cpu_s": work, "value": solved.objective,
        "bound": solved.bound,
        "peer": f"dwave-samplers {version('dwave-samplers')}", "peer_seconds": their_seconds, "peer_value": lowest,
        "in_time": seconds <= LIMIT + LATE, "as_good": solved.objective <= lowest,
    }  # fmt: skip


def main() -> None:
    solve(function_of(20, 0), time_limit=1.0, seed=0)  # loads what it needs
    for n in SIZES:
        for seed in range(SEEDS):
            row = measure(n, seed)
            print(row, flush=True)
            append_row("solve_limits", row | provenance())


if __name__ == "__main__":
    main()
