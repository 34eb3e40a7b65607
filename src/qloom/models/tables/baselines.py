"""Classical models every hybrid model is measured against: a linear one and gradient boosting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor, QuantileRegressor, Ridge

from qloom.models.artifact import write_artifact
from qloom.models.tables.calibration import learn_readout
from qloom.models.tables.forward import Weights, head_outputs
from qloom.models.tables.heads import linear_tables, raw_scores, trees_head
from qloom.models.tables.losses import Loss
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.rows import Rows
from qloom.models.tables.served import BASELINE, Predictor

_STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
# A linear quantile regression is a linear program with a row a row.
MOST_QUANTILE_ROWS = 2000
_BOOSTED = {"squared": "squared_error", "absolute": "absolute_error", "poisson": "poisson", "quantile": "quantile"}


def fit_linear(data: PreparedTable, seed: int) -> Any:
    """Logistic, ridge, Poisson or quantile regression, its regularization chosen by the loss on the validation rows."""
    rows, loss = data.train, data.loss
    if loss.quantile is not None and len(rows.y) > MOST_QUANTILE_ROWS:
        rows = rows.take(torch.from_numpy(np.linspace(0, len(rows.y) - 1, MOST_QUANTILE_ROWS).astype(int)))
    x, y = _arrays(rows)
    fitted = [model.fit(x, y, sample_weight=rows.scored_weights) for model in _linear_models(loss, seed)]
    return min(fitted, key=lambda model: _held_out_loss(model, data))


def _linear_models(loss: Loss, seed: int) -> Iterable[Any]:
    """From strongly to weakly regularized."""
    if loss.name == "cross_entropy":
        return (LogisticRegression(C=strength, max_iter=2000, random_state=seed) for strength in _STRENGTHS)
    if loss.name == "poisson":
        return (PoissonRegressor(alpha=0.001 / strength, max_iter=2000) for strength in _STRENGTHS)
    if loss.quantile is not None:
        return (QuantileRegressor(quantile=loss.quantile, alpha=alpha) for alpha in (0.01, 0.0001))
    return (Ridge(alpha=1 / strength) for strength in _STRENGTHS)


def fit_boosting(data: PreparedTable, seed: int) -> Any:
    """Histogram gradient boosting for the same loss, stopped early by the same validation rows as the networks."""
    options: dict[str, Any] = {"random_state": seed}
    kind = HistGradientBoostingClassifier
    if data.task == "regression":
        kind = HistGradientBoostingRegressor
        quantile = data.loss.quantile if data.loss.name == "quantile" else None
        options |= {"loss": _BOOSTED[data.loss.name], "quantile": quantile}
    x, y = _arrays(data.train)
    weights = data.train.scored_weights
    if not len(data.validation.y):
        return kind(max_iter=100, early_stopping=False, **options).fit(x, y, weights)
    model = kind(max_iter=500, learning_rate=0.05, early_stopping=True, n_iter_no_change=20, **options)
    x_validation, y_validation = _arrays(data.validation)
    known = np.isin(y_validation, y) | (data.task == "regression")  # a class may first come up in validation rows
    held_out = data.validation.scored_weights
    kept = {} if held_out is None else {"sample_weight_val": held_out[known]}
    return model.fit(x, y, weights, X_val=x_validation[known], y_val=y_validation[known], **kept)


BASELINES = {"linear": fit_linear, "boosting": fit_boosting}


class Baseline(Predictor):
    """A fitted baseline, as what predicts and can be saved as numbers.

    Args:
        kind: one of `BASELINES`.
        data: what to fit it to.
        seed: of what is random in it.

    Attributes:
        fitted_: scikit-learn's own.
        n_parameters: see `count_parameters`.
    """

    def __init__(self, kind: str, data: PreparedTable, seed: int):
        self.kind, self.fitted_ = kind, BASELINES[kind](data, seed)
        self.preprocessing_, self.coding_ = data.preprocessing, data.coding
        rows = data.held_out
        outputs = self.outputs(rows.x.numpy())
        self.readout_ = learn_readout(data.goal, data.loss, data.coding, rows.y.numpy(), outputs, rows.scored_weights)

    @property
    def n_parameters(self) -> int:
        """Of the fitted model."""
        return count_parameters(self.fitted_)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Trees are walked by scikit-learn, which is faster than by tables and gives the same sums."""
        n_targets = self.coding_.n_outputs
        if self.kind == "linear":
            return head_outputs(self._tables(x.shape[1]), "linear", x)
        return raw_scores(self.fitted_, x, n_targets)

    def _tables(self, n_features: int) -> Weights:
        n_targets = self.coding_.n_outputs
        if self.kind == "linear":
            tables = linear_tables(self.fitted_, n_targets)
        else:
            head = trees_head(self.fitted_, n_features, n_targets)
            tables = {name: tensor.numpy() for name, tensor in head.state_dict().items()}
        return {f"head.{name}": table for name, table in tables.items()}

    def save(self, path: str | Path) -> Path:
        """Write model.json and weights.safetensors into a folder; coefficients or trees as numbers."""
        from qloom import __version__

        record = {
            "qloom": __version__, "estimator": BASELINE, "kind": self.kind,
            "preprocessing": self.preprocessing_.to_json(), "target": self.coding_.to_json(),
            "readout": asdict(self.readout_),
        }  # fmt: skip
        tables = self._tables(self.preprocessing_.n_features)
        return write_artifact(path, record, tables)


def count_parameters(model: Any) -> int:
    """Fitted numbers: coefficients and intercepts, or the nodes of all trees, a threshold or value each."""
    if hasattr(model, "coef_"):
        return int(np.size(model.coef_) + np.size(model.intercept_))
    return sum(len(tree.nodes) for round_ in model._predictors for tree in round_)


def _held_out_loss(model: Any, data: PreparedTable) -> float:
    rows = data.held_out
    if hasattr(model, "classes_"):
        rows = rows.take(torch.from_numpy(np.flatnonzero(np.isin(rows.y.numpy(), model.classes_))))
    tables = {f"head.{name}": table for name, table in linear_tables(model, data.coding.n_outputs).items()}
    outputs = torch.from_numpy(head_outputs(tables, "linear", rows.x.numpy()))
    y = rows.y.double() if rows.y.is_floating_point() else rows.y
    return float(data.loss.mean(outputs, y, rows.weights))


def _arrays(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    return rows.x.numpy(), rows.y.numpy()
