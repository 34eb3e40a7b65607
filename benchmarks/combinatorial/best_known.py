"""Max-cut and binary quadratic instances: seconds until the best known value, over seeds.

Goals: G1 and G43 in under 10 s in 9 of 10 seeds, G22 within 60 s in half of them and never under 13,340, bqp250 and
bqp500 in under 5 s in all.

Run: python -m benchmarks.combinatorial.best_known   (reads ../shared/instances)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import append_row, provenance
from benchmarks.shared import INSTANCES
from qloom.combinatorial import MemeticAnnealing, read_max_cut


@dataclass(frozen=True)
class Goal:
    """A value, the seconds it may take, and the share of seeds that must reach it."""

    path: str
    value: float
    seconds: float
    share: float
    seeds: int = 10


def goals() -> dict[str, Goal]:
    """By the name of the instance; values of bqp are those of its files, which give them with a minus."""
    graphs = {"G1": (11624, 10, 0.9), "G43": (6660, 10, 0.9), "G22": (13359, 60, 0.5)}
    found = {name: Goal(f"maxcut_gset/{name}.txt", *goal) for name, goal in graphs.items()}
    for name in (*(f"bqp250-{k}" for k in range(1, 11)), "bqp500-1"):
        value = -float((INSTANCES / "qubo_bqp" / f"{name}_opt_value.txt").read_text())
        found[name] = Goal(f"qubo_bqp/{name}.sparse.mc", value, 5, 1.0)
    return found


def measure(name: str, goal: Goal) -> dict[str, Any]:
    """Over seeds: how many reach the value in time, the median of seconds, and the worst value."""
    function = read_max_cut(INSTANCES / goal.path).quadratic
    runs = [MemeticAnnealing().minimize(function, goal.seconds, -goal.value, seed) for seed in range(goal.seeds)]
    seconds = [run.seconds_to(-goal.value) for run in runs]
    reached = sum(value <= goal.seconds for value in seconds)
    return {
        "instance": name, "best_known": goal.value, "limit_s": goal.seconds, "reached": reached, "of": goal.seeds,
        "goal": f"{goal.share:.0%}", "median_s": float(np.median(seconds)), "slowest_s": float(max(seconds)),
        "worst": -max(run.energy for run in runs), "met": reached >= goal.share * goal.seeds,
    }  # fmt: skip


def main() -> None:
    if not Path(INSTANCES).is_dir():
        raise SystemExit(f"{INSTANCES} does not exist, expected the instances; put them there")
    for name, goal in goals().items():
        row = measure(name, goal)
        print(row, flush=True)
        append_row("best_known", row | provenance())


if __name__ == "__main__":
    main()
