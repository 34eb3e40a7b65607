"""Predictions as the bodies of answers: rows or columns in JSON, or an Arrow stream."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pydantic_core import to_json

from qloom.data.target import class_text
from qloom.serving.bodies import ARROW, JSON
from qloom.serving.live_model import LiveModel
from qloom.serving.reading import Reading

_PREFIX = "probability:"


def answer(
    model: LiveModel, reading: Reading, predictions: np.ndarray, control: np.ndarray | None, form: str
) -> tuple[bytes, str]:
    """The body and its content type.

    Args:
        control: predictions of the classical control, where they were asked for.
        form: "rows", "columns" or "arrow".
    """
    columns = model.columns(predictions)
    beside = {} if control is None else model.columns(control, model.control)
    news = model.reader.novelties(reading)
    if form == "arrow":
        return _stream(columns, beside, news, model.version), ARROW
    content: dict[str, Any] = {"version": model.version, "n_rows": reading.n_rows}
    if form == "columns":
        content["columns"] = {**_lists(columns), **({} if news is None else {"unseen": news[0]})}
        content |= {"control": _lists(beside)} if beside else {}
    else:
        content["predictions"] = _rows(model, columns, None if news is None else news[0])
        content |= {"control": _rows(model, beside, None)} if beside else {}
    content["unseen"] = [] if news is None else list(news[1])
    return to_json(content), JSON


def _lists(columns: dict[str, np.ndarray]) -> dict[str, list[Any]]:
    return {name: column.tolist() for name, column in columns.items()}


def _rows(model: LiveModel, columns: dict[str, np.ndarray], texts: list[str] | None) -> list[dict[str, Any]]:
    predicted = columns["prediction"].tolist()
    texts = [""] * len(predicted) if texts is None else texts
    if len(columns) == 1:
        return [{"prediction": value, "unseen": text} for value, text in zip(predicted, texts, strict=True)]
    names = [class_text(label) for label in model.predictor.coding_.classes]
    shares = zip(*(columns[f"{_PREFIX}{name}"].tolist() for name in names), strict=True)
    return [
        {"prediction": value, "probability": dict(zip(names, share, strict=True)), "unseen": text}
        for value, share, text in zip(predicted, shares, texts, strict=True)
    ]


def _stream(
    columns: dict[str, np.ndarray], beside: dict[str, np.ndarray], news: Any, version: str
) -> bytes:  # fmt: skip
    named = {**columns, **{f"control:{name}": column for name, column in beside.items()}}
    arrays = {name: pa.array(np.ascontiguousarray(column)) for name, column in named.items()}
    arrays["unseen"] = pa.array([""] * len(columns["prediction"]) if news is None else news[0], pa.string())
    table = pa.table(arrays).replace_schema_metadata({"version": version})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
