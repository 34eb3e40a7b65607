"""A case: something to measure, with a name, a size and a goal. See README.md for how to add one."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.others import BUSY, noting_others
from benchmarks.results import append_row, provenance
from qloom.benchmarking import copy_rate, fma_rate, measure


@dataclass(frozen=True)
class Case:
    """What is measured, at which size, and what it should come to.

    Attributes:
        name: of the work, a few words.
        size: letters and numbers, such as {"n": 8, "batch": 256, "layers": 4}.
        prepare: makes what is needed, checks the result and returns the function to measure.
        unit: of the figure and the goal. "ms": the function is timed; any other: it returns its figure.
        goal: the figure should be at most this.
        goal_fraction: of the machine's multiply-add rate P, to be reached at least.
        multiply_adds: what one call needs; 0 where that says nothing.
        sweep_bytes: read and written by one sweep over a state in memory; 0 where the state stays in cache.
        seconds: to go on timing for; at least `least` calls.
    """

    name: str
    size: Mapping[str, int]
    prepare: Callable[[], Callable[[], Any]]
    unit: str = "ms"
    goal: float | None = None
    goal_fraction: float | None = None
    threads: int = 2
    precision: str = "float32"
    multiply_adds: float = 0
    sweep_bytes: float = 0
    seconds: float = 1.0
    least: int = 5

    @property
    def size_text(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.size.items())

    @property
    def hash(self) -> str:
        """Eight digits that stay the same as long as the same thing is measured."""
        identity = [self.name, self.size_text, self.threads, self.precision, self.unit, self.multiply_adds]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:8]


def run_case(case: Case) -> dict[str, Any]:
    """Prepare, check and measure a case: a row of results."""
    torch.set_num_threads(case.threads)
    function, seen = case.prepare(), {"others": 0.0}
    with noting_others(seen):
        figures = _timed(case, function) if case.unit == "ms" else _returned(case, function)
    return {
        "case": case.hash, "name": case.name, "size": case.size_text, "threads": case.threads,
        "precision": case.precision, "unit": case.unit, "median": None, "minimum": None, "spread": None,
        "repeats": 1, "goal": case.goal, "goal_fraction": case.goal_fraction, "fraction": None, "sweeps": None,
        "fma_rate": None, "copy_rate": None, **figures, **seen, **provenance(),
    }  # fmt: skip


def _timed(case: Case, function: Callable[[], Any]) -> dict[str, Any]:
    timing = measure(function, case.threads, case.seconds, case.least)
    copied = copy_rate(case.threads) if case.sweep_bytes else None
    return {
        "median": 1e3 * timing.median, "minimum": 1e3 * timing.minimum, "spread": timing.spread,
        "repeats": timing.repeats, "fma_rate": timing.fma_rate, "copy_rate": copied,
        "fraction": timing.fraction(case.multiply_adds) if case.multiply_adds else None,
        "sweeps": timing.median * copied / case.sweep_bytes if copied else None,
    }  # fmt: skip


def _returned(case: Case, function: Callable[[], Any]) -> dict[str, Any]:
    figure = float(function())
    return {"median": figure, "minimum": figure, "spread": 0.0, "fma_rate": fma_rate(case.threads)}


def describe(row: Mapping[str, Any]) -> str:
    """A row in a line for the terminal, the goal beside the figure."""
    text = f"{row['name']:34s} {row['size']:26s} {row['precision']} x{row['threads']} "
    text += f"{row['median']:10.4g} {row['unit']}"
    if row["goal"] is not None:
        text += f", goal {row['goal']:g}" + ("" if row["median"] <= row["goal"] else " MISSED")
    if row["fraction"] is not None:
        text += f", {row['fraction']:.1%} of P"
    if row["goal_fraction"] is not None:
        text += f", goal {row['goal_fraction']:.0%}" + ("" if row["fraction"] >= row["goal_fraction"] else " MISSED")
    return text + (f"; OTHERS WERE BUSY on {row['others']:.1f} cores" if row["others"] > BUSY else "")


def run(name: str, cases: Sequence[Case], words: Sequence[str] | None = None) -> None:
    """Measure cases and append their rows to results/<name>.csv; the command line may choose among them."""
    parser = argparse.ArgumentParser(description=f"Measure the cases of {name}.")
    parser.add_argument("--only", default="", help="cases with this in their name or size")
    parser.add_argument("--threads", type=int, help="cases with this many threads")
    parser.add_argument("--dry", action="store_true", help="print, append nothing")
    chosen = parser.parse_args(words)
    for case in cases:
        if chosen.only in f"{case.name} {case.size_text}" and chosen.threads in (None, case.threads):
            row = run_case(case)
            print(describe(row), flush=True)
            if not chosen.dry:
                append_row(name, row)
