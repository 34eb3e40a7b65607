"""Routes, tours, locations and quadratic assignments: what local search finds and what is then proven, in seconds.

Goals: the optimum found by `improve` and proven by `certify`, together in under a minute on two cores.

Run: python -m benchmarks.combinatorial.routing [INSTANCE ...]   (reads ../shared/instances)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import append_row, provenance
from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.facility_location import read_facility_location
from qloom.combinatorial.problems.quadratic_assignment import read_quadratic_assignment
from qloom.combinatorial.problems.travelling_salesman import read_travelling_salesman
from qloom.combinatorial.problems.vehicle_routing import read_vehicle_routing

# Seconds of the local search, and of the certificate that begins with what it found.
SEARCH, PROOF = 8.0, 50.0


@dataclass(frozen=True)
class Goal:
    """A file, its reader, and the optimum."""

    path: str
    read: Callable[[Path], Problem]
    optimum: float


LOCATIONS = {"holmberg_p1": 8848, "holmberg_p24": 10273, "delmaire_p1": 2014, "delmaire_p6": 2269}
ROUTES = {"A-n32-k5": 784, "A-n33-k5": 661, "A-n37-k5": 669, "A-n45-k6": 944}
ASSIGNMENTS = {"nug12": 578, "nug14": 1014, "tai12a": 224416, "nug20": 2570, "nug30": 6124}
TOURS = {
    "gr17": 2085, "gr21": 2707, "ulysses22": 7013, "bays29": 2020, "att48": 10628, "eil51": 426, "berlin52": 7542,
    "pr76": 108159, "kroA100": 21282, "eil101": 629, "ch130": 6110,
}  # fmt: skip


def goals() -> dict[str, Goal]:
    """By the name of the instance."""
    out = {name: Goal(f"facility_location/{name}.txt", read_facility_location, v) for name, v in LOCATIONS.items()}
    out |= {name: Goal(f"cvrp/{name}.vrp", read_vehicle_routing, v) for name, v in ROUTES.items()}
    out |= {name: Goal(f"qap/{name}.dat", read_quadratic_assignment, v) for name, v in ASSIGNMENTS.items()}
    return out | {name: Goal(f"tsp/{name}.tsp", read_travelling_salesman, v) for name, v in TOURS.items()}


def measure(name: str, goal: Goal, seed: int = 0) -> dict[str, Any]:
    """One row: the local search alone, then the certificate from there."""
    problem, random = goal.read(INSTANCES / goal.path), np.random.default_rng(seed)
    start = time.perf_counter()
    found = problem.improve(problem.random_solution(random), SEARCH, random)
    search_s = time.perf_counter() - start
    certificate = problem.certify(PROOF, found)
    objective = min(problem.objective(found), np.inf if certificate.objective is None else certificate.objective)
    bound = int(np.ceil(certificate.bound - 1e-3))  # all values are whole
    return {
        "instance": name, "optimum": goal.optimum, "improve": int(problem.objective(found)), "search_s": search_s,
        "objective": int(objective), "bound": bound,
        "gap": (objective - bound) / objective,
        "status": certificate.status, "method": certificate.method, "proof_s": certificate.seconds,
        "met": objective == goal.optimum and certificate.status == "optimal",
    }  # fmt: skip


def main() -> None:
    if not INSTANCES.is_dir():
        raise SystemExit(f"{INSTANCES} does not exist, expected the instances; put them there")
    wanted = sys.argv[1:] or list(goals())
    for name in wanted:
        row = measure(name, goals()[name])
        print(row, flush=True)
        append_row("routing", row | provenance())


if __name__ == "__main__":
    main()
