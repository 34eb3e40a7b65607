"""What `solve` gives: an answer, how good it provably is, and what each stage and control gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

from qloom.combinatorial.certificates import CLOSED
from qloom.combinatorial.problems.base import Problem


@dataclass(frozen=True)
class Stage:
    """What one search gave.

    Attributes:
        stage: "first", "coarse", "fine", "certificate", "fine again", or what a control is.
        method: what ran.
        seconds: that it took.
        objective: of its best solution; None without one.
        feasible: whether that meets every constraint.
        gained: by how much the best solution of all became better; None where it was there or feasible only now.
    """

    stage: str
    method: str
    seconds: float
    objective: float | None
    feasible: bool
    gained: float | None = None

    @property
    def is_left_out(self) -> bool:
        """Whether the method says why nothing ran."""
        return self.method.startswith("left out")


_HEADING = Stage("stage", "method", 0.0, None, False)


@dataclass(frozen=True)
class Solved:
    """An answer, and how good it provably is.

    Attributes:
        problem: what was asked.
        solution: the best found; the problem's docstring says what its numbers mean.
        objective: its value.
        violations: by how much each constraint is missed, by name; 0 where it holds.
        bound: that no solution's objective passes; infinite where nothing is proven.
        found_by: the stage that found the solution.
        stages: what each contributed.
        controls: what the time of coarse and fine stage together gave to others.
        interrupted: whether Ctrl-C ended it.
        seconds: of everything.
        seed: that it began with.
    """

    problem: Problem
    solution: np.ndarray
    objective: float
    violations: dict[str, float]
    bound: float
    found_by: str
    stages: tuple[Stage, ...]
    controls: tuple[Stage, ...]
    interrupted: bool
    seconds: float
    seed: int

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds."""
        return not any(self.violations.values())

    @property
    def gap(self) -> float:
        """Between objective and bound, as a share of the larger; infinite where one of them is not there."""
        if not self.feasible or not isfinite(self.bound):
            return inf
        largest = max(abs(self.objective), abs(self.bound))
        return abs(self.objective - self.bound) / largest if largest else 0.0

    @property
    def optimal(self) -> bool:
        """Whether it is proven that nothing is better."""
        return self.gap <= CLOSED

    def __str__(self) -> str:
        """The answer in a sentence or two, and a table of stages and controls."""
        return "\n".join([*self.sentences(), "", *self._table()])

    def sentences(self) -> Iterator[str]:
        """What was found and what is proven of it."""
        value = f"{self.objective:.10g}"
        if not self.feasible:
            missed = ", ".join(f"{name} (by {amount:g})" for name, amount in self.violations.items() if amount)
            yield f"No feasible solution found; the best ({value}) misses {missed}."
        elif self.optimal:
            yield f"{value}, proven optimal; found by the stage {self.found_by!r}."
        elif isfinite(self.bound):
            yield f"{value}, at most {self.gap:.2%} from the best there can be; found by the stage {self.found_by!r}."
        else:
            yield f"{value}, no bound is proven; found by the stage {self.found_by!r}."
        if self.feasible and self.violations:
            yield (
                "Its constraint holds."
                if len(self.violations) == 1
                else f"All {len(self.violations)} constraints hold."
            )
        if isfinite(self.bound) and not self.optimal:
            yield f"Proven bound {self.bound:.10g}."
        if self.interrupted:
            yield "Interrupted: later stages were left out."

    def _table(self) -> Iterator[str]:
        width = max(len(stage.stage) for stage in (*self.stages, *self.controls, _HEADING))
        method = max(len(s.method) for s in (*self.stages, *self.controls, _HEADING) if not s.is_left_out)
        yield f"{'stage':{width}}  {'method':{method}}  {'seconds':>8}  {'objective':>12}  {'gained':>10}"
        for stage in (*self.stages, *self.controls):
            if stage in self.controls[:1]:
                yield "beside it, in the time of coarse and fine stage together:"
            if stage.is_left_out:
                yield f"{stage.stage:{width}}  {stage.method}"
                continue
            value = "none" if stage.objective is None else f"{stage.objective:.10g}" if stage.feasible else "infeasible"
            gained = "" if stage.gained is None else f"{stage.gained:.6g}"
            row = f"{stage.stage:{width}}  {stage.method:{method}}  {stage.seconds:8.2f}  {value:>12}  {gained:>10}"
            yield row.rstrip()

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and names, as JSON takes them; what is infinite is None."""
        return {
            "problem": type(self.problem).__name__, "sense": self.problem.sense, "objective": self.objective,
            "feasible": self.feasible, "optimal": self.optimal, "bound": self.bound if isfinite(self.bound) else None,
            "gap": self.gap if isfinite(self.gap) else None, "found_by": self.found_by, "violations": self.violations,
            "solution": self.problem.describe(self.solution), "numbers": self.solution.tolist(),
            "stages": [vars(stage) for stage in self.stages], "controls": [vars(stage) for stage in self.controls],
            "interrupted": self.interrupted, "seconds": self.seconds, "seed": self.seed,
        }  # fmt: skip
