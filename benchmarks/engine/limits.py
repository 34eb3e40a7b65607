"""What the machine can do at most, for the record of a run.

Run: python -m benchmarks.engine.limits
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks.cases import Case, run
from qloom.benchmarking import CACHE_BYTES, MEMORY_BYTES, copy_rate, fma_rate


def returning(function: Callable[..., float], *arguments: int) -> Callable[[], float]:
    """A function that gives the rate in units of 1e9."""
    return lambda: function(*arguments, seconds=0.3) / 1e9


CASES = [
    case
    for threads in (1, 2)
    for case in (
        Case("multiply-adds", {}, partial(returning, fma_rate, threads), "G/s", threads=threads),
        Case("copy in cache", {"bytes": CACHE_BYTES}, partial(returning, copy_rate, threads, CACHE_BYTES), "GB/s",
             threads=threads),
        Case("copy in memory", {"bytes": MEMORY_BYTES}, partial(returning, copy_rate, threads, MEMORY_BYTES), "GB/s",
             threads=threads),
    )
]  # fmt: skip

if __name__ == "__main__":
    run("limits", CASES)
