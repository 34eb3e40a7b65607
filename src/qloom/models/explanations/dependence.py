"""Partial dependence: predictions with a column held at one value after another, on average and row by row.

The features of a column are set together, to those of rows that have its values, which is the same as setting its cells
in the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cells import is_date, is_number, plain_column
from qloom.models.explanations.blocks import blocks_of
from qloom.models.explanations.outputs import Output, output_of, usual_class
from qloom.models.tables.served import Predictor

MOST_CURVE_ROWS, MOST_SINGLE, MOST_VALUES, MOST_LEVELS = 100, 15, 12, 8


@dataclass(frozen=True)
class Dependence:
    """Predictions with a column held at one value after another.

    Attributes:
        column: of the table.
        values: numbers, or text.
        predictions: of numbers the mean prediction in the target's unit, of classes the mean probability of `shown`.
        curves: the same of single rows, which a mean can hide: one that rises in half of the rows and falls in the
            others is flat.
        shown: the class whose probability it is; None for numbers.
    """

    column: str
    values: tuple[Any, ...]
    predictions: tuple[float, ...]
    curves: tuple[tuple[float, ...], ...] = ()
    shown: str | None = None


def partial_dependence(model: Predictor, table: pa.Table, x: np.ndarray, columns: Sequence[str]) -> list[Dependence]:
    """How predictions change with each of some columns, at values that its cells take.

    Args:
        model: fitted.
        table: rows to take values from, and the ones predicted.
        x: the same rows, preprocessed.
        columns: of the table.

    Shapes: table B rows, x (B, F).

    Sources: Friedman 2001, Annals of Statistics 29, 1189, for the mean; Goldstein et al. 2015, Journal of Computational
    and Graphical Statistics 24, 44, for single rows.
    """
    blocks, code = blocks_of(model.preprocessing_), usual_class(model.coding_)
    rows = x[_spread(len(x), MOST_CURVE_ROWS)]
    single, shown = _spread(len(rows), MOST_SINGLE), None if code is None else str(model.coding_.classes[code])
    found = []
    for column in columns:
        at = typical_rows(table[column])
        if len(at) < 2:
            continue
        values = _held(output_of(model, code), rows, blocks[column], x[np.ix_(at, blocks[column])])
        cells = plain_column(table[column]).take(pa.array(at)).to_pylist()
        curves = tuple(tuple(float(f"{value:.6g}") for value in curve) for curve in values[:, single].T)
        means, shown = (
            tuple(map(float, values.mean(axis=1))),
            None if code is None else str(model.coding_.classes[code]),
        )
        found.append(Dependence(column, tuple(map(_plain, cells)), means, curves, shown))
    return found


def _held(output: Output, x: np.ndarray, block: np.ndarray, coded: np.ndarray) -> np.ndarray:
    """Outputs of rows with the features of a block set to one row of codes after another.

    Shapes: x (B, F), coded (K, features of the block) -> (K, B).
    """
    held = np.tile(x, (len(coded), 1))
    held[:, block] = np.repeat(coded, len(x), axis=0)
    return output(held).reshape(len(coded), len(x))


def _spread(n_rows: int, most: int) -> np.ndarray:
    """At most so many row numbers, evenly spread."""
    return np.linspace(0, n_rows - 1, min(n_rows, most)).astype(int)


def typical_rows(column: pa.ChunkedArray) -> np.ndarray:
    """Rows whose cells stand for a column: quantiles of what can be ordered, else the most frequent values."""
    cells = plain_column(column)
    present = np.flatnonzero(pc.is_valid(cells).to_numpy())
    if not len(present):
        return present
    values = cells.take(pa.array(present))
    if is_number(values.type) or is_date(values.type):
        order = present[np.asarray(pc.sort_indices(values))]
        places = np.unique((np.linspace(0.02, 0.98, MOST_VALUES) * (len(order) - 1)).round().astype(int))
        chosen = order[places]
        _, first = np.unique(np.asarray(cells.take(pa.array(chosen)).to_numpy()), return_index=True)
        return chosen[np.sort(first)]
    counts = sorted(pc.value_counts(values).to_pylist(), key=lambda entry: -entry["counts"])[:MOST_LEVELS]
    words = values.to_pylist()
    return np.array([present[words.index(entry["values"])] for entry in counts])


def _plain(cell: Any) -> Any:
    return cell if isinstance(cell, int | float) and not isinstance(cell, bool) else str(cell)
