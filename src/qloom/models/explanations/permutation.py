"""Permutation importance: by how much a score falls when the cells of a column are shuffled.

A column of the table is a block of features; the features of a block are shuffled together, which is the same as doing
so in the table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qloom.models.explanations.blocks import blocks_of
from qloom.models.tables.scores import METRICS, score
from qloom.models.tables.served import Predictor

N_REPEATS, MOST_SHUFFLES = 5, 200


@dataclass(frozen=True)
class Importance:
    """By how much a score falls when a column's cells are shuffled, over several shuffles.

    Attributes:
        column: of the table.
        mean, deviation: of the loss in score, positive where shuffling does harm.
    """

    column: str
    mean: float
    deviation: float


def permutation_importance(
    model: Predictor, x: np.ndarray, truth: np.ndarray, metric: str, seed: int = 0, n_repeats: int = N_REPEATS
) -> list[Importance]:
    """Every column's importance for a score, largest first.

    Args:
        model: fitted.
        x: rows it was not trained on, preprocessed.
        truth: their class codes or numbers.
        metric: one of `METRICS`.
        seed: of the shuffles, which all columns share.
        n_repeats: shuffles a column.

    Shapes: x (B, F), truth (B,).

    Source: Breiman 2001, Machine Learning 45, 5.
    """
    level, sign = model.readout_.level, METRICS[metric].sign
    before = score(metric, truth, model.predict_features(x), level)
    random = np.random.default_rng(seed)
    shuffles = [random.permutation(len(x)) for _ in range(n_repeats)]
    found = []
    for column, block in blocks_of(model.preprocessing_).items():
        losses = []
        for shuffle in shuffles:
            shuffled = x.copy()
            shuffled[:, block] = x[np.ix_(shuffle, block)]
            after = score(metric, truth, model.predict_features(shuffled), level)
            losses.append(sign * (before - after))
        found.append(Importance(column, float(np.mean(losses)), float(np.std(losses))))
    return sorted(found, key=lambda each: -each.mean)


def repeats_for(model: Predictor) -> int:
    """Shuffles a column, fewer of many columns."""
    return int(np.clip(MOST_SHUFFLES // max(len(model.preprocessing_.codings), 1), 2, N_REPEATS))
