"""W1: one training step of a hybrid layer through `QuantumLayer` and `loss.backward()`.

Run: python -m benchmarks.engine.training_step
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch

from benchmarks.cases import Case, run
from benchmarks.checks import check_step
from qloom.benchmarking import Work

# (n, B, L) -> goals: milliseconds, fraction of P.
GOALS: dict[tuple[int, int, int], dict[str, float]] = {
    (4, 32, 2): {"goal": 0.10},
    (4, 256, 4): {},
    (8, 32, 4): {},
    (8, 256, 4): {"goal_fraction": 0.6},
    (10, 128, 4): {"goal_fraction": 0.6},
    (12, 64, 4): {"goal_fraction": 0.6},
    (12, 256, 6): {"goal_fraction": 0.6},
    (16, 16, 4): {},
    (20, 1, 4): {},
    (22, 1, 2): {},
}
FORWARD = [(16, 16, 4), (20, 1, 4), (22, 1, 2)]
REUPLOADING = [(8, 256, 4), (10, 128, 4), (12, 64, 4)]
DOUBLE = [(8, 256, 4), (10, 128, 4), (12, 64, 4), (20, 1, 4)]


@cache
def check(work: Work, dtype: torch.dtype) -> None:
    """Once a size: it takes longer than what is measured, and results do not depend on the threads."""
    check_step(work, work.layer(dtype=dtype), work.tensors(dtype)[0])


def prepare(work: Work, threads: int, dtype: torch.dtype, forward: bool) -> Callable[[], Any]:
    """The checked function to time."""
    check(work, dtype)
    return work.forward(threads, dtype) if forward else work.step(threads, dtype)


def make_case(name: str, work: Work, threads: int, dtype: torch.dtype = torch.float32, **goals: float) -> Case:
    forward = name == "forward"
    counted = 2 if dtype == torch.float64 else 1  # half as many fit in a vector
    return Case(
        name,
        {"n": work.n_qubits, "batch": work.batch, "layers": work.n_layers},
        partial(prepare, work, threads, dtype, forward),
        threads=threads,
        precision=str(dtype).removeprefix("torch."),
        multiply_adds=counted * (work.forward_multiply_adds if forward else work.step_multiply_adds),
        **goals,  # type: ignore[arg-type]
    )


CASES = [
    *(make_case("training step", Work(*size), t, **goals) for size, goals in GOALS.items() for t in (1, 2)),
    *(make_case("forward", Work(*size), t) for size in FORWARD for t in (1, 2)),
    *(make_case("re-uploading step", Work(*size, reuploading=True), 2) for size in REUPLOADING),
    *(make_case("training step", Work(*size), 2, torch.float64) for size in DOUBLE),
]

if __name__ == "__main__":
    run("training_step", CASES)
