"""Choice among settings: hyperparameters and architectures whose score is about quadratic in what is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any

import numpy as np

from qloom.checks import finite
from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import Problem, every
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class SettingChoice(Problem):
    """One choice for each of G settings; a solution (G,) holds its number, from 0.

    Choices are counted through all settings, D in all. What is to be small is the sum of the linear values of those
    taken, of the values of their pairs, and a constant.

    Args:
        n_choices: of each setting, int (G,).
        linear: (D,).
        pairs: symmetric (D, D); those of one setting do not matter.
        constant: a number.

    Raises:
        ProblemError: for shapes that do not fit, NaN, or a setting without choices.
    """

    n_choices: np.ndarray
    linear: np.ndarray
    pairs: np.ndarray
    constant: float = 0.0

    def __post_init__(self) -> None:
        n_choices, linear = np.asarray(self.n_choices), finite("linear", self.linear)
        pairs, total = finite("pairs", self.pairs), int(np.sum(self.n_choices))
        if n_choices.ndim != 1 or not n_choices.size or n_choices.dtype.kind not in "iu" or n_choices.min() < 1:
            raise ProblemError(f"n_choices={self.n_choices!r}, expected integers of at least 1, one a setting")
        if linear.shape != (total,) or pairs.shape != (total, total) or np.abs(pairs - pairs.T).max() > 1e-9:
            raise ProblemError(
                f"linear, pairs have shapes {linear.shape}, {pairs.shape}, expected ({total},), ({total}, {total}) "
                "symmetric"
            )
        owner = np.repeat(np.arange(len(n_choices)), n_choices)
        object.__setattr__(self, "n_choices", n_choices.astype(np.int64))
        object.__setattr__(self, "linear", linear)
        object.__setattr__(self, "pairs", np.where(owner[:, None] == owner, 0.0, pairs))

    @cached_property
    def first(self) -> np.ndarray:
        """The number of each setting's first choice, (G,)."""
        return np.cumsum(self.n_choices) - self.n_choices

    @property
    def model_size(self) -> ModelSize:
        n = len(self.linear)
        products = comb(n, 2) * (len(self.n_choices) > 1)
        size = ModelSize(n, n + products, products)
        for choices in self.n_choices.tolist():
            size = size.constrained(1, choices)
        return size

    @cached_property
    def model(self) -> Model:
        """Which choice a setting has."""
        model = Model()
        x = np.concatenate(
            [model.one_hot(f"choice of setting {g}", (), int(n)).ravel() for g, n in enumerate(self.n_choices)]
        )
        a, b = np.triu_indices(len(self.linear), 1)
        model.add(self.constant)
        model.add(self.linear, x)
        if len(self.n_choices) > 1:
            model.add(self.pairs[a, b], x[a], x[b])
        return model

    def objective(self, solution: np.ndarray) -> float:
        taken = solution + self.first
        return float(self.constant + self.linear[taken].sum() + self.pairs[np.ix_(taken, taken)].sum() / 2)

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        return {}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A choice that is set, at random where there are none or several."""
        wanted = values + 1e-3 * random.random(len(values))
        return np.array([part.argmax() for part in np.split(wanted, self.first[1:])], np.int64)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        out = np.zeros(len(self.linear), np.int64)
        out[solution + self.first] = 1
        return out

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.integers(0, self.n_choices)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Another choice for one setting."""
        out = solution.copy()
        g = random.integers(len(out))
        out[g] = random.integers(self.n_choices[g])
        return out

    def descended(self, solution: np.ndarray) -> np.ndarray:
        """With the best choice of one setting after another, until none changes."""
        out, before = solution.copy(), None
        while before is None or (out != before).any():
            before = out.copy()
            for g, (first, n) in enumerate(zip(self.first, self.n_choices, strict=True)):
                own = slice(first, first + n)
                values = self.linear[own] + self.pairs[own][:, out + self.first].sum(axis=1)
                if values.min() < values[out[g]] - 1e-12 * (1 + np.abs(values).max()):
                    out[g] = values.argmin()
        return out

    def candidates(self) -> Iterator[np.ndarray]:
        return every(self.n_choices.tolist())

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """What each choice of each setting would make of the objective; the dots are taken."""
        for g, n in enumerate(self.n_choices):
            values = [self.objective(np.where(np.arange(len(solution)) == g, k, solution)) for k in range(n)]
            axes.plot([g] * n, values, "_", color="0.6", markersize=14)
            axes.plot(g, values[solution[g]], "o", color="C0")
        axes.set(xlabel="setting", ylabel="objective with another choice", xticks=range(len(solution)))

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {"choice of setting": solution.tolist()}
