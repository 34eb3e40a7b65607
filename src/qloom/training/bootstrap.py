"""How far a score could be off for the test rows drawn: the percentile bootstrap, paired for differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from qloom.models.tables.scores import SCORES

N_DRAWS = 1000
LEVEL = 0.95
_CELLS_A_CHUNK = 2_000_000


class Interval(NamedTuple):
    """A 95% interval."""

    low: float
    high: float


def bootstrap_scores(
    name: str,
    y: np.ndarray,
    predictions: Mapping[str, np.ndarray],
    seed: int,
    n_draws: int = N_DRAWS,
    level: float = 0.5,
) -> dict[str, np.ndarray]:
    """The score of every model on the same redraws of the test rows.

    Shapes: y (B,), predictions[key] (B, C) or (B,) -> (n_draws,) a model.

    Source: Efron 1979, Annals of Statistics 7, 1; rows are drawn with replacement as multinomial counts.
    """
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[np.ndarray]] = {key: [] for key in predictions}
    chunk = max(_CELLS_A_CHUNK // len(y), 1)
    for start in range(0, n_draws, chunk):
        weights = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=min(chunk, n_draws - start)).astype(float)
        for key, predicted in predictions.items():
            drawn[key].append(SCORES[name](y, predicted, weights, level))
    return {key: np.concatenate(parts) for key, parts in drawn.items()}


def interval_of(draws: np.ndarray) -> Interval:
    """The middle 95% of the draws; a draw without both classes (NaN) is left out."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return Interval(float(low), float(high))
