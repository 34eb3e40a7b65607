"""A model of one's own as a problem: a solution holds the values of its variables."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.deadline import left
from qloom.combinatorial.model import Model, Sense
from qloom.combinatorial.problems.base import ROUNDING, Problem, every
from qloom.combinatorial.problems.flips import improve_by_flips
from qloom.combinatorial.problems.max_cut import MaxCut, bound_by_eigenvalue
from qloom.combinatorial.problems.row_search import RowSearch
from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import MemoryLimitError, ProblemError, TimeLimitError

# Moves that mend the rows of one solution at most, and characters of a name in a picture.
REPAIRS, NAME = 200, 24
# Products of bits that a linear program holds so well that nothing else is asked for a bound.
FEW_PRODUCTS = 100
# Names that have a colour of their own in a picture, and bars that are drawn one by one.
COLOURED, MOST_BARS = 10, 200


@dataclass(frozen=True, eq=False)
class GivenModel(Problem):
    """A solution (N,) holds the value of each variable.

    Args:
        given: the model; it is not to be changed any more.
        notes: what of its file was left out or taken for granted.

    Raises:
        ProblemError: for a model without variables.
    """

    given: Model
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.given.lower):
            raise ProblemError("the model has no variables, expected at least one")

    @staticmethod
    def of_model(model: Model, notes: tuple[str, ...] = ()) -> GivenModel:
        """The problem of a model, also of one with continuous variables.

        Args:
            model: not to be changed any more.
            notes: what of its file was left out or taken for granted.
        """
        from qloom.combinatorial.problems.mixed import MixedModel

        return (GivenModel if model.is_whole.all() else MixedModel)(model, notes)

    @classmethod
    def of(cls, quadratic: Quadratic) -> GivenModel:
        """The problem of a quadratic function, to be small, without constraints; the variables are called x or s."""
        model = Model("min")
        x = model.binary("x", quadratic.n) if quadratic.kind == "binary" else model.spin("s", quadratic.n)
        model.add(quadratic.constant)
        model.add(quadratic.linear, x)
        model.add(quadratic.values, x[quadratic.first], x[quadratic.second])
        return cls(model)

    @property
    def sense(self) -> Sense:  # type: ignore[override]
        """The model's: whether the objective is to be small or large."""
        return self.given.sense

    @cached_property
    def model(self) -> Model:
        """The one that was given."""
        return self.given

    def objective(self, solution: np.ndarray) -> float:
        return float(self.given.objective(solution))

    def rounding(self, solution: np.ndarray) -> float:
        return ROUNDING * float(self.given.magnitude(solution))

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        missed = self.given.violations(solution)
        return {c.name: float(amount) for c, amount in zip(self.given.constraints, missed, strict=True)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One-hot groups without or with several ones get one of them, then rows are mended one by one."""
        out = np.asarray(values, np.int64).copy()
        for group in self.given.one_hot_groups:
            if out[group].sum() != 1:
                wanted = np.flatnonzero(out[group]) if out[group].any() else np.arange(len(group))
                out[group] = np.arange(len(group)) == random.choice(wanted)
        if self.given.constraints and self.given.violations(out).any() and self._rows is not None:
            return self._rows.run(out, min(1.0, left()), random, REPAIRS, with_objective=False)
        return out

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return solution

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        out = random.integers(self.given.lower, self.given.upper + 1)
        spins = self.given.is_spin
        out[spins] = 2 * random.integers(0, 2, int(spins.sum())) - 1
        return self.decode(out, random)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One variable takes another value, the one of a one-hot group moves, or two variables exchange values."""
        out, model = solution.copy(), self.given
        k = random.integers(0, model.n)
        group = self._group_of.get(int(k))
        if group is not None:
            out[group] = group == k
        elif random.random() < 0.5:
            j = self._loose[random.integers(0, len(self._loose))]
            if all(own[j] == own[k] for own in (model.lower, model.upper, model.is_spin)):
                out[k], out[j] = solution[j], solution[k]
        elif model.is_spin[k]:
            out[k] *= -1
        else:
            out[k] = random.integers(model.lower[k], model.upper[k] + 1)
        return out

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """By flips where nothing constrains two-valued variables in pairs, by rows where nothing is multiplied.

        Else neighbours, once all rows hold.
        """
        if self._flips is None and self._rows is not None and self._is_linear:
            halves = [self._rows.run(solution, seconds / 2, random)]
            halves.append(Problem.improve(self, halves[0], seconds / 2, random) if self.given.one_hot_groups else
                          self._rows.run(halves[0], seconds / 2, random))  # fmt: skip
            return halves[-1]
        if self._flips is None:
            end = time.perf_counter() + seconds
            if self._rows is not None and not self.is_feasible(solution):
                solution = self._rows.run(solution, seconds / 2, random, with_objective=False)
            return super().improve(solution, max(end - time.perf_counter(), 0.0), random)
        function, low = self._flips, self.given.lower
        bits = improve_by_flips(function, (solution - low) // (self.given.upper - low), seconds, random)
        return low + bits * (self.given.upper - low)

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """By HiGHS; many products of bits that nothing constrains also by an eigenvalue, which dense ones need."""
        if self._flips is None or len(self._flips.values) <= FEW_PRODUCTS:
            return super().certify(time_limit, hint)
        start, spins = time.perf_counter(), self._flips.as_spins()
        try:
            self.model_size.check_program(time_limit / 2)
        except (MemoryLimitError, TimeLimitError):
            return self._eigenvalue_bound(spins, time_limit / 4)  # which it hardly gets better after
        eigen = self._eigenvalue_bound(spins, time_limit / 4)
        found = super().certify(max(time_limit - (time.perf_counter() - start), time_limit / 2), hint)
        tighter = (max if self.sense == "min" else min)(found.bound, eigen.bound)
        method = found.method if found.bound == tighter else f"{found.method}, eigenvalue bound"
        return replace(found, bound=tighter, method=method, seconds=time.perf_counter() - start)

    def _eigenvalue_bound(self, spins: Quadratic, seconds: float) -> Certificate:
        """As a max-cut: with one node more, whose edges are the linear terms, f = constant + weights - 2 cut."""
        edges = np.column_stack([np.append(spins.first, np.arange(spins.n)),
                                 np.append(spins.second, np.full(spins.n, spins.n))])  # fmt: skip
        weights = np.append(spins.values, spins.linear)
        found = bound_by_eigenvalue(MaxCut(spins.n + 1, edges, weights), seconds)
        size = abs(spins.constant) + float(np.abs(weights).sum())
        least = spins.constant + float(weights.sum()) - 2 * found.bound - ROUNDING * size * 100
        return replace(found, solution=None, objective=None, bound=least if self.sense == "min" else -least)

    def candidates(self) -> Iterator[np.ndarray]:
        step = np.where(self.given.is_spin, 2, 1)
        choices = (self.given.upper - self.given.lower) // step + 1
        return (self.given.lower + step * numbers for numbers in every(choices.tolist()))

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """Values of the variables in their order, a colour for each name."""
        axes.set(xlabel="variable", ylabel="value")
        if len(self.given.variables) > COLOURED:
            axes.stairs(solution, np.arange(self.given.n + 1) - 0.5, fill=True)
            return
        many = self.given.n > MOST_BARS
        for variables in self.given.variables:
            numbers, name = variables.numbers.ravel(), variables.name
            label = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
            if many:
                axes.stairs(solution[numbers], numbers[0] - 0.5 + np.arange(len(numbers) + 1), fill=True, label=label)
            else:
                axes.bar(numbers, solution[numbers], label=label)
        axes.legend()

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return self.given.named(solution)

    @cached_property
    def _is_linear(self) -> bool:
        return all(indices.shape[1] == 1 for indices, _ in self.given.terms)

    @cached_property
    def _rows(self) -> RowSearch | None:
        return RowSearch(self.given) if self.given.constraints else None

    @cached_property
    def _flips(self) -> Quadratic | None:
        """The objective of a bit a variable, to be small."""
        model = self.given
        two_valued = (model.upper - model.lower == np.where(model.is_spin, 2, 1)).all()
        if (
            model.constraints
            or not model.is_whole.all()
            or not two_valued
            or any(indices.shape[1] > 2 for indices, _ in model.terms)
        ):
            return None
        return BinaryForm(model).objective

    @cached_property
    def _group_of(self) -> dict[int, np.ndarray]:
        return {int(k): group for group in self.given.one_hot_groups for k in group}

    @cached_property
    def _loose(self) -> np.ndarray:
        """Variables of no one-hot group."""
        return np.array([k for k in range(self.given.n) if k not in self._group_of], np.int64)
