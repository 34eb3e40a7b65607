"""Scores of predictions, weighted, so that a bootstrap is one call with many rows of weights.

N draws, B rows, C classes. Classes come as codes (B,) with probabilities (B, C), numbers as two times (B,).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def roc_auc(y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: the chance that a row of class 1 outranks one of class 0, ties half.

    Shapes: y (B,), probabilities (B, 2), weights (N, B) -> (N,); NaN where one class has no weight.
    """
    return _outranking(y == 1, probabilities[:, 1], weights)


def macro_roc_auc(y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over the classes of the ROC AUC of each class against the rest.

    Shapes: y (B,), probabilities (B, C), weights (N, B) -> (N,).
    """
    return np.mean([_outranking(y == c, p, weights) for c, p in enumerate(probabilities.T)], axis=0)


def _outranking(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    above = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    below = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    won = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
    pairs = above.sum(axis=1) * below.sum(axis=1)
    return np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def accuracy(y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of rows whose most probable class is theirs.

    Shapes: y (B,), probabilities (B, C), weights (N, B) -> (N,).
    """
    return _mean(probabilities.argmax(axis=1) == y, weights)


def balanced_accuracy(y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over the classes present of the share of their rows that is found.

    Shapes: y (B,), probabilities (B, C), weights (N, B) -> (N,).
    """
    found = probabilities.argmax(axis=1) == y
    return np.mean([_mean(found[y == c], weights[:, y == c]) for c in np.unique(y)], axis=0)


def log_loss(y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of -log of the probability given to the true class, in nats.

    Shapes: y (B,), probabilities (B, C), weights (N, B) -> (N,).
    """
    given = np.clip(probabilities[np.arange(len(y)), y].astype(float), 1e-15, 1)
    return _mean(-np.log(given), weights)


def r2(y: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of the target's variance that the predictions explain.

    Shapes: y (B,), values (B,), weights (N, B) -> (N,); NaN where the target does not vary.
    """
    mean = _mean(y, weights)
    spread = _mean(y**2, weights) - mean**2
    return np.divide(
        spread - _mean((y - values) ** 2, weights),
        spread,
        out=np.full(len(weights), np.nan),
        where=spread > 0,
    )


def rmse(y: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Root of the mean squared error, in the unit of the target.

    Shapes: y (B,), values (B,), weights (N, B) -> (N,).
    """
    return np.sqrt(_mean((y - values) ** 2, weights))


def mean_absolute_error(y: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean size of the error, in the unit of the target.

    Shapes: y (B,), values (B,), weights (N, B) -> (N,).
    """
    return _mean(np.abs(y - values), weights)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights @ values.astype(float)) / weights.sum(axis=1)


SCORES: dict[str, Score] = {
    "roc_auc": roc_auc,
    "macro_roc_auc": macro_roc_auc,
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "log_loss": log_loss,
    "r2": r2,
    "rmse": rmse,
    "mean_absolute_error": mean_absolute_error,
}
TITLES = {
    "roc_auc": "ROC AUC",
    "macro_roc_auc": "macro ROC AUC",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "r2": "R2",
    "rmse": "RMSE",
    "mean_absolute_error": "mean absolute error",
}


def score_names(task: str, n_classes: int) -> tuple[str, ...]:
    """The scores reported, the main one first: ROC AUC for two classes, accuracy for more, R2 for numbers."""
    if task == "regression":
        return "r2", "rmse", "mean_absolute_error"
    if n_classes == 2:
        return "roc_auc", "accuracy", "balanced_accuracy", "log_loss"
    return "accuracy", "macro_roc_auc", "balanced_accuracy", "log_loss"


def score(name: str, y: np.ndarray, predictions: np.ndarray) -> float:
    """One score with equal weights.

    Shapes: y (B,), predictions (B, C) or (B,).
    """
    return float(SCORES[name](y, predictions, np.ones((1, len(y))))[0])
