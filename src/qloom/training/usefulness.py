"""What rows are good for: a model is trained on them and scored on real rows that were held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from qloom.data.category_coding import category_words
from qloom.data.cells import plain_column
from qloom.data.coded_cells import read_numbers
from qloom.data.schema import Column
from qloom.data.target import find_task
from qloom.errors import DataError
from qloom.models.tables.scores import score, score_names
from qloom.training.bootstrap import bootstrap_scores, interval_of
from qloom.training.cell_features import CellFeatures


class Target:
    """A column to predict from the others, by gradient boosting.

    Args:
        table: real training rows.
        column: to predict.

    Attributes:
        classes: of a classification, in order; empty for numbers.
        metric: the score: ROC AUC of two classes, accuracy of more, R2 of numbers.

    Raises:
        DataError: for dates, and where all training rows have one value.
    """

    def __init__(self, table: pa.Table, column: Column):
        if column.kind == "date":
            raise DataError(f"target {column.name!r} holds dates, expected classes or numbers; choose another target")
        self.column = column
        cells = plain_column(table[column.name])
        of_numbers = column.kind == "number" and find_task(cells) == "regression"
        self.classes = () if of_numbers else tuple(sorted(pc.unique(category_words(cells).drop_null()).to_pylist()))
        if not of_numbers and len(self.classes) < 2:
            raise DataError(f"target {column.name!r} has one value in the training rows, expected two or more")
        self.metric = score_names("regression" if of_numbers else "classification", len(self.classes))[0]

    def values(self, table: pa.Table) -> np.ndarray:
        """Numbers of the classes, or numbers; NaN for missing cells and unknown classes. Shapes: (N,)."""
        cells, column = plain_column(table[self.column.name]), self.column
        if not self.classes:
            return read_numbers(cells, column.name, 0, column.number_format, column.n_words > 0)
        found = pc.index_in(category_words(cells), value_set=pa.array(self.classes, pa.string()))
        return np.asarray(found.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)

    def score(self, features: CellFeatures, learnt_from: pa.Table, tested_on: pa.Table, seed: int) -> list[float]:
        """The score of a model of some rows on others, and its 95% interval for the rows that it is tested on."""
        others = np.array([name != self.column.name for name in features.names])
        (x, y), (x_test, y_test) = (self._rows(features, others, table) for table in (learnt_from, tested_on))
        with threadpool_limits(1):  # the same sums on every machine, and no waiting for busy cores
            predictions = self._predictions(x, y, x_test, features.is_level[others], seed)
        y_test = y_test.astype(int) if self.classes else y_test
        value = score(self.metric, y_test, predictions)
        draws = bootstrap_scores(self.metric, y_test, {"model": predictions}, seed, n_draws=300)["model"]
        return [value, *(interval_of(draws) if np.isfinite(draws).any() else (np.nan, np.nan))]

    def _rows(self, features: CellFeatures, others: np.ndarray, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        y = self.values(table)
        return features.plain(table)[:, others][~np.isnan(y)], y[~np.isnan(y)]

    def _predictions(self, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, levels: np.ndarray, seed: int) -> Any:
        options: dict[str, Any] = {"random_state": seed, "categorical_features": levels}
        if not self.classes:
            return HistGradientBoostingRegressor(**options).fit(x, y).predict(x_test)
        shares = np.zeros((len(x_test), len(self.classes)))
        known = np.unique(y).astype(int)
        if len(known) < 2:
            shares[:, known] = 1
        else:
            shares[:, known] = HistGradientBoostingClassifier(**options).fit(x, y).predict_proba(x_test)
        return shares
