"""Classical models every hybrid model is measured against: a linear one and gradient boosting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from qloom.data import TargetCoding
from qloom.models.fitting import Rows
from qloom.models.preparation import PreparedTable
from qloom.models.scores import score

_STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)


def fit_linear(data: PreparedTable, seed: int) -> Any:
    """Logistic or ridge regression, its regularization chosen by the loss on the validation rows."""
    if data.task == "regression":
        candidates: Iterable[Any] = (Ridge(alpha=1 / strength) for strength in _STRENGTHS)
    else:
        candidates = (LogisticRegression(C=strength, max_iter=2000, random_state=seed) for strength in _STRENGTHS)
    x, y = _arrays(data.train)
    fitted = [model.fit(x, y) for model in candidates]
    return min(fitted, key=lambda model: _loss(model, data))


def fit_boosting(data: PreparedTable, seed: int) -> Any:
    """Histogram gradient boosting, stopped early by the same validation rows as the networks."""
    kind = HistGradientBoostingRegressor if data.task == "regression" else HistGradientBoostingClassifier
    x, y = _arrays(data.train)
    if not len(data.validation.y):
        return kind(max_iter=100, early_stopping=False, random_state=seed).fit(x, y)
    model = kind(max_iter=500, learning_rate=0.05, early_stopping=True, n_iter_no_change=20, random_state=seed)
    x_validation, y_validation = _arrays(data.validation)
    known = np.isin(y_validation, y) | (data.task == "regression")  # a class may first come up in validation rows
    return model.fit(x, y, X_val=x_validation[known], y_val=y_validation[known])


BASELINES = {"linear": fit_linear, "boosting": fit_boosting}


def baseline_outputs(model: Any, rows: Rows, coding: TargetCoding) -> np.ndarray:
    """Probabilities (B, C) of a classifier, 0 of classes that it never saw, or standardised numbers (B,)."""
    if coding.task == "regression":
        return np.asarray(model.predict(rows.x.numpy()), dtype=float)
    probabilities = np.zeros((len(rows.y), coding.n_outputs))
    probabilities[:, model.classes_] = model.predict_proba(rows.x.numpy())
    return probabilities


def count_parameters(model: Any) -> int:
    """Fitted numbers: coefficients and intercepts, or the nodes of all trees, a threshold or value each."""
    if hasattr(model, "coef_"):
        return int(np.size(model.coef_) + np.size(model.intercept_))
    return sum(len(tree.nodes) for round_ in model._predictors for tree in round_)


def _loss(model: Any, data: PreparedTable) -> float:
    rows = data.validation if len(data.validation.y) else data.train
    name = "rmse" if data.task == "regression" else "log_loss"
    return score(name, _arrays(rows)[1], baseline_outputs(model, rows, data.coding))


def _arrays(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    return rows.x.numpy(), rows.y.numpy()
