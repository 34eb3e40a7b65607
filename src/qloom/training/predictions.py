"""Predictions as columns of a table: the label or number, and a probability a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.data import TargetCoding
from qloom.files import replace_file
from qloom.training.table import RunTable


def prediction_columns(coding: TargetCoding, predictions: np.ndarray, prefix: str = "") -> dict[str, np.ndarray]:
    """A column `prediction`, and for classes a column `probability:<class>` each, names after `prefix`.

    Shapes: probabilities (B, C) or values (B,).
    """
    if coding.task == "regression":
        return {f"{prefix}prediction": predictions}
    labels = coding.decode(predictions.argmax(axis=1))
    names = [f"{prefix}probability:{class_text(label)}" for label in coding.classes]
    return {f"{prefix}prediction": labels, **dict(zip(names, predictions.T, strict=True))}


def class_text(label: Any) -> str:
    """A class as text; 1.0 and 1 are "1"."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def write_predictions(path: Path, data: RunTable, coding: TargetCoding, predictions: Mapping[str, np.ndarray]) -> None:
    """Write row number and target of the test rows and what every model predicts for them, as Parquet."""
    rows = data.split.test
    columns: dict[str, Any] = {"row": rows, "target": data.table[data.schema.target].take(pa.array(rows))}
    for key, predicted in predictions.items():
        columns.update(prediction_columns(coding, predicted, f"{key}:"))
    buffer = pa.BufferOutputStream()
    parquet.write_table(pa.table({name: _contiguous(column) for name, column in columns.items()}), buffer)
    replace_file(path, buffer.getvalue().to_pybytes())


def _contiguous(column: Any) -> Any:
    return np.ascontiguousarray(column) if isinstance(column, np.ndarray) else column
