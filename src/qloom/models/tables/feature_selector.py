"""A step of a pipeline that selects features together: much about the target, little about one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from qloom.checks import whole
from qloom.combinatorial.binary_form import BinaryForm
from qloom.combinatorial.penalties import search
from qloom.combinatorial.problems.feature_selection import FeatureSelection
from qloom.combinatorial.solvers import SimulatedAnnealing, Solver
from qloom.errors import ConfigError
from qloom.models.saving import Saved

_FIELDS = fields(FeatureSelection)
Task = Literal["classification", "regression"]


class QuadraticFeatureSelector(SelectorMixin, Saved, BaseEstimator):  # type: ignore[misc]
    """k features of high mutual information with the target and low mutual information with each other:

        make_pipeline(QuadraticFeatureSelector(8), HybridClassifier())

    A search over bits gives candidates, exchanges of two features improve them, the best is taken.

    Args:
        n_features_to_select: k; None for half of them, a share below 1 as a float.
        balance: from 0, relevance alone, to 1, redundancy alone; a half is minimum redundancy, maximum relevance.
        discrete_features: which are codes rather than quantities: a bool for all, or a mask (F,).
        solver: the search; None for `SimulatedAnnealing`.
        n_rounds: of the search.
        random_state: seed of everything random.

    Attributes:
        problem_: the `FeatureSelection`, with the mutual information in it.
        objective_: of what is selected.
        support_: bool (F,).

    Shapes: X (B, F) -> (B, k).

    Source: Peng, Long, Ding 2005, IEEE Transactions on Pattern Analysis 27, 1226.
    """

    def __init__(
        self,
        n_features_to_select: int | float | None = None,
        balance: float = 0.5,
        discrete_features: Any = False,
        solver: Solver | None = None,
        n_rounds: int = 4,
        random_state: Any = 0,
    ):
        self.n_features_to_select = n_features_to_select
        self.balance = balance
        self.discrete_features = discrete_features
        self.solver = solver
        self.n_rounds = n_rounds
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Shapes: X (B, F), y (B,), labels or numbers.

        Raises:
            ConfigError: for numbers of features that cannot be, or classes of a single row each.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        task: Task = "regression" if type_of_target(y).startswith("continuous") else "classification"
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        k = self._count(X.shape[1])
        whole(1, n_rounds=self.n_rounds)
        codes = self._codes(X.shape[1])
        if task == "classification":
            _check_classes("y", y)
        for j in np.flatnonzero(codes):
            _check_classes(f"feature {j}", X[:, j])
        self.problem_ = FeatureSelection.of_table(X, y, k, task, self.balance, codes, seed)
        best = self._searched(np.random.default_rng(seed))
        self.objective_, self.support_ = self.problem_.objective(best), best == 1
        return self

    def _count(self, n_features: int) -> int:
        given = self.n_features_to_select
        share = 0.5 if given is None else given
        count = int(share) if isinstance(share, Integral) else 0
        if isinstance(share, Real) and 0 < share < 1:
            count = max(round(share * n_features), 1)
        if not 1 <= count <= n_features:
            raise ConfigError(f"n_features_to_select={given!r}, expected 1 to {n_features}, or a share between 0 and 1")
        return count

    def _codes(self, n_features: int) -> np.ndarray:
        given = np.asarray(self.discrete_features)
        if given.dtype != bool or given.shape not in ((), (n_features,)):
            raise ConfigError(f"discrete_features={self.discrete_features!r}, expected a bool or {n_features} of them")
        return np.broadcast_to(given, (n_features,))

    def _searched(self, random: np.random.Generator) -> np.ndarray:
        problem = self.problem_
        rounds = search(BinaryForm(problem.model), self.solver or SimulatedAnnealing(), random)
        found = {row.tobytes(): row for _ in range(self.n_rounds) for row in next(rounds)}
        return max((problem.descended(problem.decode(row, random)) for row in found.values()), key=problem.objective)

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self, "support_")
        return self.support_

    def learnt(self) -> dict[str, Any]:
        return {**super().learnt(), "problem_": {field.name: getattr(self.problem_, field.name) for field in _FIELDS}}

    def put_back(self, learnt: Mapping[str, Any]) -> None:
        super().put_back({**learnt, "problem_": FeatureSelection(**learnt["problem_"])})

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _check_classes(name: str, codes: np.ndarray) -> None:
    if len(np.unique(codes)) == len(codes):
        raise ConfigError(f"{name} has a class of its own for each row, expected classes of two rows and more")
