"""Project scheduling: activities that wait for others and share scarce resources."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import permutations
from math import factorial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.constraint_programming import cp_sat, solve_cp
from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.base import MOST_CANDIDATES, Problem
from qloom.combinatorial.problems.scheduling import (
    PROPAGATION,
    Bar,
    add_orders,
    check_horizon,
    gantt_chart,
    longest_paths,
    losses,
    whole_numbers,
)
from qloom.combinatorial.problems.text import MOST_THINGS, FormatError, Words, chosen, text_of
from qloom.errors import ProblemError

# Time units of a project: the schedule looks at each of them.
LONGEST = 1_000_000


@dataclass(frozen=True, eq=False)
class ProjectScheduling(Problem):
    """Activities, each with a need of some resources while it runs; the makespan is to be small.

    A solution (A,) is a list of all activities: of those whose predecessors are done with, the first in the list is
    scheduled next, as early as resources allow. Every list gives a schedule that meets the constraints.

    The model has a bit for each two activities that need the same resource and whose order is open; paths through the
    orders of two pairs that cannot run at once are to be short.

    Args:
        durations: whole numbers, (A,).
        requests: of the resources, at any time that the activity runs, (A, R).
        capacities: of the resources, (R,).
        precedences: pairs of an activity and one that waits for its end, (P, 2), from 0.

    Raises:
        ProblemError: for shapes that do not fit, numbers that are not whole or below 0, a request above the capacity,
            too long durations, or activities that wait for one another in a circle.
    """

    is_exact: ClassVar[bool] = False

    durations: np.ndarray
    requests: np.ndarray
    capacities: np.ndarray
    precedences: np.ndarray

    def __post_init__(self) -> None:
        for name in ("durations", "requests", "capacities", "precedences"):
            object.__setattr__(self, name, whole_numbers(name, getattr(self, name)))
        object.__setattr__(self, "precedences", self.precedences.reshape(-1, 2))
        shape = (len(self.durations), len(self.capacities))
        if self.durations.ndim != 1 or not shape[0] or self.capacities.ndim != 1 or self.requests.shape != shape:
            raise ProblemError(
                f"durations, requests, capacities have shapes {self.durations.shape}, {self.requests.shape}, "
                f"{self.capacities.shape}, expected (A,), (A, R), (R,)"
            )
        if self.precedences.max(initial=0) >= shape[0]:
            raise ProblemError(f"precedences name activity {self.precedences.max()}, expected numbers below {shape[0]}")
        check_horizon(self.durations.sum(), LONGEST)
        over = np.argwhere(self.requests > self.capacities)
        if len(over):
            a, r = over[0]
            raise ProblemError(
                f"activity {a} requests {self.requests[a, r]} of resource {r}, expected at most its capacity "
                f"{self.capacities[r]}; no schedule is feasible"
            )
        _ = self._paths

    def schedule(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When activities start and end, int64 (A,) each: serial schedule generation.

        Source: Kolisch, Hartmann 1999, in: Project Scheduling, ed. Weglarz, section 7.3.
        """
        if np.shape(solution) != self.durations.shape or (np.sort(solution) != np.arange(len(solution))).any():
            raise ProblemError(
                f"solution of shape {np.shape(solution)}, expected each activity of {self.durations.shape} once"
            )
        starts = self._serial(solution, *self._neighbours)
        return starts, starts + self.durations

    def objective(self, solution: np.ndarray) -> int:
        return int(self.schedule(solution)[1].max())

    def cost(self, solution: np.ndarray) -> tuple[float, float]:
        """The makespan alone: no schedule misses a constraint."""
        return 0.0, self.objective(solution)

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        starts, ends = self.schedule(solution)
        first, second = self.precedences.T
        early = np.maximum(ends[first] - starts[second], 0)
        running = (starts[:, None] <= starts) & (starts < ends[:, None])
        over = np.maximum(self.requests.T @ running - self.capacities[:, None], 0).max(axis=1, initial=0)
        waits = {
            f"{i} before {j}": float(amount) for (i, j), amount in zip(self.precedences.tolist(), early, strict=True)
        }
        return waits | {f"capacity of resource[{r}]": float(amount) for r, amount in enumerate(over)}

    @cached_property
    def lower_bound(self) -> int:
        """The longest path, or the most that a resource has to do: no makespan is below."""
        work = self.requests.T @ self.durations
        energy = -(-work // np.maximum(self.capacities, 1))
        return int(max((self._paths + self.durations).max(), energy.max(initial=0)))

    @cached_property
    def _paths(self) -> np.ndarray:
        return longest_paths(self.durations, self.precedences)

    @cached_property
    def _neighbours(self) -> tuple[list[list[int]], list[list[int]]]:
        """Activities that each one waits for, and that wait for it."""
        ahead: list[list[int]] = [[] for _ in self.durations]
        behind: list[list[int]] = [[] for _ in self.durations]
        for first, second in self.precedences.tolist():
            ahead[second].append(first)
            behind[first].append(second)
        return ahead, behind

    @cached_property
    def _needs(self) -> list[list[tuple[int, int]]]:
        """Of each activity, resources that it needs and how much of them."""
        return [[(r, row[r]) for r in range(len(row)) if row[r]] for row in self.requests.tolist()]

    def _serial(self, solution: np.ndarray, ahead: list[list[int]], behind: list[list[int]]) -> np.ndarray:
        """Starts of the activities, when each waits for those ahead of it."""
        place = np.argsort(solution).tolist()
        durations = self.durations.tolist()
        free = [[capacity] * (sum(durations) + 1) for capacity in self.capacities.tolist()]
        starts, waits = [0] * len(durations), [len(own) for own in ahead]
        ready = [(place[a], a) for a, count in enumerate(waits) if not count]
        heapify(ready)
        while ready:
            activity = heappop(ready)[1]
            duration = durations[activity]
            start = at = max((starts[a] + durations[a] for a in ahead[activity]), default=0)
            needs = [(free[r], need) for r, need in self._needs[activity]]
            while at < start + duration:
                if any(left[at] < need for left, need in needs):
                    start = at + 1
                at += 1
            for left, need in needs:
                for at in range(start, start + duration):
                    left[at] -= need
            starts[activity] = start
            for later in behind[activity]:
                waits[later] -= 1
                if not waits[later]:
                    heappush(ready, (place[later], later))
        return np.array(starts)

    def _justified(self, solution: np.ndarray) -> np.ndarray:
        """Activities to the right, then to the left, as far as they go: a list whose makespan is no larger.

        Source: Valls, Ballestin, Quintanilla 2005, European Journal of Operational Research 165, 375.
        """
        ahead, behind = self._neighbours
        ends = self._serial(solution, ahead, behind) + self.durations
        back = self._serial(_order(-ends, -ends), behind, ahead)
        starts = -(back + self.durations)
        return _order(starts, starts + self.durations)

    # --- searches

    @cached_property
    def _pairs(self) -> np.ndarray:
        """Activities that need the same resource and are in no order, (P, 2)."""
        needs = (self.requests > 0).astype(int)
        is_open = (self._paths == -np.inf) & (-np.inf == self._paths.T)
        return np.argwhere(np.triu(is_open & (needs @ needs.T > 0)))

    @cached_property
    def model(self) -> Model:
        """For pairs of activities without precedence which one comes first.

        It leads to solutions, and its objective is not theirs: long paths through pairs that exclude each other cost.
        """
        model = Model("min")
        exclude = (self.requests[self._pairs].sum(axis=1) > self.capacities).any(axis=1)
        add_orders(model, self.durations, self._paths, self._pairs, exclude * 1.0, max(self.lower_bound, 1))
        return model

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Of the activities that need not wait, the next is the one that loses least; at last all are justified."""
        n = len(self.durations)
        later = losses(self._pairs, values, n) + 1e-6 * random.random((n, 1))
        ahead, behind = self._neighbours
        waits, order, left = np.array([len(own) for own in ahead]), [], np.ones(n, bool)
        while left.any():
            ready = np.flatnonzero(left & (waits == 0))
            activity = ready[later[np.ix_(ready, left)].sum(axis=1).argmin()]
            order.append(activity)
            left[activity] = False
            waits[behind[activity]] -= 1
        return self._justified(np.array(order))

    def encode(self, solution: np.ndarray) -> np.ndarray:
        place = np.argsort(_order(*self.schedule(solution)))
        return (place[self._pairs[:, 0]] < place[self._pairs[:, 1]]).astype(np.int64)

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.permutation(len(self.durations))

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """An activity moves in the list."""
        i, j = random.integers(0, len(solution), 2)
        return np.insert(np.delete(solution, i), j, solution[i])

    def candidates(self) -> Iterator[np.ndarray]:
        n = len(self.durations)
        if factorial(n) > MOST_CANDIDATES:
            raise ProblemError(f"{n}! candidates, expected at most {MOST_CANDIDATES} for brute force; use solve")
        return (np.array(order) for order in permutations(range(n)))

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """A walk over lists: some activities move, then all are justified; taken if the makespan is no larger."""
        end = time.perf_counter() + seconds
        best, lowest = solution, self.objective(solution)
        try:
            while time.perf_counter() < end and lowest > self.lower_bound:
                moved = best
                for _ in range(random.integers(1, 6)):
                    moved = self.neighbour(moved, random)
                moved = self._justified(moved)
                makespan = self.objective(moved)
                if makespan <= lowest:
                    best, lowest = moved, makespan
        except KeyboardInterrupt:
            pass
        return best

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """By CP-SAT: an interval for each activity, cumulative over each resource."""
        begin = time.perf_counter()
        cp = cp_sat("ProjectScheduling.certify")
        known = self.random_solution(np.random.default_rng(0)) if hint is None else hint
        horizon, model = self.objective(known), cp.CpModel()
        makespan = model.new_int_var(self.lower_bound, horizon, "makespan")
        starts = [model.new_int_var(0, horizon, f"start[{a}]") for a in range(len(self.durations))]
        durations, requests = self.durations.tolist(), self.requests.T.tolist()
        intervals = [
            model.new_fixed_size_interval_var(start, duration, "")
            for start, duration in zip(starts, durations, strict=True)
        ]
        for start, duration in zip(starts, durations, strict=True):
            model.add(start + duration <= makespan)
        for i, j in self.precedences.tolist():
            model.add(starts[i] + durations[i] <= starts[j])
        for needs, capacity in zip(requests, self.capacities.tolist(), strict=True):
            model.add_cumulative(intervals, needs, capacity)
        model.minimize(makespan)
        if hint is not None:
            for start, value in zip(starts, self.schedule(hint)[0].tolist(), strict=True):
                model.add_hint(start, value)
        values, objective, bound, status = solve_cp(model, starts, time_limit, **PROPAGATION)
        solution = None if values is None else _order(values, values + self.durations)
        objective = None if solution is None else self.objective(solution)
        bound = max(bound, self.lower_bound)
        return Certificate(solution, objective, bound, status, "CP-SAT", time.perf_counter() - begin)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """A Gantt chart: activities in the order of their starts, coloured by the resource that they need most of."""
        starts, ends = self.schedule(solution)
        shares = np.column_stack([self.requests / np.maximum(self.capacities, 1), np.full(len(starts), 1e-12)])
        most = shares.argmax(axis=1)
        rows = _order(starts, ends).tolist()
        bars = (Bar(k, int(starts[a]), int(ends[a]), int(most[a]), "") for k, a in enumerate(rows))
        gantt_chart(axes, bars, "activity", rows)
        names = [*(f"resource {r}" for r in range(len(self.capacities))), "none"]
        keys = [
            axes.scatter([], [], marker="s", color=f"C{r % 10}", label=names[r]) for r in np.unique(most[ends > starts])
        ]
        axes.legend(handles=keys, title="needs most of", loc="lower left")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        starts, ends = self.schedule(solution)
        rows = _order(starts, ends).tolist()
        activities = [{"activity": a, "start": int(starts[a]), "end": int(ends[a])} for a in rows]
        return {"makespan": int(ends.max()), "activities": activities}


def _order(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Activities by their starts; of those that start together, the one that ends first."""
    return np.lexsort((ends, starts))


def read_project_scheduling(path: str | Path, instance: int | None = None) -> ProjectScheduling:
    """PSPLIB's format of projects with one mode (.sm); its job 1, the start of all, becomes activity 0.

    Args:
        path: of the file.
        instance: 1 or None, a file holds one.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    chosen(path, instance, 1)
    sections = _Sections(path)
    n = sections.count("jobs (incl. supersource/sink ):", 1)
    n_resources = sections.count("- renewable", 0)
    for kind in ("- nonrenewable", "- doubly constrained"):
        sections.count(kind, 0, 0)
    rows = sections.rows("PRECEDENCE RELATIONS:", 2, n)
    precedences = [(job, later) for job, words in enumerate(rows) for later in _successors(words, job, n)]
    (words,) = sections.rows("RESOURCEAVAILABILITIES:", 2, 1)
    capacities = words.integers("capacities", n_resources, 0)
    words.end()
    numbers = np.zeros((n, 1 + n_resources), np.int64)
    for job, words in enumerate(sections.rows("REQUESTS/DURATIONS:", 3, n)):
        words.integer("job number", job + 1, job + 1)
        words.integer("mode", 1, 1)
        numbers[job] = words.integers("duration, requests", 1 + n_resources, 0)
        words.end()
    return ProjectScheduling(numbers[:, 0], numbers[:, 1:], capacities, np.array(precedences, np.int64).reshape(-1, 2))


def _successors(words: Words, job: int, n: int) -> list[int]:
    words.integer("job number", job + 1, job + 1)
    words.integer("number of modes", 1, 1)
    successors = words.integers("successors", words.integer("number of successors", 0, n), 1, n) - 1
    words.end()
    return successors.tolist()


class _Sections:
    """The lines of a file, found by their titles."""

    def __init__(self, path: str | Path):
        self.path, self.lines = path, text_of(path).splitlines()

    def count(self, title: str, least: int, most: int = MOST_THINGS) -> int:
        """The number after a title and a colon."""
        at = self._find(title)
        return Words(self.path, self.lines[at].split(":")[-1], at + 1).integer(title.strip("- :"), least, most)

    def rows(self, title: str, start: int, count: int) -> list[Words]:
        """Lines that begin so many after a title's."""
        at = self._find(title) + start
        if at + count > len(self.lines):
            raise FormatError(
                f"{self.path}, line {len(self.lines)}: the file ends, expected {count} lines of {title!r}"
            )
        return [Words(self.path, self.lines[k], k + 1) for k in range(at, at + count)]

    def _find(self, title: str) -> int:
        for k, line in enumerate(self.lines):
            if line.strip().startswith(title):
                return k
        raise FormatError(
            f"{self.path}, line {len(self.lines)}: the file ends, expected {title!r} as in PSPLIB's .sm files"
        )
