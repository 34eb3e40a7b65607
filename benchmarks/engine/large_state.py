"""W3: one state, ten layers, forward; the register is larger than the caches.

Run: python -m benchmarks.engine.large_state
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from benchmarks.cases import Case, run
from benchmarks.checks import check_state
from qloom.benchmarking import Work

N_LAYERS = 10


@cache
def check(work: Work) -> None:
    """Once a size: it takes longer than what is measured, and results do not depend on the threads."""
    check_state(work, work.layer(), work.tensors()[0])


def prepare(work: Work, threads: int) -> Callable[[], Any]:
    """The checked function to time."""
    check(work)
    return work.forward(threads)


def make_case(n: int, threads: int) -> Case:
    work = Work(n, 1, N_LAYERS)
    return Case(
        "large state",
        {"n": n, "layers": N_LAYERS},
        partial(prepare, work, threads),
        threads=threads,
        multiply_adds=work.forward_multiply_adds,
        sweep_bytes=2 * 8 * 2**n,
        least=3,
    )


CASES = [make_case(n, threads) for n in (20, 24, 26) for threads in (1, 2)]

if __name__ == "__main__":
    run("large_state", CASES)
