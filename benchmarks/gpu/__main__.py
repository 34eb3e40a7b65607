"""`python -m benchmarks.gpu`: measure every case on the GPU and append rows to results/gpu.csv.

Cases come in the order of what is most wanted, and each row is written when it is measured: what is stopped has rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.gpu import many, states, steps
from benchmarks.gpu.cases import GpuCase, run_case
from benchmarks.gpu.table import describe, print_tables
from benchmarks.results import append_row
from qloom.benchmarking.gpu import Place, gpu_place
from qloom.benchmarking.gpu_floor import Limits, limits_of
from qloom.errors import QloomError

CASES = [*steps.CASES, *many.CASES, *states.CASES, *steps.OTHERS]
NAME = "gpu"


def run(cases: Sequence[GpuCase], place: Place, limits: Limits, dry: bool = False) -> bool:
    """Measure cases; whether all of them gave right results."""
    right = True
    for case in cases:
        row = run_case(case, place, limits)
        print(describe(row), flush=True)
        right &= not row["status"].startswith("wrong")
        if not dry:
            append_row(NAME, row)
    return right


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases with this in their name or size")
    parser.add_argument("--dry", action="store_true", help="print, append nothing")
    parser.add_argument(
        "--table", action="store_true", help="measure nothing, print the newest rows beside their goals"
    )
    chosen = parser.parse_args(words)
    if chosen.table:
        print_tables()
        return
    try:
        place = gpu_place()
        limits = limits_of(place)
    except QloomError as error:
        sys.exit(f"qloom: {error}")
    cases = [case for case in CASES if chosen.only in f"{case.name} {case.size_text}"]
    if not run(cases, place, limits, chosen.dry):
        sys.exit(1)


if __name__ == "__main__":
    main()
