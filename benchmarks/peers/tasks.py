"""The tasks of the comparison: how ours does them, what must come out, and how ours itself is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import qloom as ql
from benchmarks.checks import check_state, check_step
from benchmarks.engine import outcomes
from qloom.benchmarking import Work


def ours(task: str, work: Work, threads: int) -> Callable[[], Any]:
    """Our function for a task."""
    if task in ("forward", "large state"):
        return work.forward(threads)
    if task == "step":
        return work.step(threads)
    return lambda: getattr(outcomes, task)(work, threads)


def expected(task: str, work: Work) -> list[np.ndarray]:
    """What the task must give, in double precision."""
    x, weights, _ = work.problem()
    if task == "step":
        return [tensor.detach().numpy() for tensor in work.step(dtype=torch.float64)()]
    if task == "probabilities":
        return [ql.probabilities(work.circuit(), x, weights)]
    if task == "variance":
        total = outcomes.total_z(work.n_qubits)
        mean, square = ql.expectation(work.circuit(), [total, total @ total], x, weights).T
        return [square - mean**2]
    if task == "kernel":
        states = ql.state(work.circuit(), x, weights)
        return [np.abs(states @ states.conj().T) ** 2]
    values = ql.expectation(work.circuit(), None, x, weights)
    return [values[0] if task == "samples" else values]


def check_ours(task: str, work: Work, threads: int) -> None:
    """Ours is held against the reference before anything else is held against ours."""
    layer, (x, _) = work.layer(threads), work.tensors()
    if task == "step":
        check_step(work, layer, x)
    elif task in ("forward", "large state"):
        check_state(work, layer, x)
    else:
        getattr(outcomes, f"check_{task}")(work, threads)


def write_problem(task: str, work: Work, path: Path) -> None:
    """The problem and what must come out, for a worker."""
    x, weights, targets = work.problem()
    truth = {f"expected_{i}": array for i, array in enumerate(expected(task, work))}
    np.savez(path, inputs=x, weights=weights, targets=targets, **truth)
