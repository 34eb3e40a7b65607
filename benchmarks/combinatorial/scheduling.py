"""Job shops: seconds until a schedule is proven optimal, and who found it.

Goals: ft06 55, la01 666 and ft10 930 feasible and proven optimal in under 2 minutes on two cores. Tabu search begins,
CP-SAT goes on from its schedule. Beside them: tabu search alone in the same time, and CP-SAT alone within the limit.

Run: python -m benchmarks.combinatorial.scheduling   (reads ../shared/instances)
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.results import append_row, provenance
from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.job_shop import JobShop, read_job_shop

JOB_SHOPS = INSTANCES / "jssp" / "instances"
OPTIMA = {"ft06": 55, "la01": 666, "ft10": 930}
LIMIT_S, TABU_S = 120.0, 5.0


def improved(problem: JobShop, seconds: float) -> np.ndarray:
    """By tabu search alone, from a random order."""
    random = np.random.default_rng(0)
    return problem.improve(problem.random_solution(random), seconds, random)


def measure(name: str) -> dict[str, Any]:
    """What each stage reached and proved, and when."""
    problem, start = read_job_shop(JOB_SHOPS / name), time.perf_counter()
    begun = improved(problem, TABU_S)
    begun_s = time.perf_counter() - start
    proof = problem.certify(LIMIT_S - begun_s, begun)
    seconds = time.perf_counter() - start
    alone = problem.certify(LIMIT_S)
    feasible = proof.solution is not None and problem.is_feasible(proof.solution)
    return {
        "instance": name, "optimum": OPTIMA[name], "tabu_s": begun_s, "tabu": problem.objective(begun),
        "proven": proof.objective, "bound": proof.bound, "status": proof.status, "seconds": seconds,
        "tabu_alone": problem.objective(improved(problem, seconds)), "exact_alone": alone.objective,
        "exact_alone_bound": alone.bound, "exact_alone_s": alone.seconds, "limit_s": LIMIT_S,
        "met": feasible and proof.status == "optimal" and proof.objective == OPTIMA[name] and seconds < LIMIT_S,
    }  # fmt: skip


def main() -> None:
    if not JOB_SHOPS.is_dir():
        raise SystemExit(f"{JOB_SHOPS} does not exist, expected the instances; put them there")
    for name in OPTIMA:
        row = measure(name)
        print(row, flush=True)
        append_row("scheduling", row | provenance())


if __name__ == "__main__":
    main()
