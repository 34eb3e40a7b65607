"""A table's columns to features as ONNX operations, bit for bit as qloom codes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data import Preprocessing
from qloom.data.category_coding import CategoryCoding
from qloom.data.date_coding import DateCoding
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.level_means import LevelMeans
from qloom.data.number_coding import NumberCoding
from qloom.data.text_coding import TextCoding
from qloom.portable.onnx_graph import Graph

_WHY_NOT = {DateCoding: "a date", TextCoding: "free text", EmbeddingCoding: "free text"}
# What a reader puts into the inputs, by the type of its coding.
_CELLS = {
    NumberCoding: "a number as double, NaN where missing",
    CategoryCoding: "trimmed text, empty where missing; whole numbers without .0",
    LevelMeans: "trimmed text, empty where missing; whole numbers without .0",
}


def why_no_columns(preprocessing: Preprocessing) -> str | None:
    """Why a graph cannot begin with the table's columns; None where it can."""
    named = [(c.name, _WHY_NOT[type(c)]) for c in preprocessing.codings if type(c) in _WHY_NOT]
    if not named:
        return None
    name, what = named[0]
    more = f" and {len(named) - 1} more columns" if len(named) > 1 else ""
    return f"column {name!r} is {what}{more}, which ONNX does not code: features come from preprocessing.json by qloom"


def describe_columns(preprocessing: Preprocessing) -> dict[str, str]:
    """Input -> what a reader puts there."""
    cells = {coding.name: _CELLS[type(coding)] for coding in preprocessing.codings}
    truths = {c.name: "1 for true, 0 for false, NaN where missing, as double"
              for c in preprocessing.codings if isinstance(c, NumberCoding) and c.boolean}  # fmt: skip
    return cells | truths


def add_columns(graph: Graph, preprocessing: Preprocessing) -> str:
    """Inputs for the columns, and the features (rows, F) made of them."""
    given: dict[str, str] = {}
    parts: list[str] = []
    for coding in preprocessing.codings:  # a category may have two codings
        is_number = isinstance(coding, NumberCoding)
        if coding.name not in given:
            given[coding.name] = graph.input(coding.name, "DOUBLE" if is_number else "STRING", 1)
        cells = given[coding.name]
        if coding.feature_names:
            parts += _CODED[type(coding)](graph, cells, coding)
    return graph("Concat", *parts, axis=1)


def _number(g: Graph, cells: str, coding: NumberCoding) -> list[str]:
    def double(value: Any) -> str:
        return g.constant(value, np.float64)

    missing = g("IsNaN", cells)
    filled = g("Where", missing, double(coding.fill), cells)
    spread = _interpolated(g, filled, coding.knots, coding.marks) if coding.knots else filled
    standard = g("Div", g("Sub", spread, double(coding.mean)), double(coding.scale))
    parts = [g("Clip", standard, double(-coding.clip), double(coding.clip))]
    parts += [g("Equal", cells, double([[code]])) for code in coding.codes]
    return [g.cast(part, "FLOAT") for part in (parts + [missing] * coding.has_missing)]


def _interpolated(g: Graph, x: str, knots: Sequence[float], marks: Sequence[float]) -> str:
    """As numpy.interp does it, operation for operation: mark + slope * (x - knot) from the knot before."""
    at, mark = np.array(knots), np.array(marks)
    if len(at) == 1:
        return g("Add", g("Mul", x, g.constant(0, np.float64)), g.constant(mark[0], np.float64))
    reached = g.cast(g("GreaterOrEqual", x, g.constant(at[None], np.float64)), "INT64")
    last = g.ints(len(at) - 1)
    place = g("Sub", g("ReduceSum", reached, g.ints(1), keepdims=1), g.ints(1))
    place = g("Min", g("Max", place, g.ints(0)), last)
    slopes = np.append(np.diff(mark) / np.diff(at), 0.0)
    slope, knot, start = (g("Gather", g.constant(table, np.float64), place, axis=0) for table in (slopes, at, mark))
    inner = g("Add", g("Mul", slope, g("Sub", g("Max", x, knot), knot)), start)
    return inner


def _text(g: Graph, cells: str, coding: CategoryCoding | LevelMeans) -> list[str]:
    n = len(coding.levels)
    codes = g(
        "LabelEncoder", cells, keys_strings=[*coding.levels, ""], values_int64s=[*range(n), n + 1], default_int64=n
    )
    if isinstance(coding, LevelMeans):
        means = np.array([*coding.means, *coding.unseen, *coding.missing]).reshape(-1, len(coding.outcomes))
        table = coding.standardised(means).astype(np.float32)
        return [g("Gather", g.constant(table), g("Squeeze", codes, g.ints(1)), axis=0)]
    own = [*range(n), *([n] if coding.has_rare else []), *([n + 1] if coding.has_missing else [])]
    return [g.cast(g("Equal", codes, g.constant([own], np.int64)), "FLOAT")]


# Type of a coding -> (graph, its cells, the coding) -> parts of the features.
_CODED: dict[type[Any], Callable[[Graph, str, Any], list[str]]] = {
    NumberCoding: _number,
    CategoryCoding: _text,
    LevelMeans: _text,
}


def column_inputs(preprocessing: Preprocessing, table: pa.Table) -> dict[str, np.ndarray]:
    """What a reader puts into the inputs, of a table."""
    return {name: _cells(cells) for name, cells in preprocessing.cells(table).items()}


def _cells(cells: Any) -> np.ndarray:
    if isinstance(cells, np.ndarray):
        return cells.astype(np.float64)[:, None]
    return np.asarray(pc.fill_null(cells, "").to_numpy(zero_copy_only=False), dtype=object)[:, None]
