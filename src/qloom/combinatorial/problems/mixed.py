"""A model with continuous variables as a problem: searches choose the whole ones, a linear program the others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from qloom.combinatorial.certificates import Certificate, certify_model, complete
from qloom.combinatorial.deadline import left
from qloom.combinatorial.model import FEASIBLE, Model
from qloom.combinatorial.problems.base import Problem, every
from qloom.combinatorial.problems.given import REPAIRS, GivenModel


class MixedModel(GivenModel):
    """A solution float64 (N,) holds the value of each variable, the continuous ones at their best beside the others."""

    is_exact: ClassVar[bool] = False

    @cached_property
    def model(self) -> Model:
        """Of the whole variables alone: what the others may do for a constraint they do, and they cost nothing."""
        return whole_part(self.given)

    @cached_property
    def whole(self) -> np.ndarray:
        """Numbers of the whole variables."""
        return np.flatnonzero(self.given.is_whole)

    def rounding(self, solution: np.ndarray) -> float:
        return FEASIBLE * float(self.given.magnitude(solution))

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Repaired by rows where no continuous variables fit."""
        out = np.clip(np.zeros(self.given.n), self.given.lower, self.given.upper)
        out[self.whole] = values
        return self._completed(out, random)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return np.round(solution[self.whole]).astype(np.int64)

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        model = self.model
        values = random.integers(model.lower, model.upper + 1) if model.n else np.zeros(0, np.int64)
        values[model.is_spin] = 2 * random.integers(0, 2, int(model.is_spin.sum())) - 1
        return self.decode(values, random)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One or two whole variables take other values."""
        if not len(self.whole):
            return solution.copy()
        values, model = self.encode(solution), self.model
        for k in random.integers(0, model.n, random.integers(1, 3)).tolist():
            values[k] = -values[k] if model.is_spin[k] else random.integers(model.lower[k], model.upper[k] + 1)
        return self.decode(values, random)

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """By rows, then by neighbours, with the continuous variables at their best."""
        found = self._completed(super().improve(solution, seconds / 2, random), random)
        start = found if self.cost(found) <= self.cost(solution) else solution
        return Problem.improve(self, start, seconds / 2, random)

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        return certify_model(self.given, time_limit)

    def candidates(self) -> Iterator[np.ndarray]:
        random = np.random.default_rng(0)
        step = np.where(self.model.is_spin, 2, 1)
        choices = (self.model.upper - self.model.lower) // step + 1
        return (self.decode(self.model.lower + step * numbers, random) for numbers in every(choices.tolist()))

    def _completed(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        found = complete(self.given, values)
        if found is not None:
            return found
        if self._rows is None:
            return values
        mended = self._rows.run(values, min(1.0, left()), random, REPAIRS, with_objective=False)
        found = complete(self.given, mended)
        return mended if found is None else found


def whole_part(model: Model) -> Model:
    """Without the continuous variables: constraints that their bounds leave open are left out, others get that room."""
    out, place = Model(model.sense), np.cumsum(model.is_whole) - 1
    for variables in model.variables:
        if variables.kind == "integer":
            for label, number in zip(model.labels, range(model.n), strict=True):
                if number in variables.numbers:
                    out.integer(label, int(model.lower[number]), int(model.upper[number]))
        elif variables.kind != "continuous":
            getattr(out, variables.kind)(variables.name, variables.numbers.shape)
    for indices, values in model.terms:
        kept = model.is_whole[indices].all(axis=1)
        out.add(values[kept], *place[indices[kept]].T)
    for constraint in model.constraints:
        _add_whole(out, model, constraint, place)
    out.one_hot_groups = [place[group] for group in model.one_hot_groups]
    return out


def _add_whole(out: Model, model: Model, constraint: Any, place: np.ndarray) -> None:
    whole, factors = model.is_whole[constraint.variables], constraint.coefficients
    if whole.all():
        out.constrain(constraint.name, place[constraint.variables], factors, constraint.comparison, constraint.right)
        return
    rest = factors[~whole]
    ends = [end[constraint.variables[~whole]] for end in (model.lower, model.upper)]
    products = np.stack([np.multiply(rest, end, out=np.zeros(len(rest)), where=rest != 0) for end in ends])
    least, most = products.min(axis=0).sum(), products.max(axis=0).sum()
    columns = place[constraint.variables[whole]]
    for comparison, room in (("<=", least), (">=", most)):
        if constraint.comparison in ("==", comparison) and np.isfinite(room) and len(columns):
            name = f"{constraint.name} {comparison}" if constraint.comparison == "==" else constraint.name
            out.constrain(name, columns, factors[whole], comparison, constraint.right - room)  # type: ignore[arg-type]
