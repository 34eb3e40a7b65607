"""Job shop: each job goes through its machines in an order of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path

import numpy as np

from qloom.combinatorial.problems.layouts import Layout
from qloom.combinatorial.problems.scheduling import check_horizon, whole_numbers
from qloom.combinatorial.problems.shop import Shop, checked_order
from qloom.combinatorial.problems.text import FormatError, Words, chosen, text_of
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class JobShop(Shop):
    """Jobs of K operations, each on a given machine; a solution (J K,) is an order of jobs, each K times, from 0.

    Args:
        machines: of the operations of each job, in their order, from 0, (J, K).
        durations: whole numbers, (J, K).

    Raises:
        ProblemError: for shapes that do not fit, numbers that are not whole or below 0, or too long durations.
    """

    machines: np.ndarray
    durations: np.ndarray
    operations: Sequence[Sequence[Mapping[int, int]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("machines", "durations"):
            object.__setattr__(self, name, whole_numbers(name, getattr(self, name)))
        shape = self.machines.shape
        if len(shape) != 2 or not self.machines.size or self.durations.shape != shape:
            raise ProblemError(f"machines, durations have shapes {shape}, {self.durations.shape}, expected (J, K) both")
        check_horizon(self.durations.sum())
        rows = zip(self.machines.tolist(), self.durations.tolist(), strict=True)
        operations = [[{m: d} for m, d in zip(*row, strict=True)] for row in rows]
        object.__setattr__(self, "operations", operations)

    def parts(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return checked_order(solution, self.jobs), self.machines.ravel()

    def join(self, order: np.ndarray, machines: np.ndarray) -> np.ndarray:
        return order.astype(np.int64)


def read_job_shop(path: str | Path, instance: int | None = None) -> JobShop:
    """JSPLIB's format: comments after #; numbers of jobs and machines; a line a job, of machines and durations in turn.

    Each job takes each machine once. Small ones have as many numbers as problems of other formats (2 by 3 as knapsacks,
    3 by 3 as facility locations).

    Args:
        path: of the file.
        instance: 1 or None, a file holds one.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    chosen(path, instance, 1)
    return _jobs(Words(path, "\n".join(line.split("#")[0] for line in text_of(path).splitlines())))


def _jobs(words: Words) -> JobShop:
    n_jobs, n_machines = words.counts("jobs, machines", 2)
    words.expect("machines and durations", 2 * n_jobs * n_machines)
    numbers = np.zeros((n_jobs, n_machines, 2), np.int64)
    for job in range(n_jobs):
        line = words.line
        numbers[job] = words.integers(f"machines and durations of job {job}", 2 * n_machines, 0).reshape(-1, 2)
        if sorted(numbers[job, :, 0]) != list(range(n_machines)):
            expected = f"each machine from 0 to {n_machines - 1} once"
            raise FormatError(f"{words.path}, line {line}: job {job}, expected {expected}")
    words.end()
    return JobShop(numbers[:, :, 0], numbers[:, :, 1])


LAYOUTS = {
    "jsplib": Layout("machines and durations in turn, a line a job", lambda n, m: chain([2], repeat(2 * m, n)), _jobs)
}
