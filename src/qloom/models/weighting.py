"""Weights of rows, as scikit-learn's estimators take them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from qloom.errors import DataError


def weighted_rows(x: np.ndarray, y: np.ndarray, sample_weight: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Rows of more weight than 0, their targets, and their weights; None for equal ones.

    Raises:
        DataError: for a negative weight.
    """
    if sample_weight is None:
        return x, y, None
    weights = _check_sample_weight(sample_weight, x, dtype=np.float64)
    if weights.min() < 0:
        raise DataError(f"sample_weight holds {weights.min():g}, expected numbers of at least 0")
    kept = weights > 0
    return x[kept], y[kept], weights[kept]
