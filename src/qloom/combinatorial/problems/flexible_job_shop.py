"""Flexible job shop: each operation on one of several machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qloom.combinatorial.problems.scheduling import check_horizon
from qloom.combinatorial.problems.shop import Shop, checked_order
from qloom.combinatorial.problems.text import FormatError, Words, chosen, text_of
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class FlexibleJobShop(Shop):
    """Jobs of operations that can choose; a solution (2, N) is an order of jobs, above the machine of each operation:

        FlexibleJobShop([[{0: 3, 1: 4}, {1: 2}], [{0: 5}]])       # two jobs, of two operations and of one

    Args:
        operations: of each job, in their order, durations by machine; machines from 0, durations whole numbers.

    Raises:
        ProblemError: for a job without operations, an operation without machines, numbers not whole or below 0, or too
            long durations.
    """

    operations: Sequence[Sequence[Mapping[int, int]]]

    def __post_init__(self) -> None:
        if not len(self.operations):
            raise ProblemError("there are no jobs, expected at least one")
        for j, job in enumerate(self.operations):
            if not len(job):
                raise ProblemError(f"job {j} has no operations, expected at least one")
            for k, choice in enumerate(job):
                if not isinstance(choice, Mapping) or not choice:
                    raise ProblemError(f"operation {k} of job {j} is {choice!r}, expected durations by machine")
                for number in (*choice.keys(), *choice.values()):
                    if not isinstance(number, int | np.integer) or number < 0:
                        raise ProblemError(f"operation {k} of job {j} has {number!r}, expected integers from 0")
        check_horizon(sum(int(max(choice.values())) for choice in self.choices))

    def parts(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if np.shape(solution) != (2, len(self.choices)):
            raise ProblemError(f"solution has shape {np.shape(solution)}, expected (2, {len(self.choices)})")
        for k, (choice, machine) in enumerate(zip(self.choices, solution[1].tolist(), strict=True)):
            if machine not in choice:
                raise ProblemError(f"operation {k} is on machine {machine}, expected one of {sorted(choice)}")
        return checked_order(solution[0], self.jobs), solution[1]

    def join(self, order: np.ndarray, machines: np.ndarray) -> np.ndarray:
        return np.stack([order, machines]).astype(np.int64)


def read_flexible_job_shop(path: str | Path, instance: int | None = None) -> FlexibleJobShop:
    """Brandimarte's format (.fjs): numbers of jobs and machines, often the mean number of choices; a line a job.

    A line holds the number of operations; of each, the number of choices; of each, machine, from 1, and duration.

    Args:
        path: of the file.
        instance: 1 or None, a file holds one.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    chosen(path, instance, 1)
    lines = [(k, line) for k, line in enumerate(text_of(path).splitlines(), 1) if line.strip()]
    head = Words(path, lines[0][1], lines[0][0])
    n_jobs, n_machines = head.counts("jobs, machines", 2)
    if head.left:
        head.numbers("mean number of choices", 1)
    head.end()
    if len(lines) != n_jobs + 1:
        raise FormatError(f"{path}, line {lines[-1][0]}: there are {len(lines) - 1} jobs, expected {n_jobs}")
    return FlexibleJobShop([_job(Words(path, line, k), n_machines) for k, line in lines[1:]])


def _job(words: Words, n_machines: int) -> list[dict[int, int]]:
    job: list[dict[int, int]] = []
    for _ in range(words.integer("number of operations", 1)):
        choice: dict[int, int] = {}
        for _ in range(words.integer("number of machines to choose from", 1, n_machines)):
            machine = words.integer("machine", 1, n_machines) - 1
            if machine in choice:
                raise FormatError(f"{words.path}, line {words.line}: machine {machine + 1} twice, expected other ones")
            choice[machine] = words.integer("duration", 0)
        job.append(choice)
    words.end()
    return job
