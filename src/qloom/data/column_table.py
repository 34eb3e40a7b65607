"""One row a column: the kind found, what became of it, levels, missing cells and range; for log, record and report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qloom.data.preprocessing import Preprocessing
from qloom.data.schema import Column, Schema

_TITLES = ("column", "kind", "levels", "missing", "range", "becomes")
_WIDEST = (20, 14, 7, 7, 18)
_MOST_ROWS = 60


@dataclass(frozen=True)
class ColumnRow:
    """A column in words.

    Attributes:
        name: the column.
        kind: one of `schema.KINDS`, with the unit or the form its cells are written in.
        levels: distinct values.
        missing: cells without a value, and words among numbers and dates.
        range: ends of numbers and dates, or the most frequent values.
        becomes: what the model sees of it, or why it sees nothing.
        n_features: numbers that the model sees.
    """

    name: str
    kind: str
    levels: int
    missing: int
    range: str
    becomes: str
    n_features: int


def column_rows(schema: Schema, preprocessing: Preprocessing) -> tuple[ColumnRow, ...]:
    """The columns of a table in its order."""
    return tuple(_row(column, schema, preprocessing) for column in schema.columns)


def _row(column: Column, schema: Schema, preprocessing: Preprocessing) -> ColumnRow:
    codings = [coding for coding in preprocessing.codings if coding.name == column.name]
    n_features = sum(len(coding.feature_names) for coding in codings)
    becomes = "; ".join(coding.became for coding in codings) or f"not used: {column.dropped or 'unknown to the start'}"
    if column.name == schema.target:
        becomes = f"target of {len(schema.classes)} classes" if schema.classes else "target, a number"
    missing = column.n_missing + column.n_words
    return ColumnRow(column.name, _kind(column), column.n_distinct, missing, column.shown, becomes, n_features)


def _kind(column: Column) -> str:
    if column.kind == "number" and column.number_format:
        return f"number {column.number_format}"
    return f"date {column.date_format}" if column.kind == "date" and column.date_format else column.kind


def column_lines(rows: Sequence[ColumnRow], width: int = 80) -> list[str]:
    """The rows as lines of text, cut to a width; of very wide tables the first 60."""
    cells = [_TITLES, *((r.name, r.kind, str(r.levels), str(r.missing), r.range, r.becomes) for r in rows[:_MOST_ROWS])]
    widths = [min(widest, max(len(row[i]) for row in cells)) for i, widest in enumerate(_WIDEST)]
    widths.append(width - sum(widths) - len(widths))
    lines = [" ".join(_cell(text, widths[i], i in (2, 3)) for i, text in enumerate(row)).rstrip() for row in cells]
    left = len(rows) - _MOST_ROWS
    return [*lines, f"... and {left} columns more"] if left > 0 else lines


def _cell(text: str, width: int, is_count: bool) -> str:
    text = " ".join(text.split())
    text = text if len(text) <= width else text[: width - 1] + "…"
    return text.rjust(width) if is_count else text.ljust(width)
