"""What a problem is: a model for the searches, and solutions that people read."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import Any, ClassVar

import numpy as np

from qloom.combinatorial.certificates import Certificate, certify_model
from qloom.combinatorial.model import Model, Sense
from qloom.combinatorial.model_size import ModelSize
from qloom.errors import ProblemError

# Candidates that brute force goes through at most.
MOST_CANDIDATES = 2_000_000
# Of a sum of some thousand terms, as a share of their sizes.
ROUNDING = 1e-14
# Late acceptance compares with the cost of so many moves ago.
MEMORY = 200


class Problem(ABC):
    """Base of the problems. A solution is an array, whose numbers the problem's docstring explains.

    It is int64, with continuous variables float64.

    Attributes:
        sense: whether the objective is to be small or large.
        is_exact: whether the model's objective and constraints are the problem's own; else it only leads to solutions.
        notes: what of its file was left out or taken for granted, to be printed.
    """

    sense: ClassVar[Sense] = "min"
    is_exact: ClassVar[bool] = True
    notes: tuple[str, ...] = ()

    @cached_property
    @abstractmethod
    def model(self) -> Model:
        """Variables, objective and constraints for the searches over bits."""

    @property
    def model_size(self) -> ModelSize:
        """Of the model, from the problem's own sizes where the model may be much larger than the problem."""
        return ModelSize.of(self.model)

    @abstractmethod
    def objective(self, solution: np.ndarray) -> float:
        """Of a solution, whether it meets the constraints or not."""

    def rounding(self, solution: np.ndarray) -> float:
        """By how much rounding may change the objective; where terms cancel that is more than a share of it."""
        return ROUNDING * abs(self.objective(solution))

    @abstractmethod
    def violations(self, solution: np.ndarray) -> dict[str, float]:
        """By how much each constraint is missed, by name; 0 where it holds."""

    @abstractmethod
    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A solution from values of the model's variables, repaired as far as can be. Shapes: values (N,)."""

    @abstractmethod
    def encode(self, solution: np.ndarray) -> np.ndarray:
        """Values of the model's variables, int64 (N,)."""

    @abstractmethod
    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        """Any solution, repaired as far as can be."""

    @abstractmethod
    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A solution that differs by a small random change; the given one stays as it is."""

    @abstractmethod
    def candidates(self) -> Iterator[np.ndarray]:
        """All solutions, for brute force.

        Raises:
            ProblemError: if they are more than 2,000,000.
        """

    @abstractmethod
    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """A picture of a solution on axes of matplotlib."""

    @abstractmethod
    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        """A solution in words of the field, of plain lists and numbers."""

    def cost(self, solution: np.ndarray) -> tuple[float, float]:
        """What is missed in all, then the objective, negative where it is to be large: the smaller the better."""
        objective = self.objective(solution)
        return sum(self.violations(solution).values()), objective if self.sense == "min" else -objective

    def is_feasible(self, solution: np.ndarray) -> bool:
        """Whether every constraint holds."""
        return not any(self.violations(solution).values())

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """The best solution on a walk over neighbours; Ctrl-C ends it. By default late acceptance.

        A neighbour is taken if it costs no more than the present one or than the one of some moves ago.

        Args:
            solution: where to begin.
            seconds: to search.
            random: draws moves.

        Source: Burke, Bykov 2017, European Journal of Operational Research 258, 70.
        """
        end = time.perf_counter() + seconds
        present, cost = solution, self.cost(solution)
        best, lowest, history, move = present, cost, [cost] * MEMORY, 0
        try:
            while time.perf_counter() < end:
                next_one = self.neighbour(present, random)
                next_cost = self.cost(next_one)
                if next_cost <= cost or next_cost <= history[move % MEMORY]:
                    present, cost = next_one, next_cost
                    if cost < lowest:
                        best, lowest = present, cost
                history[move % MEMORY] = cost
                move += 1
        except KeyboardInterrupt:
            pass
        return best

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """By an exact solver, by default HiGHS on the model; a solver that can begins from the hint, a solution.

        Args:
            time_limit: seconds.
            hint: a solution to begin from; None for none.

        Raises:
            MemoryLimitError: if the model is too large for it, before it is built.
            TimeLimitError: if it is too large for the time.
        """
        if not self.is_exact:
            raise NotImplementedError(f"{type(self).__name__} has no exact model; its certify must be its own")
        self.model_size.check_program(time_limit)
        found = certify_model(self.model, time_limit)
        if found.solution is None:
            return found
        return replace(found, solution=self.decode(found.solution, np.random.default_rng(0)))

    def brute_force(self) -> np.ndarray:
        """A best of all solutions.

        Raises:
            ProblemError: if there are too many, or none that meets the constraints.
        """
        best = min(self.candidates(), key=self.cost)
        if not self.is_feasible(best):
            raise ProblemError(f"no solution of the {type(self).__name__} meets all constraints; relax one of them")
        return best


def every(choices: list[int]) -> Iterator[np.ndarray]:
    """All arrays whose k-th number is below choices[k].

    Raises:
        ProblemError: if they are more than `MOST_CANDIDATES`.
    """
    count = float(np.prod(np.array(choices, float)))
    if count > MOST_CANDIDATES:
        raise ProblemError(f"{count:.3g} candidates, expected at most {MOST_CANDIDATES} for brute force; use solve")
    return (np.array(numbers, np.int64) for numbers in product(*(range(n) for n in choices)))
