"""Feature selection: features that say much about the target and little about one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb
from typing import Any, ClassVar, Literal

import numpy as np

from qloom.checks import finite, whole
from qloom.combinatorial.model import Model, Sense
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import MOST_CANDIDATES, Problem
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class FeatureSelection(Problem):
    """Exactly k of N features; a solution (N,) holds 1 for each that is selected, else 0.

    What is to be large is (1 - balance) times the mean relevance of the selected less balance times the mean redundancy
    of their pairs.

    Args:
        relevance: of each feature for the target, (N,).
        redundancy: of pairs, symmetric (N, N); its diagonal does not matter.
        n_selected: k.
        balance: from 0, relevance alone, to 1, redundancy alone; a half is minimum redundancy, maximum relevance.

    Raises:
        ProblemError: for shapes that do not fit, NaN, or a k or balance that cannot be.

    Source: Peng, Long, Ding 2005, IEEE Transactions on Pattern Analysis 27, 1226, eq. (6); Rodriguez-Lujan, Huerta,
    Elkan, Santa Cruz 2010, Journal of Machine Learning Research 11, 1491, eq. (4), with whole variables.
    """

    sense: ClassVar[Sense] = "max"

    relevance: np.ndarray
    redundancy: np.ndarray
    n_selected: int
    balance: float = 0.5

    def __post_init__(self) -> None:
        relevance, redundancy = finite("relevance", self.relevance), finite("redundancy", self.redundancy)
        n = relevance.size
        if relevance.ndim != 1 or redundancy.shape != (n, n) or (redundancy != redundancy.T).any():
            raise ProblemError(
                f"relevance, redundancy have shapes {relevance.shape}, {redundancy.shape}, expected (N,), (N, N) "
                "symmetric"
            )
        whole(1, n_selected=self.n_selected)
        if self.n_selected > n:
            raise ProblemError(f"n_selected={self.n_selected}, expected at most {n}")
        pairs = redundancy - np.diag(np.diag(redundancy))
        if not 0 <= finite("balance", self.balance) <= 1:
            raise ProblemError(f"balance={self.balance}, expected 0 to 1")
        for name, value in (("relevance", relevance), ("redundancy", pairs)):
            object.__setattr__(self, name, value)

    @classmethod
    def of_table(
        cls, X: Any, y: Any, n_selected: int, task: Literal["classification", "regression"] = "classification",
        balance: float = 0.5, discrete: Any = False, seed: int | None = 0,
    ) -> FeatureSelection:  # fmt: skip
        """Relevance and redundancy are mutual information in nats, estimated from neighbours by scikit-learn.

        Args:
            X: rows of numbers, (B, F).
            y: labels or numbers, (B,).
            n_selected: k.
            task: what y is.
            balance: as in the class.
            discrete: which features are codes rather than quantities: a bool for all, or a mask (F,).
            seed: of the noise that breaks ties.

        Raises:
            ProblemError: for another task, tables that hold no numbers, or a k or balance that cannot be.

        Source: Ross 2014, PLoS ONE 9, e87357.
        """
        from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

        if task not in ("classification", "regression"):
            raise ProblemError(f"task={task!r}, expected 'classification' or 'regression'")
        X = finite("X", X)
        if X.ndim != 2:
            raise ProblemError(f"X has shape {X.shape}, expected (B, F)")
        codes = np.broadcast_to(np.asarray(discrete, bool), X.shape[1:])
        about = {True: mutual_info_classif, False: mutual_info_regression}
        options = {"discrete_features": codes, "random_state": seed, "n_neighbors": min(3, len(X) - 1)}
        redundancy = np.array(
            [about[bool(code)](X, column, **options) for column, code in zip(X.T, codes, strict=True)]
        )
        relevance = about[task == "classification"](X, y, **options)
        return cls(relevance, (redundancy + redundancy.T) / 2, n_selected, balance)

    @property
    def model_size(self) -> ModelSize:
        n, products = len(self.relevance), comb(len(self.relevance), 2) * (self.n_selected > 1)
        return ModelSize(n, n + products, products).constrained(1, n)

    @cached_property
    def model(self) -> Model:
        """A bit a feature, k of them 1."""
        model, k = Model("max"), self.n_selected
        x = model.binary("feature selected", len(self.relevance))
        model.add((1 - self.balance) / k * self.relevance, x)
        first, second = np.triu_indices(len(self.relevance), 1)
        if k > 1:
            model.add(-self.balance / comb(k, 2) * self.redundancy[first, second], x[first], x[second])
        model.constrain("number of features", x, 1, "==", k)
        return model

    def objective(self, solution: np.ndarray) -> float:
        k = self.n_selected
        pairs = solution @ self.redundancy @ solution / (2 * max(comb(k, 2), 1))
        return float((1 - self.balance) * self.relevance @ solution / k - self.balance * pairs)

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        return {"number of features": float(abs(int(solution.sum()) - self.n_selected))}

    def slopes(self, solution: np.ndarray) -> np.ndarray:
        """What each feature adds, or would add, to the objective, (N,)."""
        k = self.n_selected
        redundancy = self.redundancy @ solution / max(comb(k, 2), 1)
        return (1 - self.balance) * self.relevance / k - self.balance * redundancy

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One too many is the one that adds least, one too few that which would add most."""
        out = values.astype(np.int64)
        while surplus := int(out.sum()) - self.n_selected:
            if surplus > 0:
                out[np.where(out == 1, self.slopes(out), np.inf).argmin()] = 0
            else:
                out[np.where(out == 0, self.slopes(out), -np.inf).argmax()] = 1
        return out

    def encode(self, solution: np.ndarray) -> np.ndarray:
        return solution.copy()

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.permutation(np.arange(len(self.relevance)) < self.n_selected).astype(np.int64)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """One feature in the place of another."""
        out = solution.copy()
        if 0 < out.sum() < len(out):
            out[[random.choice(np.flatnonzero(out == 1)), random.choice(np.flatnonzero(out == 0))]] ^= 1
        return out

    def descended(self, solution: np.ndarray) -> np.ndarray:
        """With the best exchange of two features, again and again until none helps."""
        out = solution.copy()
        while 0 < out.sum() < len(out):
            held, others, slopes = np.flatnonzero(out == 1), np.flatnonzero(out == 0), self.slopes(out)
            shared = self.balance / max(comb(self.n_selected, 2), 1) * self.redundancy[np.ix_(held, others)]
            gains = slopes[others] - slopes[held][:, None] + shared
            i, j = np.unravel_index(gains.argmax(), gains.shape)
            if gains[i, j] <= 1e-12 * (1 + np.abs(slopes).max()):
                break
            out[[held[i], others[j]]] ^= 1
        return out

    def candidates(self) -> Iterator[np.ndarray]:
        n = len(self.relevance)
        if (count := comb(n, self.n_selected)) > MOST_CANDIDATES:
            raise ProblemError(f"{count:.3g} candidates, expected at most {MOST_CANDIDATES} for brute force; use solve")
        return (np.isin(np.arange(n), held).astype(np.int64) for held in combinations(range(n), self.n_selected))

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """Relevance of each feature, and its mean redundancy with the selected ones."""
        places, selected = np.arange(len(solution)), solution == 1
        others = np.maximum(selected.sum() - selected, 1)
        axes.bar(places, self.relevance, color=np.where(selected, "C0", "0.8"))
        axes.bar(places, -(self.redundancy @ solution) / others, color=np.where(selected, "C3", "0.9"))
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set(xlabel="feature (coloured: selected)", ylabel="redundancy below, relevance above")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        held = np.flatnonzero(solution)
        pairs = solution @ self.redundancy @ solution / max(len(held) * (len(held) - 1), 1)
        return {
            "features": held.tolist(),
            "mean relevance": float(self.relevance[held].mean()) if len(held) else 0.0,
            "mean redundancy": float(pairs),
        }
