"""A factorization machine: a quadratic function of one-hot settings, fitted to scores that were measured.

score(c) = constant + sum_g linear[c_g] + sum_{g < h} <factors[c_g], factors[c_h]> for the choice c_g of each setting g.

Source: Rendle 2010, IEEE International Conference on Data Mining, 995, eq. (1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.checks import finite
from qloom.combinatorial.problems.configuration import SettingChoice
from qloom.errors import ProblemError

# Rounds over all settings; each makes the penalized error smaller.
ROUNDS = 20


@dataclass(frozen=True)
class FactorizationMachine:
    """Fitted to scores.

    Attributes:
        n_choices: of each setting, (G,).
        constant, linear, factors: a number, (D,), (D, R) of D choices in all.

    Source: Rendle 2010, IEEE International Conference on Data Mining, 995.
    """

    n_choices: np.ndarray
    constant: float
    linear: np.ndarray
    factors: np.ndarray

    def predict(self, choices: np.ndarray) -> np.ndarray:
        """Shapes: choices (B, G) -> (B,)."""
        columns = choices + first_choices(self.n_choices)
        factors = self.factors[columns]
        pairs = (factors.sum(axis=1) ** 2 - (factors**2).sum(axis=1)).sum(axis=1) / 2
        return self.constant + self.linear[columns].sum(axis=1) + pairs

    def problem(self) -> SettingChoice:
        """The choices of lowest predicted score."""
        return SettingChoice(self.n_choices, self.linear, self.factors @ self.factors.T, self.constant)


def fit_factorization_machine(
    n_choices: Any, choices: Any, scores: Any, rank: int = 4, ridge: float = 0.1, weights: Any = None,
    random: np.random.Generator | None = None,
) -> FactorizationMachine:  # fmt: skip
    """By least squares with a ridge, setting by setting: given the others the scores are linear in a choice's numbers.

    Args:
        n_choices: of each setting, (G,).
        choices: measured, from 0, (B, G).
        scores: of them, (B,).
        rank: R, of the factors.
        ridge: penalty of each squared number of a choice, in units of the scores' variance.
        weights: of the measurements, (B,); None for equal ones.
        random: draws where the factors begin; None for seed 0.

    Raises:
        ProblemError: for shapes that do not fit, choices that are not there, or NaN.

    Source: Rendle 2010, IEEE International Conference on Data Mining, 995.
    """
    n_choices, choices, scores = np.asarray(n_choices), np.asarray(choices), finite("scores", scores)
    weights = np.ones(len(scores)) if weights is None else finite("weights", weights)
    if choices.shape != (len(scores), len(n_choices)) or weights.shape != scores.shape or not len(scores):
        raise ProblemError(
            f"choices, scores, weights have shapes {choices.shape}, {scores.shape}, {weights.shape}, expected "
            f"(B, {len(n_choices)}), (B,), (B,) with at least one row"
        )
    if (choices < 0).any() or (choices >= n_choices).any() or rank < 1 or not ridge > 0:
        raise ProblemError(
            f"choices from {choices.min()} to {choices.max()}, rank={rank}, ridge={ridge}, expected choices below "
            "n_choices, a rank of at least 1 and a ridge above 0"
        )
    random = random or np.random.default_rng(0)
    first, total = first_choices(n_choices), int(n_choices.sum())
    columns = choices + first
    constant = float(np.average(scores, weights=weights))
    numbers = np.column_stack([np.zeros(total), random.normal(scale=0.3, size=(total, rank))])
    penalty = ridge * np.eye(rank + 1) * weights.mean()
    spread = float(scores.std()) or 1.0
    targets = (scores - constant) / spread
    blocks = [
        (np.delete(columns, g, axis=1), np.eye(n)[choices[:, g]].T, slice(first[g], first[g] + n))
        for g, n in enumerate(n_choices)
    ]
    for _ in range(ROUNDS):
        for elsewhere, chosen, own in blocks:
            others = numbers[elsewhere]
            rest = others.sum(axis=1)
            pairs = (rest[:, 1:] ** 2 - (others[:, :, 1:] ** 2).sum(axis=1)).sum(axis=1) / 2
            left = targets - rest[:, 0] - pairs
            rest[:, 0] = 1
            weighted = weights[:, None] * rest
            squares = chosen @ (weighted[:, :, None] * rest[:, None]).reshape(len(rest), -1)
            system = squares.reshape(-1, rank + 1, rank + 1) + penalty
            numbers[own] = np.linalg.solve(system, (chosen @ (left[:, None] * weighted))[:, :, None])[:, :, 0]
    return FactorizationMachine(n_choices, constant, spread * numbers[:, 0], np.sqrt(spread) * numbers[:, 1:])


def first_choices(n_choices: np.ndarray) -> np.ndarray:
    """The number of each setting's first choice among all, (G,)."""
    return np.cumsum(n_choices) - n_choices
