"""Looking at a table before learning from it: the kind of every column, the task, notes and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.asked_kinds import asked_kind, check_asked
from qloom.data.cautions import find_cautions
from qloom.data.cells import is_date, is_text, numbers
from qloom.data.columns import require_columns
from qloom.data.delimited import DECIMAL, NOTE, WRITTEN
from qloom.data.kinds import Kind, find_kind, is_supported, typed_cells
from qloom.data.schema import Column, Schema
from qloom.data.sources import read_table
from qloom.data.target import check_target, find_task, rows_with_target
from qloom.data.written_numbers import NumberFormat, find_numbers
from qloom.errors import DataError

_FEW_CLASSES = 20


def inspect_table(
    table: Any,
    target: str,
    *,
    time: str | None = None,
    drop: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    task: str | None = None,
    drop_missing_target: bool = False,
) -> Schema:
    """Find the kind of every column, the task, and everything worth a note or a warning.

    Kinds: number (also text that spells numbers as people do, with marks and a unit), boolean (true/false, yes/no and
    the like), category (text with repeating values, whole numbers whose name says code), date (also text in one of many
    formats, and 20060602), text (long or of many words); not used, with a word: identifier (unique text, or unique
    whole numbers that run through their range), constant, unsupported (nested types).

    Args:
        table: anything `read_table` takes.
        target: the column to predict.
        time: the column that orders the rows in time.
        drop: columns to leave out.
        kinds: column -> number, category, boolean, date, text or drop, where the kind found is not the one meant; a
            number or date may say how it is written: "number:1.234,5", "date:%d/%m/%Y".
        task: "classification" or "regression"; found from the target if not given.
        drop_missing_target: leave out rows without a target instead of refusing them; `rows_with_target`
            gives the same rows.

    Raises:
        DataError: for a missing column, a target that cannot be learnt from, infinite values, or no usable
        feature.
    """
    table = read_table(table)
    require_columns(table, [target], "as the target")
    require_columns(table, [time] if time else [], "to order the rows")
    require_columns(table, drop, "to be left out")
    kept = rows_with_target(table, target) if drop_missing_target else table
    if kept.num_rows == 0:
        raise DataError(
            f"target {target!r} is missing in all {table.num_rows} rows, expected values; choose another target"
        )
    found = _find_columns(kept, target, drop, kinds or {})
    columns = tuple(column for column, _ in found)
    typed = typed_table(kept, columns)
    found_task = task or find_task(typed[target])
    if found_task != "regression":  # classes keep the text they are written as
        typed = typed.set_column(typed.column_names.index(target), target, kept[target])
    found_task, classes = check_target(typed, target, found_task)
    schema = Schema(columns, target, found_task, classes, time, kept.num_rows)
    _require_feature(schema)
    notes, warnings = find_cautions(typed, schema)
    n_left_out = table.num_rows - kept.num_rows
    if n_left_out:
        notes = (f"{n_left_out} of {table.num_rows} rows have no target and are left out", *notes)
    told = [] if task else [_target_note(typed, schema)]
    for column, kind in found:
        told += [] if column.dropped else kind.notes
        warnings = (*(() if column.dropped or column.name == target else kind.warnings), *warnings)
    notes = (*_source_notes(table), *told, *notes)
    return Schema(columns, target, found_task, classes, time, kept.num_rows, notes, warnings)


def typed_table(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """The columns with the types that were recognised: text that spells numbers or dates becomes those."""
    return pa.table({column.name: typed_cells(table[column.name], column) for column in columns})


def recognise_types(table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
    """A plain table with recognised types, as SQL is to see it, and what is worth a note."""
    found = _find_columns(table, None, (), {})
    notes = tuple(note for _, kind in found for note in kind.notes)
    return typed_table(table, [column for column, _ in found]), notes


def _target_note(typed: pa.Table, schema: Schema) -> str:
    """What the target was taken for, and how to say otherwise."""
    cells, name = typed[schema.target], schema.target
    if schema.task == "classification":
        shown = ", ".join(str(label) for label in schema.classes[:5]) + (", ..." if len(schema.classes) > 5 else "")
        told = f"target {name!r} is taken for {len(schema.classes)} classes ({shown})"
        counted = len(schema.classes) > 2 and not is_text(cells.type) and not pa.types.is_boolean(cells.type)
        return told + ("; for a number: --task regression" if counted else "")
    told = f"target {name!r} is taken for a number ({schema[name].shown})"
    few = int(pc.count_distinct(cells, mode="only_valid").as_py()) <= _FEW_CLASSES
    return told + ("; for classes: --task classification" if few else "")


def _source_notes(table: pa.Table) -> tuple[str, ...]:
    note = (table.schema.metadata or {}).get(NOTE.encode())
    return tuple(note.decode().split("\n")) if note else ()


def _require_feature(schema: Schema) -> None:
    if not schema.features:
        reasons = "; ".join(f"{column.name}: {column.dropped}" for column in schema.dropped[:4])
        raise DataError(
            f"no column is left to learn from, expected at least one ({reasons or 'only the target'}); add columns"
        )


# -- columns


def _find_columns(
    table: pa.Table, target: str | None, drop: Sequence[str], kinds: Mapping[str, str]
) -> list[tuple[Column, Kind]]:
    for name, asked in kinds.items():
        require_columns(table, [name], "as --kind says")
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
    written = kind.number_format or (_written(table, name) if kind.kind == "number" else None)
    column = Column(name, kind.kind, kind.dropped, cells.null_count, n_distinct, kind.date_format, written)
    typed = typed_cells(cells, column)
    if kind.kind == "number" and not kind.dropped:
        numbers(typed, name)  # raises for infinite values
    n_words = typed.null_count - cells.null_count
    return replace(column, n_words=n_words, shown=shown_cells(typed, column)), kind


def _written(table: pa.Table, name: str) -> str | None:
    """How a column that was read as numbers stands in its file."""
    written = (table.schema.field(name).metadata or {}).get(WRITTEN.encode())
    return written.decode() if written else None


def _decimal_hint(table: pa.Table) -> str:
    """The decimal mark that the table's columns agree on; empty if they show none or differ."""
    given = (table.schema.metadata or {}).get(DECIMAL.encode())
    if given:
        return given.decode()
    found = (find_numbers(table[name]) for name in table.column_names if is_text(table[name].type))
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
        if is_date(cells.type):
            return f"{low:%Y-%m-%d} to {high:%Y-%m-%d}"
        return f"{low:.6g} to {high:.6g}" + unit_of(column)
    counts = sorted(pc.value_counts(cells.drop_null()).to_pylist(), key=lambda c: (-c["counts"], str(c["values"])))
    return ", ".join(str(c["values"])[:30] for c in counts[:3]) + (", ..." if len(counts) > 3 else "")


def unit_of(column: Column) -> str:
    """The unit of a column's numbers after a space; empty for none."""
    unit = NumberFormat.of(column.number_format).unit if column.number_format else ""
    return f" {unit}" if unit else ""
