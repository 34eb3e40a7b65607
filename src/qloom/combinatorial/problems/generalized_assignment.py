"""Generalized assignment: each task to one agent, within the agents' capacities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from qloom.checks import finite
from qloom.combinatorial.model import Model, Sense, room
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import Problem, every
from qloom.combinatorial.problems.text import Words, chosen
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class GeneralizedAssignment(Problem):
    """Agents that do tasks; a solution (T,) holds the agent of each task, from 0.

    Args:
        values: of a task done by an agent, (A, T).
        loads: of the task on the agent, (A, T).
        capacities: of the agents, (A,).
        sense: "max" for profits, "min" for costs.

    Raises:
        ProblemError: for shapes that do not fit, NaN, or negative loads.
    """

    values: np.ndarray
    loads: np.ndarray
    capacities: np.ndarray
    sense: Sense = "max"  # type: ignore[misc]

    def __post_init__(self) -> None:
        for name in ("values", "loads", "capacities"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))
        shape = self.values.shape
        if len(shape) != 2 or self.loads.shape != shape or self.capacities.shape != shape[:1]:
            raise ProblemError(
                f"values, loads, capacities have shapes {shape}, {self.loads.shape}, "
                f"{self.capacities.shape}, expected (A, T), (A, T), (A,)"
            )
        if (self.loads < 0).any() or not self.values.size or self.sense not in ("min", "max"):
            raise ProblemError(
                f"{self.values.size} values, loads from {self.loads.min(initial=0):g}, sense={self.sense!r}, expected "
                "agents and tasks, loads from 0, and 'min' or 'max'"
            )

    @property
    def model_size(self) -> ModelSize:
        n_agents, n_tasks = self.values.shape
        size = ModelSize(self.values.size, self.values.size, 0)
        return size.constrained(n_tasks, n_agents).constrained(n_agents, n_tasks)

    @cached_property
    def model(self) -> Model:
        """Which agent does a task, within the capacities."""
        model = Model(self.sense)
        x = model.one_hot("agent of task", self.values.shape[1], self.values.shape[0])
        model.add(self.values.T, x)
        model.constrain("capacity of agent", x.T, self.loads, "<=", self.capacities)
        return model

    @cached_property
    def limits(self) -> np.ndarray:
        """What fits into the capacities, which rounding does not count against."""
        return room(self.capacities, self.loads)

    def objective(self, solution: np.ndarray) -> float:
        return float(self.values[solution, np.arange(len(solution))].sum())

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        used = self._used(solution)
        over = np.where(used > self.limits, used - self.capacities, 0)
        return {f"capacity of agent[{a}]": float(amount) for a, amount in enumerate(over)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        wanted = values.reshape(self.values.T.shape).astype(float)
        agents = (wanted + 1e-3 * random.random(wanted.shape)).argmax(axis=1)
        return self._repaired(agents, random)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return np.eye(len(self.capacities), dtype=np.int64)[solution].ravel()

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        n_agents, n_tasks = self.values.shape
        return self._repaired(random.integers(0, n_agents, size=(n_tasks,)), random)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A task changes its agent, or two tasks exchange theirs."""
        out = solution.copy()
        i, j = random.integers(0, len(out), 2)
        if random.random() < 0.5:
            out[i] = random.integers(0, len(self.capacities))
        else:
            out[i], out[j] = solution[j], solution[i]
        return out

    def candidates(self) -> Iterator[np.ndarray]:
        n_agents, n_tasks = self.values.shape
        return every([n_agents] * n_tasks)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """Loads of the agents, stacked by task, beside their capacities."""
        bottom = np.zeros(len(self.capacities))
        for task, agent in enumerate(solution):
            load = self.loads[agent, task]
            axes.barh(agent, load, left=bottom[agent], color=f"C{task % 10}", edgecolor="white")
            axes.text(bottom[agent] + load / 2, agent, str(task), ha="center", va="center", color="white", fontsize=8)
            bottom[agent] += load
        axes.vlines(self.capacities, np.arange(len(bottom)) - 0.4, np.arange(len(bottom)) + 0.4, color="black")
        axes.set(xlabel="load (line: capacity)", ylabel="agent", yticks=np.arange(len(bottom)))
        axes.invert_yaxis()

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {"tasks of agent": [np.flatnonzero(solution == a).tolist() for a in range(len(self.capacities))]}

    def _used(self, solution: np.ndarray) -> np.ndarray:
        return np.bincount(solution, self.loads[solution, np.arange(len(solution))], len(self.capacities))

    def _repaired(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Tasks of agents that are overloaded go where they fit and lose least, as long as one does."""
        out, gains = solution.copy(), self.values if self.sense == "max" else -self.values
        used = self._used(out)
        for task in random.permutation(len(out)):
            agent = out[task]
            if used[agent] <= self.limits[agent]:
                continue
            fits = used + self.loads[:, task] <= self.limits
            if fits.any():
                out[task] = np.where(fits, gains[:, task], -np.inf).argmax()
                used[agent] -= self.loads[agent, task]
                used[out[task]] += self.loads[out[task], task]
        return out


def read_generalized_assignment(path: str | Path, instance: int | None = None) -> GeneralizedAssignment:
    """OR-Library's format: the number of problems; of each agents, tasks, profits, loads, capacities.

    Args:
        path: of the file.
        instance: which of its problems, from 1; None if there is only one.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    words, found = Words.of(path), []
    for _ in range(words.integer("number of problems", 1, 1000)):
        n_agents, n_tasks = words.counts("agents, tasks", 2)
        values = words.numbers("values", n_agents * n_tasks).reshape(n_agents, n_tasks)
        loads = words.numbers("loads", n_agents * n_tasks).reshape(n_agents, n_tasks)
        found.append((values, loads, words.numbers("capacities", n_agents)))
    words.end()
    return GeneralizedAssignment(*found[chosen(path, instance, len(found))])
