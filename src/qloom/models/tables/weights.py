"""How much rows count."""

from __future__ import annotations

import numpy as np

from qloom.errors import DataError


def check_weights(weights: np.ndarray, n_rows: int) -> np.ndarray:
    """Weights of rows as float64 (B,).

    Raises:
        DataError: for another number of them, a negative, infinite or missing one, or none above 0.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n_rows,):
        raise DataError(f"weights of rows have shape {weights.shape}, expected ({n_rows},), one a row")
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any() or not weights.any():
        given = f"{weights[bad][0]:g} among them" if bad.any() else "zeros only"
        raise DataError(f"weights of rows have {given}, expected finite numbers from 0 on, one at least above 0")
    return weights
