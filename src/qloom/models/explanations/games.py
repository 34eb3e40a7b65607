"""A prediction as a game of its columns: what is predicted where only some of them are known.

Columns that are not known are taken from background rows, one after another, and the predictions averaged. That is the
*interventional* value: it says what the model does with its columns, whether or not they go together in the data.

Source: Lundberg and Lee 2017, Advances in Neural Information Processing Systems 30; Janzing et al. 2020, AISTATS 108.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from qloom.models.explanations.outputs import Output

# Features of rows that are predicted in one call.
_CELLS_A_CALL = 1 << 22


class ColumnGame:
    """Predictions of one row, whose columns are its own in a coalition and else those of background rows.

    Args:
        output: what is explained.
        row: preprocessed.
        background: preprocessed rows.
        blocks: the features of each column.

    Attributes:
        n_predictions: rows predicted by now.

    Shapes: row (F,), background (M, F).

    Source: Lundberg, Lee 2017, Advances in Neural Information Processing Systems 30; Janzing et al. 2020, AISTATS 108.
    """

    def __init__(self, output: Output, row: np.ndarray, background: np.ndarray, blocks: Mapping[str, np.ndarray]):
        self.row, self.background, self.columns = row, background, tuple(blocks)
        self._output, self.n_predictions = output, 0
        self._column_of = np.full(len(row), -1)
        for k, block in enumerate(blocks.values()):
            self._column_of[block] = k

    @property
    def n_columns(self) -> int:
        """n, the players."""
        return len(self.columns)

    @property
    def n_background(self) -> int:
        """M, background rows."""
        return len(self.background)

    @cached_property
    def whole(self) -> float:
        """The row's own prediction."""
        return float(self._predict(self.row[None])[0])

    @cached_property
    def apart(self) -> np.ndarray:
        """Predictions of the background rows, (M,)."""
        return self._predict(self.background)

    def values(self, coalitions: np.ndarray) -> np.ndarray:
        """Mean predictions of coalitions over all background rows.

        Shapes: booleans (K, n) -> (K,).
        """
        rows = np.tile(np.arange(self.n_background), len(coalitions))
        found = self.predictions(np.repeat(coalitions, self.n_background, axis=0), rows)
        return found.reshape(len(coalitions), self.n_background).mean(axis=1)

    def predictions(self, coalitions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Predictions of coalitions, each with one background row.

        Shapes: booleans (K, n), row numbers (K,) -> (K,).
        """
        step = max(1, _CELLS_A_CALL // len(self.row))
        parts = [slice(start, start + step) for start in range(0, len(rows), step)]
        return np.concatenate([self._predict(self._mixed(coalitions[part], rows[part])) for part in parts])

    def _mixed(self, coalitions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.where(coalitions[:, self._column_of], self.row, self.background[rows])

    def _predict(self, x: np.ndarray) -> np.ndarray:
        self.n_predictions += len(x)
        return np.asarray(self._output(x), np.float64)
