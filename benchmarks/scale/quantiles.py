"""Quantiles of a stream of numbers: our sketch beside that of datasketches (KLL), block by block in turns.

Ten million normal numbers in blocks of 65,536. Time is the median over blocks; the error is the largest difference in
rank of 99 quantiles from those of all numbers, as a share of them. KLL draws at random, and its draws have no seed: its
error is the largest of three sketches, and whether two sketches of the same numbers agree is told.

Goal: no slower than KLL of k = 4096, an error no larger, the same bits twice.

Run: python -m benchmarks.scale.quantiles   (needs datasketches)
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median
from typing import Any

import datasketches
import numpy as np

from benchmarks.results import append_row, provenance
from qloom.data.streams.quantiles import QuantileSketch

N_BLOCKS, BLOCK, K = 153, 65_536, 4_096
LEVELS = np.linspace(0.01, 0.99, 99)


def times(sketches: list[Any], blocks: list[np.ndarray]) -> list[float]:
    """Median nanoseconds a value of each sketch, fed in turns."""
    taken: list[list[float]] = [[] for _ in sketches]
    for block in blocks:
        for sketch, spent in zip(sketches, taken, strict=True):
            start = time.perf_counter()
            sketch.update(block)
            spent.append((time.perf_counter() - start) / len(block) * 1e9)
    return [median(spent) for spent in taken]


def error(ordered: np.ndarray, found: np.ndarray) -> float:
    """The largest difference in rank."""
    return float(np.abs(np.searchsorted(ordered, found) / len(ordered) - LEVELS).max())


def main() -> None:
    random = np.random.default_rng(0)
    blocks = [random.normal(size=BLOCK) for _ in range(N_BLOCKS)]
    ordered = np.sort(np.concatenate(blocks))
    peer = f"datasketches {version('datasketches')}, KLL, k = {K}"
    make: dict[str, Callable[[], Any]] = {
        "ours": QuantileSketch,
        peer: lambda: datasketches.kll_doubles_sketch(K),
    }
    sketches = {name: [build() for _ in range(3)] for name, build in make.items()}
    taken = times([each for three in sketches.values() for each in three], blocks)
    for i, (name, three) in enumerate(sketches.items()):
        found = [np.array(each.quantiles(LEVELS) if name == "ours" else each.get_quantiles(LEVELS)) for each in three]
        row = {
            "sketch": name, "n": len(ordered), "ns_a_value": median(taken[3 * i : 3 * i + 3]),
            "error": max(error(ordered, each) for each in found),
            "same_twice": bool((found[0] == found[1]).all()), "load": round(os.getloadavg()[0], 1),
        }  # fmt: skip
        append_row("scale_quantiles", {**row, **provenance()})
        print(row, flush=True)


if __name__ == "__main__":
    main()
