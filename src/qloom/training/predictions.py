"""Predictions as columns of a table: the label or number, and a probability a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data import TargetCoding
from qloom.data.target import class_text
from qloom.models.tables.scores import decide
from qloom.training.table import RunTable


def prediction_columns(
    coding: TargetCoding, predictions: np.ndarray, prefix: str = "", threshold: float = 0.5
) -> dict[str, np.ndarray]:
    """A column `prediction`, and for classes a column `probability:<class>` each, names after `prefix`.

    Args:
        threshold: the probability above which the second of two classes is predicted.

    Shapes: probabilities (B, C) or values (B,).
    """
    if coding.task == "regression":
        return {f"{prefix}prediction": predictions}
    labels = coding.decode(decide(predictions, threshold))
    names = [f"{prefix}probability:{class_text(label)}" for label in coding.classes]
    return {f"{prefix}prediction": labels, **dict(zip(names, predictions.T, strict=True))}


def threshold_notes(threshold: float | str, coding: TargetCoding, outcomes: Mapping[str, Any]) -> list[str]:
    """Where the second of two classes is decided for, unless that is usual; outcomes have a record and a level."""
    if threshold == 0.5:
        return []
    how = f"chosen for {threshold} on the validation rows" if isinstance(threshold, str) else "as given"
    levels = ", ".join(f"{outcome.record['title']} {outcome.level:.4f}" for outcome in outcomes.values())
    return [f"class {class_text(coding.classes[1])} is decided for above these probabilities, {how}: {levels}"]


def columns_of_test_rows(
    data: RunTable, coding: TargetCoding, predictions: Mapping[str, np.ndarray], levels: Mapping[str, float]
) -> dict[str, Any]:
    """Number, identifiers and target of the test rows and what every model predicts for them, as columns."""
    rows = data.split.test
    columns: dict[str, Any] = {"row": rows}
    for name in _identifiers(data):
        columns[f"id:{name}"] = data.table[name].take(pa.array(rows))
    columns["target"] = data.table[data.schema.target].take(pa.array(rows))
    for key, predicted in predictions.items():
        columns.update(prediction_columns(coding, predicted, f"{key}:", levels[key]))
    return {name: _contiguous(column) for name, column in columns.items()}


def _identifiers(data: RunTable) -> list[str]:
    """The columns that name rows, or what rows are of."""
    columns, group, target = data.schema.columns, data.schema.group, data.schema.target
    return [c.name for c in columns if c.name == group or (c.kind == "identifier" and c.name != target)]


def _contiguous(column: Any) -> Any:
    return np.ascontiguousarray(column) if isinstance(column, np.ndarray) else column
