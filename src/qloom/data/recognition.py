"""The columns of a table as they are meant: kinds, and cells with the types that were recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.asked_kinds import asked_kind, check_asked
from qloom.data.cells import is_text, numbers
from qloom.data.columns import require_columns
from qloom.data.delimited import DECIMAL, NOTE, WRITTEN
from qloom.data.kinds import Kind, find_kind, is_supported, typed_cells
from qloom.data.schema import Column
from qloom.data.written_numbers import NumberFormat, find_numbers

__all__ = ["DECIMAL", "NOTE", "WRITTEN", "find_columns", "typed_table", "unit_of"]


_HEAD = 5_000  # rows from which a column tells the others its decimal mark


def typed_table(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The columns with the types that were recognised: text that spells numbers or dates becomes those."""
    return pa.table({column.name: typed_cells(table[column.name], column) for column in columns})


def find_columns(
    table: pa.Table, target: str | None, drop: Sequence[str], kinds: Mapping[str, str]
) -> list[tuple[Column, Kind]]:
    """Every column of a plain table with what was found about it.

    Args:
        table: plain columns.
        target: one that is kept whatever it holds; None for none.
        drop: columns to leave out.
        kinds: column -> the kind that is meant, as `check_asked` takes it.

    Raises:
        ConfigError: for an unknown kind.
        DataError: for kinds of missing columns, cells that are not of the kind meant, or infinite values.
    """
    for name, asked in kinds.items():
        require_columns(table, [name], "as kinds says")
        check_asked(asked, name)
    hint = _decimal_hint(table)
    return [
        _find_column(table, name, kinds.get(name, ""), hint, name == target, name in drop)
        for name in table.column_names
    ]


def _find_column(
    table: pa.Table, name: str, asked: str, hint: str, is_target: bool, is_dropped: bool
) -> tuple[Column, Kind]:
    cells = table[name]
    n_distinct = _count_distinct(cells)
    if is_dropped or asked == "drop":
        kind = replace(find_kind(cells, name, n_distinct, hint), dropped="left out as asked")
    elif asked:
        kind = asked_kind(cells, name, asked, n_distinct, hint)
    else:
        kind = find_kind(cells, name, n_distinct, hint)
    if is_target:
        kind = replace(kind, kind="category" if kind.dropped else kind.kind, dropped="")
    number_format, date_format = kind.number_format, kind.date_format
    if kind.kind == "number":
        number_format = number_format or _written(table, name)
    elif kind.kind == "date":
        date_format = date_format or _written(table, name)
    column = Column(name, kind.kind, kind.dropped, cells.null_count, n_distinct, date_format, number_format)
    typed = typed_cells(cells, column)
    if kind.kind == "number" and not kind.dropped:
        numbers(typed, name)  # raises for infinite values
    n_words = typed.null_count - cells.null_count
    return replace(column, n_words=n_words, shown=shown_cells(typed, column)), kind


def _written(table: pa.Table, name: str) -> str | None:
    """How the numbers or dates of a column stand in the file it came from."""
    written = (table.schema.field(name).metadata or {}).get(WRITTEN.encode())
    return written.decode() if written else None


def _decimal_hint(table: pa.Table) -> str:
    """The decimal mark that the table's columns agree on; empty if they show none or differ."""
    given = (table.schema.metadata or {}).get(DECIMAL.encode())
    if given:
        return given.decode()
    heads = (table[name].slice(0, _HEAD) for name in table.column_names if is_text(table[name].type))
    found = (find_numbers(head) for head in heads)
    marks = {each.format.decimal for each in found if each and each.format and each.decided}
    return marks.pop() if len(marks) == 1 else ""


def _count_distinct(cells: pa.ChunkedArray) -> int:
    if not is_supported(cells.type) or pa.types.is_null(cells.type):
        return 0
    return int(pc.count_distinct(cells, mode="only_valid").as_py())


def shown_cells(cells: pa.ChunkedArray, column: Column) -> str:
    """A column's range, or its most frequent values; empty where there is nothing to show."""
    if not is_supported(cells.type) or cells.null_count == len(cells):
        return ""
    if column.kind in ("number", "date") and not is_text(cells.type):
        bounds = pc.min_max(cells)
        low, high = (bounds[end].as_py() for end in ("min", "max"))
        return shown_range(low, high, column)
    counts = sorted(pc.value_counts(cells.drop_null()).to_pylist(), key=lambda c: (-c["counts"], str(c["values"])))
    return shown_levels([entry["values"] for entry in counts])


def shown_range(low: Any, high: Any, column: Column) -> str:
    """The ends of a column's numbers or dates, in words."""
    if hasattr(low, "year"):
        return f"{low:%Y-%m-%d} to {high:%Y-%m-%d}"
    return f"{low:.6g} to {high:.6g}" + unit_of(column)


def shown_levels(ranked: Sequence[Any]) -> str:
    """The first of a column's values, the most frequent first."""
    return ", ".join(str(value)[:30] for value in ranked[:3]) + (", ..." if len(ranked) > 3 else "")


def unit_of(column: Column) -> str:
    """The unit of a column's numbers after a space; empty for none."""
    unit = NumberFormat.of(column.number_format).unit if column.number_format else ""
    return f" {unit}" if unit else ""
