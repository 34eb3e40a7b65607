"""Ten of 31 assets (OR-Library port1) along the frontier: value, bound, gap and seconds of each point.

Goal: each point optimal or with its gap, all in under a minute; never better than the published frontier of all assets.

Run: python -m benchmarks.combinatorial.portfolio   (reads ../shared/instances)
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.results import append_row, provenance
from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.portfolio import read_portfolio
from qloom.combinatorial.problems.tangents import frontier

PORTFOLIOS = INSTANCES / "portfolio"
N_POINTS, LIMIT = 21, 60.0


def rows() -> list[dict[str, Any]]:
    """One a point; `above` is its variance over that of the frontier of all assets at the same return, a ratio."""
    problem, published = read_portfolio(PORTFOLIOS / "port1.txt"), np.loadtxt(PORTFOLIOS / "portef1.txt")[::-1]
    found = []
    for point in frontier(problem, N_POINTS, LIMIT):
        row = {name: value for name, value in asdict(point).items() if name != "weights"}
        above = point.variance / float(np.interp(point.mean, *published.T))
        optimal = point.gap <= 1e-7 * (point.variance + abs(point.mean))
        found.append({"instance": "port1", "n_assets": 10, **row, "above": above, "optimal": optimal})
    return found


def main() -> None:
    if not PORTFOLIOS.is_dir():
        raise SystemExit(f"{PORTFOLIOS} does not exist, expected the instances; put them there")
    found = rows()
    for row in found:
        print({name: round(value, 9) if isinstance(value, float) else value for name, value in row.items()})
        append_row("portfolio", row | provenance())
    seconds = sum(row["seconds"] for row in found)
    print(f"{sum(row['optimal'] for row in found)} of {len(found)} points optimal in {seconds:.1f} s")


if __name__ == "__main__":
    main()
