"""What a scikit-learn estimator was given as X and y, checked its way, as one Arrow table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from qloom.data import read_table, table_from_array
from qloom.errors import DataError
from qloom.models.tables.weights import check_weights


def feature_table(estimator: BaseEstimator, x: Any, y: Any = "no_validation", *, reset: bool) -> pa.Table:
    """The rows of X as a table: a frame's columns by their names, an array's as x0, x1, ...

    A model of a run was given a table, not an X: it finds its columns in a frame by name, among others.

    Args:
        estimator: learns n_features_in_ and feature_names_in_ if `reset`, else X is checked against them.
        x: a pandas or polars frame, an Arrow table, or a number array (B, F); NaN is a missing cell.
        y: only checked for being there.
        reset: whether the estimator is being fitted.
    """
    if _is_frame(x):
        if reset or hasattr(estimator, "n_features_in_"):
            validate_data(estimator, x, y, reset=reset, skip_check_array=True)
        table = read_table(x)
        if reset and table.num_rows < 2:
            raise DataError(f"X has {table.num_rows} sample(s), expected at least 2; give more rows")
        return table
    if y is None:
        validate_data(estimator, x, y, reset=reset)
    array = validate_data(
        estimator, x, reset=reset, ensure_all_finite="allow-nan", ensure_min_samples=2 if reset else 1
    )
    names = getattr(estimator, "feature_names_in_", None)
    return table_from_array(np.asarray(array, dtype=np.float64), None if names is None else list(names))


def _is_frame(x: Any) -> bool:
    return isinstance(x, pa.Table) or (hasattr(x, "columns") and hasattr(x, "dtypes"))


def weighted_rows(estimator: BaseEstimator, table: pa.Table, weights: Any) -> tuple[pa.Table, np.ndarray | None]:
    """The rows whose weight is above 0, and their weights (B,); all of them for None.

    Raises:
        ValueError: for weights of another shape, or negative, infinite or missing ones.
    """
    if weights is None:
        return table, None
    given = check_weights(_check_sample_weight(weights, np.empty(table.num_rows)), table.num_rows)
    kept = np.flatnonzero(given)
    return table.take(pa.array(kept)), given[kept]


def with_target(estimator: BaseEstimator, table: pa.Table, y: Any) -> tuple[pa.Table, str]:
    """The table with y as its last column, and that column's name.

    Raises:
        ValueError: for y of another length or shape, or with NaN or infinity.
    """
    classes = is_classifier(estimator)
    y = check_array(y, ensure_2d=False, dtype=None if classes else "numeric", input_name="y")
    y = column_or_1d(y, warn=True)
    check_consistent_length(range(table.num_rows), y)
    if classes:
        check_classification_targets(y)
    name = "target"
    while name in table.column_names:
        name += "_"
    return table.append_column(name, pa.array(y.tolist())), name
