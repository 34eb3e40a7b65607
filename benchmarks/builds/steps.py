"""Training steps on one thread: W1 beside the build before, and programs of real rotations beside the same as complex.

CPU time, builds and programs by turns in processes that stay. The build before is commit 78fbdaf, which takes every
program as complex; what is complex here is the same program and one rotation more.

Run: python -m benchmarks.builds.steps [--beside PYTHON] [--only NAME] [--turns N]   (PYTHON has that commit installed)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from statistics import median

WORKER = Path(__file__).with_name("worker.py")
SECONDS = 0.15
W1 = [(4, 32), (8, 32), (8, 256), (12, 64)]
W1_GOAL, FRACTION_GOAL, FRACTION_OF = 1.03, 0.6, {(8, 256), (12, 64)}
REAL_SIZES = [(8, 256), (10, 128), (12, 64), (13, 32)]
REAL = ["dressed circuit", "real amplitudes", "RY and CZ", "QCNN of RY blocks", "EntanglingLayer", "QuantumLinear"]
REAL_GOAL, RATE_GOAL = 0.6, 0.9
# QuantumLinear reads and writes whole states: fewer rows.
ROWS_OF_LINEAR = 4


class Build:
    """A process of an interpreter with one build of qloom."""

    def __init__(self, python: str):
        self.process = subprocess.Popen(
            [python, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tempfile.gettempdir()
        )

    def figure(self, *asked: object) -> float:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps([*asked, SECONDS]), file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def work_rows(ours: Build, before: Build | None, turns: int) -> None:
    for n, batch in W1:
        seen = [
            [ours.figure("W1", n, batch), before.figure("W1", n, batch) if before else 0.0, ours.figure("P", n, batch)]
            for _ in range(turns)
        ]
        n_layers = 4 if n > 4 else 2
        needed = batch * 2**n * n_layers * (16 * n + 14) / 1e6
        fraction = median(needed / mine / rate for mine, _, rate in seen)
        text = f"{'W1':18s} n={n} B={batch} L={n_layers}: {median(row[0] for row in seen):.3f} ms, {fraction:.0%} of P"
        text += verdict(fraction >= FRACTION_GOAL, f"{FRACTION_GOAL:.0%}") if (n, batch) in FRACTION_OF else ""
        if before:
            ratio = median(mine / theirs for mine, theirs, _ in seen)
            text += f"; {ratio:.3f} of before{verdict(ratio <= W1_GOAL, W1_GOAL)}"
        print(text, flush=True)


def real_rows(ours: Build, before: Build | None, turns: int, only: str) -> None:
    for name in (name for name in REAL if only in name):
        rates = dict[int, float]()
        for n, full_batch in REAL_SIZES:
            batch = full_batch // ROWS_OF_LINEAR if name == "QuantumLinear" else full_batch
            seen = [
                [
                    ours.figure(name, n, batch),
                    ours.figure(f"{name} as complex", n, batch),
                    before.figure(name, n, batch) if before else 0.0,
                ]
                for _ in range(turns)
            ]
            rates[n] = batch * 2**n * n / median(row[0] for row in seen)
            ratio = median(row[0] / row[1] for row in seen)
            text = f"{name:18s} n={n} B={batch}: {median(row[0] for row in seen):.3f} ms, "
            text += f"{ratio:.2f} of complex{verdict(ratio <= REAL_GOAL, REAL_GOAL)}"
            if before:
                text += f"; {median(row[0] / row[2] for row in seen):.2f} of before"
            if n > 10:
                share = rates[n] / rates[10]
                text += f"; {share:.2f} of the rate at 10{verdict(share >= RATE_GOAL, RATE_GOAL)}"
            print(text, flush=True)


def verdict(reached: bool, goal: object) -> str:
    return f" (goal {goal}{'' if reached else ', MISSED'})"


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("--beside", metavar="PYTHON", help="interpreter with commit 78fbdaf installed")
    parser.add_argument("--only", default="", help="programs with this in their name")
    parser.add_argument("--turns", type=int, default=7)
    chosen = parser.parse_args()
    ours, before = Build(sys.executable), Build(chosen.beside) if chosen.beside else None
    if chosen.only in "W1":
        work_rows(ours, before, chosen.turns)
    real_rows(ours, before, chosen.turns, chosen.only)
    for build in filter(None, (ours, before)):
        build.close()


if __name__ == "__main__":
    main()
