"""Shops: jobs of operations on machines; what job shops and flexible job shops share."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import product
from math import factorial, prod
from typing import Any, ClassVar

import numpy as np

from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.constraint_programming import cp_sat, solve_cp
from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.base import MOST_CANDIDATES, Problem
from qloom.combinatorial.problems.scheduling import PROPAGATION, Bar, add_orders, gantt_chart, longest_paths, losses
from qloom.combinatorial.problems.shop_search import Sequences, search
from qloom.errors import ProblemError


class Shop(Problem):
    """Operations of a job follow one another, a machine does one at a time; the makespan is to be small.

    A solution is an order of jobs: where a job comes up, its next operation is put behind what its machine has, as
    early as its job allows. Every order gives a schedule that meets the constraints. Operations are numbered through
    the jobs.

    The model has a bit for each two operations that may meet on a machine, and one-hot machines where there is a
    choice: loads are to be even, and paths through the orders of two such pairs short. Giffler and Thompson's builder
    makes a schedule of it.
    """

    is_exact: ClassVar[bool] = False

    # Of each job, durations by machine of each operation.
    operations: Sequence[Sequence[Mapping[int, int]]]

    @abstractmethod
    def parts(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Order of jobs and machines of operations, (N,) each.

        Raises:
            ProblemError: for what is no such order, or a machine that cannot do its operation.
        """

    @abstractmethod
    def join(self, order: np.ndarray, machines: np.ndarray) -> np.ndarray:
        """The solution of these parts."""

    # --- operations, numbered through

    @cached_property
    def choices(self) -> list[Mapping[int, int]]:
        """Durations by machine of each operation, N of them."""
        return [choice for job in self.operations for choice in job]

    @cached_property
    def jobs(self) -> np.ndarray:
        """Of each operation, (N,)."""
        return np.repeat(np.arange(len(self.operations)), [len(job) for job in self.operations])

    @cached_property
    def first(self) -> np.ndarray:
        """The first operation of each job, and N, (J + 1,)."""
        return np.cumsum([0, *(len(job) for job in self.operations)])

    @cached_property
    def n_machines(self) -> int:
        """M, one more than the highest number."""
        return 1 + max(machine for choice in self.choices for machine in choice)

    @cached_property
    def lower_bound(self) -> int:
        """The longest job, or the most that a machine has to do: no makespan is below."""
        loads = np.zeros(self.n_machines, np.int64)
        for choice in self.choices:
            if len(choice) == 1:
                loads[list(choice)] += list(choice.values())
        shortest = [min(choice.values()) for choice in self.choices]
        longest = np.add.reduceat(shortest, self.first[:-1]).max()
        return int(max(longest, loads.max(), -(-sum(shortest) // self.n_machines)))

    def schedule(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """When operations start and end, int64 (N,) each: the semi-active schedule of the order."""
        order, machines = self.parts(solution)
        starts = [0] * len(machines)
        ends = [0] * len(machines)
        free, ready, ahead = [0] * self.n_machines, [0] * len(self.operations), self.first.tolist()
        assigned = machines.tolist()
        for job in order.tolist():
            operation = ahead[job]
            machine = assigned[operation]
            starts[operation] = max(free[machine], ready[job])
            free[machine] = ready[job] = ends[operation] = starts[operation] + self.choices[operation][machine]
            ahead[job] += 1
        return np.array(starts), np.array(ends)

    def objective(self, solution: np.ndarray) -> int:
        return int(self.schedule(solution)[1].max())

    def cost(self, solution: np.ndarray) -> tuple[float, float]:
        """The makespan alone: no schedule misses a constraint."""
        return 0.0, self.objective(solution)

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        """By how much operations of a job, or of a machine, run into one another."""
        starts, ends = self.schedule(solution)
        machines = self.parts(solution)[1]
        return {
            f"{name}[{k}]": _overlap(starts[own == k], ends[own == k])
            for name, own, count in (("job", self.jobs, len(self.operations)), ("machine", machines, self.n_machines))
            for k in range(count)
        }

    def _of_starts(self, starts: np.ndarray, machines: np.ndarray) -> np.ndarray:
        """The solution whose schedule starts no operation later."""
        durations = [choice[machine] for choice, machine in zip(self.choices, machines.tolist(), strict=True)]
        order = np.lexsort((np.arange(len(starts)), starts + durations, starts))
        return self.join(self.jobs[order], machines)

    # --- searches

    @cached_property
    def _pairs(self) -> np.ndarray:
        """Operations of two jobs that one machine can do, (P, 2)."""
        able = np.zeros((len(self.choices), self.n_machines), bool)
        for operation, choice in enumerate(self.choices):
            able[operation, list(choice)] = True
        meet = (able.astype(int) @ able.T > 0) & (self.jobs[:, None] != self.jobs)
        return np.argwhere(np.triu(meet))

    @cached_property
    def model(self) -> Model:
        """The machine of an operation that has a choice, and for pairs that may share a machine which one comes first.

        It leads to solutions, and its objective is not theirs: long paths that wait, and uneven loads, cost.
        """
        model, n = Model("min"), len(self.choices)
        for operation, choice in enumerate(self.choices):
            if len(choice) > 1:
                model.one_hot(f"machine of operation[{operation}]", (), len(choice))
        self._even_loads(model)
        durations = np.array([min(choice.values()) for choice in self.choices])
        operations = np.arange(n - 1)[np.diff(self.jobs) == 0]
        paths = longest_paths(durations, np.stack([operations, operations + 1], axis=1))
        sizes = np.array([len(choice) for choice in self.choices])
        common = np.array([len(self.choices[i].keys() & self.choices[j].keys()) for i, j in self._pairs])
        # The share of choices of machines in which the two meet.
        weights = common / sizes[self._pairs].prod(axis=1)
        add_orders(model, durations, paths, self._pairs, weights, max(self.lower_bound, 1))
        return model

    def _even_loads(self, model: Model) -> None:
        """Squares of what the machines have to do, as shares of the lower bound."""
        groups = iter(model.one_hot_groups)
        loads: list[tuple[list[int], list[float]]] = [([], []) for _ in range(self.n_machines)]
        certain = np.zeros(self.n_machines)
        for choice in self.choices:
            bits = next(groups) if len(choice) > 1 else [-1]
            for bit, (machine, duration) in zip(bits, choice.items(), strict=True):
                if bit < 0:
                    certain[machine] += duration
                else:
                    loads[machine][0].append(bit)
                    loads[machine][1].append(duration)
        scale = max(self.lower_bound, 1)
        for (bits, durations), base in zip(loads, certain, strict=True):
            own, share = np.array(bits, int), np.array(durations) / scale
            model.add(share[:, None] * share, own[:, None], own)
            model.add(2 * base / scale * share, own)

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        machines = np.zeros(len(self.choices), np.int64)
        groups = iter(self.model.one_hot_groups)
        for operation, choice in enumerate(self.choices):
            wanted = values[next(groups)] if len(choice) > 1 else np.ones(1)
            machines[operation] = list(choice)[int((wanted + 1e-3 * random.random(len(wanted))).argmax())]
        later = losses(self._pairs, values[self.model.n - len(self._pairs) :], len(machines))
        return self._built(machines, later + 1e-6 * random.random((len(machines), 1)))

    def _built(self, machines: np.ndarray, losses: np.ndarray) -> np.ndarray:
        """An active schedule: of the operations in conflict on a machine, that with the least sum of losses is next.

        Source: Giffler, Thompson 1960, Operations Research 8, 487.
        """
        ahead, order = self.first[:-1].copy(), []
        free, ready = np.zeros(self.n_machines, np.int64), np.zeros(len(self.operations), np.int64)
        durations = np.array([c[m] for c, m in zip(self.choices, machines.tolist(), strict=True)])
        for _ in range(len(machines)):
            jobs = np.flatnonzero(ahead < self.first[1:])
            heads = ahead[jobs]
            starts = np.maximum(free[machines[heads]], ready[jobs])
            ends = starts + durations[heads]
            soonest = ends.argmin()
            conflict = np.flatnonzero((machines[heads] == machines[heads[soonest]]) & (starts < ends[soonest]))
            conflict = conflict if len(conflict) else np.array([soonest])
            k = conflict[losses[np.ix_(heads[conflict], heads[conflict])].sum(axis=1).argmin()]
            free[machines[heads[k]]] = ready[jobs[k]] = ends[k]
            ahead[jobs[k]] += 1
            order.append(jobs[k])
        return self.join(np.array(order), machines)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        """Of the active schedule, in which each operation moves into the first gap: what decodes to it."""
        machines = self.parts(solution)[1]
        own = [
            [int(key == m) for key in choice]
            for choice, m in zip(self.choices, machines, strict=True)
            if len(choice) > 1
        ]
        starts, ends = self._active(solution)
        i, j = self._pairs.T
        before = (starts[i] < starts[j]) | ((starts[i] == starts[j]) & (ends[i] <= ends[j]))
        return np.array([*(bit for bits in own for bit in bits), *before], np.int64)

    def _active(self, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Starts and ends with each operation, in the order of starts, in its machine's first gap that it fits."""
        starts, ends = self.schedule(solution)
        machines = self.parts(solution)[1]
        busy: list[list[tuple[int, int]]] = [[] for _ in range(self.n_machines)]
        for operation in np.lexsort((np.arange(len(starts)), ends, starts)).tolist():
            job, row = self.jobs[operation], busy[machines[operation]]
            duration = ends[operation] - starts[operation]
            start = ends[operation - 1] if operation > self.first[job] else 0
            for begin, end in row:
                if start + duration <= begin:
                    break
                start = max(start, end)
            starts[operation], ends[operation] = start, start + duration
            row.append((start, start + duration))
            row.sort()
        return starts, ends

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return self.join(
            random.permutation(self.jobs), np.array([random.choice(list(c)) for c in self.choices], np.int64)
        )

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A job moves in the order, or an operation to another machine."""
        order, machines = self.parts(solution)
        free = [k for k, choice in enumerate(self.choices) if len(choice) > 1]
        if free and random.random() < 0.5:
            machines = machines.copy()
            operation = random.choice(free)
            machines[operation] = random.choice(list(self.choices[operation]))
            return self.join(order, machines)
        i, j = random.integers(0, len(order), 2)
        return self.join(np.insert(np.delete(order, i), j, order[i]), machines)

    def candidates(self) -> Iterator[np.ndarray]:
        counts = np.bincount(self.jobs).tolist()
        count = factorial(sum(counts)) // prod(map(factorial, counts)) * prod(map(len, self.choices))
        if count > MOST_CANDIDATES:
            raise ProblemError(f"{count:.3g} candidates, expected at most {MOST_CANDIDATES} for brute force; use solve")
        for machines in product(*self.choices):
            for order in _orders(counts):
                yield self.join(np.array(order), np.array(machines))

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """Tabu search over critical blocks."""
        end, n = time.perf_counter() + seconds, len(self.choices)
        machines = self.parts(solution)[1]
        starts, ends = self.schedule(solution)
        rows: list[list[int]] = [[] for _ in range(self.n_machines)]
        for operation in np.lexsort((np.arange(n), ends, starts)).tolist():
            rows[machines[operation]].append(operation)
        is_last = np.diff(self.jobs, append=-1) != 0
        before, after = np.arange(n) - 1, np.arange(n) + 1
        before[self.first[:-1]], after[is_last] = n, n
        found = search(Sequences(self.choices, before.tolist(), after.tolist(), rows), end, self.lower_bound, random)
        return self.join(self.jobs[found.order], np.array(found.machine))

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """By CP-SAT: an interval for each operation on each of its machines, no two of a machine at once."""
        begin = time.perf_counter()
        cp = cp_sat(f"{type(self).__name__}.certify")
        known = self.random_solution(np.random.default_rng(0)) if hint is None else hint
        model, starts, taken = self._intervals(cp, self.objective(known))
        if hint is not None:
            for start, value in zip(starts, self.schedule(hint)[0].tolist(), strict=True):
                model.add_hint(start, value)
            for bits, machine in zip(taken, self.parts(hint)[1].tolist(), strict=True):
                for key, bit in bits.items():
                    model.add_hint(bit, key == machine)
        flat = [*starts, *(bit for bits in taken for bit in bits.values())]
        values, objective, bound, status = solve_cp(model, flat, time_limit, **PROPAGATION)
        solution = None
        if values is not None:
            keys = np.array([machine for bits in taken for machine in bits])
            solution = self._of_starts(values[: len(starts)], keys[values[len(starts) :] > 0])
            objective = self.objective(solution)
        bound = max(bound, self.lower_bound)
        return Certificate(solution, objective, bound, status, "CP-SAT", time.perf_counter() - begin)

    def _intervals(self, cp: Any, horizon: int) -> tuple[Any, list[Any], list[dict[int, Any]]]:
        """CP-SAT's model, starts of operations, and whether each is on each of its machines."""
        model = cp.CpModel()
        makespan = model.new_int_var(self.lower_bound, horizon, "makespan")
        starts = [model.new_int_var(0, horizon, f"start[{k}]") for k in range(len(self.choices))]
        taken: list[dict[int, Any]] = []
        intervals: list[list[Any]] = [[] for _ in range(self.n_machines)]
        last = set((self.first[1:] - 1).tolist())
        for operation, choice in enumerate(self.choices):
            start, limit = starts[operation], makespan if operation in last else starts[operation + 1]
            taken.append({machine: model.new_bool_var(f"machine[{operation}, {machine}]") for machine in choice})
            model.add_exactly_one(taken[-1].values())
            for machine, duration in choice.items():
                bit = taken[-1][machine]
                model.add(start + duration <= limit).only_enforce_if(bit)
                interval = model.new_optional_fixed_size_interval_var(start, duration, bit, f"on[{operation}]")
                intervals[machine].append(interval)
        for own in intervals:
            model.add_no_overlap(own)
        model.minimize(makespan)
        return model, starts, taken

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """A Gantt chart: machines over time, the number of the job in each bar."""
        starts, ends = self.schedule(solution)
        parts = zip(self.parts(solution)[1], starts, ends, self.jobs, strict=True)
        bars = (Bar(int(m), int(s), int(e), int(j), str(j)) for m, s, e, j in parts)
        gantt_chart(axes, bars, "machine", range(self.n_machines))

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        starts, ends = self.schedule(solution)
        machines, within = self.parts(solution)[1], np.arange(len(starts)) - self.first[self.jobs]
        rows = {
            f"machine {m}": [
                {"job": int(self.jobs[k]), "operation": int(within[k]), "start": int(starts[k]), "end": int(ends[k])}
                for k in np.flatnonzero(machines == m)[np.argsort(starts[machines == m], kind="stable")]
            ]
            for m in range(self.n_machines)
        }
        return {"makespan": int(ends.max()), **rows}


def checked_order(order: np.ndarray, jobs: np.ndarray) -> np.ndarray:
    """An order in which each job comes up as often as it has operations.

    Raises:
        ProblemError: for another one.
    """
    if np.shape(order) != jobs.shape or (np.sort(order) != jobs).any():
        raise ProblemError(f"order of shape {np.shape(order)}, expected {jobs.shape}, each job once an operation")
    return order


def _overlap(starts: np.ndarray, ends: np.ndarray) -> float:
    """How long tasks, in the order of their starts, run into the next one."""
    order = np.lexsort((ends, starts))
    return float(np.maximum(ends[order][:-1] - starts[order][1:], 0).sum())


def _orders(counts: list[int]) -> Iterator[list[int]]:
    """All orders in which k comes up counts[k] times."""
    if not any(counts):
        yield []
    for k, count in enumerate(counts):
        if count:
            rest = [c - (i == k) for i, c in enumerate(counts)]
            yield from ([k, *order] for order in _orders(rest))
