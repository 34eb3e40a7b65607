"""What is learnt about a fitted model's outputs from rows that it was not fitted to."""

from __future__ import annotations

import numpy as np

from qloom.data import TargetCoding
from qloom.models.tables.goals import Goal
from qloom.models.tables.losses import Loss
from qloom.models.tables.readout import LINKS, Readout
from qloom.models.tables.scores import METRICS

_MOST_RESIDUALS = 200
_MOST_THRESHOLDS = 500


def learn_readout(
    goal: Goal, loss: Loss, coding: TargetCoding, y: np.ndarray, outputs: np.ndarray, weights: np.ndarray | None = None
) -> Readout:
    """Threshold and residuals by rows that were not trained on.

    Shapes: y (B,) as coded, outputs (B, C), weights (B,).
    """
    weights = np.ones(len(y)) if weights is None else weights
    read = LINKS[loss.link](outputs.astype(np.float64))
    if coding.task == "regression":
        return Readout(loss.link, residuals=_residuals(coding, loss, y - read, weights), quantile=loss.quantile)
    if isinstance(goal.threshold, str):
        return Readout(loss.link, choose_threshold(goal.threshold, y, read, weights))
    return Readout(loss.link, float(goal.threshold))


def _residuals(coding: TargetCoding, loss: Loss, errors: np.ndarray, weights: np.ndarray) -> tuple[float, ...]:
    """Quantiles keep where they are under a monotone map; means do not."""
    if coding.transformation.kind == "none" or loss.quantile is not None:
        return ()
    k = min(len(errors), _MOST_RESIDUALS)
    middles = (np.arange(k) + 0.5) / k
    found = np.quantile(errors, middles, weights=weights, method="inverted_cdf")
    return tuple(float(error) for error in found)


def choose_threshold(criterion: str, y: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> float:
    """The threshold at which a score of decisions is highest: halfway between probabilities, of equals nearest to 0.5.

    Shapes: y (B,), probabilities (B, 2), weights (B,).
    """
    occurring = np.unique(probabilities[:, 1])
    between = (occurring[1:] + occurring[:-1]) / 2
    if len(between) > _MOST_THRESHOLDS:
        between = between[np.linspace(0, len(between) - 1, _MOST_THRESHOLDS).astype(int)]
    candidates = np.append(0.5, between)
    scores = np.array([METRICS[criterion](y, probabilities, weights[None], level)[0] for level in candidates])
    best = np.flatnonzero(scores == np.nanmax(scores)) if np.isfinite(scores).any() else np.array([0])
    return float(candidates[best[np.argmin(np.abs(candidates[best] - 0.5))]])
