"""Curves and tables of a classifier computed from its predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_Z95 = 1.959963984540054


def roc(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates at every distinct threshold, from (0, 0) to (1, 1).

    Shapes: positive (N,) bool, score (N,), larger for positives -> two arrays of equal length.
    """
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(positive[order])[last_of_ties]
    false_alarms = last_of_ties + 1 - hits
    rates = [counts / max(counts[-1], 1) for counts in (false_alarms, hits)]
    return np.append(0.0, rates[0]), np.append(0.0, rates[1])


def area(x: np.ndarray, y: np.ndarray) -> float:
    """Area under a piecewise straight curve."""
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


@dataclass(frozen=True)
class Reliability:
    """Predicted and observed frequency in K bins of about equal size, with 95% Wilson intervals."""

    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_rows: np.ndarray


def reliability(positive: np.ndarray, probability: np.ndarray, n_bins: int = 10) -> Reliability:
    """Reliability of predicted probabilities, at most n_bins bins cut at their quantiles."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, n_bins + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="left")
    bins = [which == k for k in range(len(edges) + 1) if np.any(which == k)]
    n = np.array([np.count_nonzero(b) for b in bins])
    predicted = np.array([probability[b].mean() for b in bins])
    observed = np.array([positive[b].mean() for b in bins])
    middle = (observed + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 / (1 + _Z95**2 / n) * np.sqrt(observed * (1 - observed) / n + _Z95**2 / (4 * n**2))
    return Reliability(predicted, observed, middle - half, middle + half, n)


def confusion(targets: np.ndarray, predictions: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts (C, C), the true class in rows and the predicted one in columns."""
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (targets, predictions), 1)
    return counts


def class_scores(counts: np.ndarray) -> np.ndarray:
    """Precision, recall and F1 (C, 3) of every class from the confusion matrix; NaN where it never occurs."""
    hits = np.diag(counts).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = hits / counts.sum(axis=0), hits / counts.sum(axis=1)
        f1 = 2 * hits / (counts.sum(axis=0) + counts.sum(axis=1))
    return np.column_stack([precision, recall, f1])
