"""The one number of a prediction that is explained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qloom.data import TargetCoding
from qloom.models.tables.served import Predictor

Output = Callable[[np.ndarray], np.ndarray]
"""Shapes: preprocessed rows (B, F) -> (B,)."""


def usual_class(coding: TargetCoding) -> int | None:
    """The code of the class whose probability is shown: of two the second, else the first; None for numbers."""
    if not coding.classes:
        return None
    return 1 if len(coding.classes) == 2 else 0


def chosen(predictions: np.ndarray, code: int | None) -> np.ndarray:
    """Shapes: probabilities (B, C), or values (B,) -> (B,)."""
    return predictions if code is None else predictions[:, code]


def output_of(model: Predictor, code: int | None) -> Output:
    """A model as a function of preprocessed rows: the probability of a class, or the number it predicts."""
    return lambda x: chosen(model.predict_features(x), code)
