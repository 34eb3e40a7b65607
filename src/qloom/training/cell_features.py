"""Rows of real and synthetic tables as numbers that can be compared, by what real training rows hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import category_words
from qloom.data.cells import plain_column
from qloom.data.coded_cells import read_numbers
from qloom.data.schema import Column

# Levels that boosting tells apart, the rest being one: it takes 255 at most.
_MOST_LEVELS = 253


class CellFeatures:
    """The columns of a table as features; learnt from training rows.

    Args:
        table: training rows.
        columns: those that are compared, as `find_columns` found them.

    Attributes:
        is_level: which columns hold levels and not numbers or dates, (C,).
        origin: the column that each feature of `spread` is of, (D,).
    """

    def __init__(self, table: pa.Table, columns: Sequence[Column]):
        self.columns = tuple(columns)
        self.is_level = np.array([column.kind not in ("number", "date") for column in columns])
        self._levels = [_levels(table, c) if level else None for c, level in zip(columns, self.is_level, strict=True)]
        cells = self.plain(table)
        self._has_missing = np.isnan(cells).any(axis=0)
        self._sorted = [np.sort(column[~np.isnan(column)]) for column in cells.T]
        self.origin = np.concatenate([np.full(part.shape[1], k) for k, part in enumerate(self._parts(cells[:1]))])

    @property
    def names(self) -> list[str]:
        """Of the columns."""
        return [column.name for column in self.columns]

    def levels(self, k: int) -> list[str] | None:
        """Those of a column, the most frequent first; None for numbers and dates."""
        found = self._levels[k]
        return None if found is None else found.to_pylist()

    def plain(self, table: pa.Table) -> np.ndarray:
        """Numbers as they are, dates in days since 1970, levels by their number, NaN for missing.

        Shapes: N rows -> float64 (N, C).
        """
        read = [self._read(table, column, k) for k, column in enumerate(self.columns)]
        return np.stack(read, axis=1)

    def _read(self, table: pa.Table, column: Column, k: int) -> np.ndarray:
        cells, levels = plain_column(table[column.name]), self._levels[k]
        if levels is None:
            is_date = column.kind == "date"
            written = column.date_format if is_date else column.number_format
            return read_numbers(cells, column.name, 86_400 * is_date, written, column.n_words > 0)
        words = category_words(cells)
        codes = pc.fill_null(pc.index_in(words, value_set=levels), len(levels)).to_numpy().astype(float)
        return np.where(pc.is_null(words).to_numpy(), np.nan, codes)

    def spread(self, table: pa.Table) -> np.ndarray:
        """Numbers and dates by the share of training rows below them, a feature a level, one for missing.

        Two rows that differ in a level are 1 apart, as are the smallest and the largest number.

        Shapes: N rows -> float32 (N, D).
        """
        return np.concatenate(self._parts(self.plain(table)), axis=1)

    def _parts(self, cells: np.ndarray) -> list[np.ndarray]:
        return [self._spread_column(column, k) for k, column in enumerate(cells.T)]

    def _spread_column(self, cells: np.ndarray, k: int) -> np.ndarray:
        missing, levels = np.isnan(cells), self._levels[k]
        if levels is not None:
            marked = np.where(missing, len(levels) + 1, cells)[:, None] == np.arange(len(levels) + 2)
            return marked * np.float32(np.sqrt(0.5))
        present = self._sorted[k]
        below = (np.searchsorted(present, cells) + np.searchsorted(present, cells, side="right")) / 2
        shares = np.where(missing, 0.5, below / max(len(present), 1)).astype(np.float32)
        return np.stack([shares, missing], axis=1) if self._has_missing[k] else shares[:, None]


def _levels(table: pa.Table, column: Column) -> pa.Array:
    """The levels of training rows, the most frequent first."""
    counts = pc.value_counts(category_words(plain_column(table[column.name])).drop_null()).to_pylist()
    ranked = sorted(counts, key=lambda entry: (-entry["counts"], entry["values"]))
    return pa.array([str(entry["values"]) for entry in ranked[:_MOST_LEVELS]], pa.string())
