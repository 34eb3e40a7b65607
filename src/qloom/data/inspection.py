"""Looking at a table before learning from it: the kind of every column, the task, notes and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cautions import find_cautions
from qloom.data.cells import is_text
from qloom.data.columns import require_columns
from qloom.data.recognition import NOTE, find_columns, typed_table
from qloom.data.schema import Schema
from qloom.data.sources import read_table
from qloom.data.target import check_target, find_task, rows_with_target
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
    found = find_columns(kept, target, drop, kinds or {})
    columns = tuple(column for column, _ in found)
    typed = typed_table(kept, columns)
    found_task = task or find_task(typed[target])
    if found_task != "regression":  # classes keep the text they are written as
        typed = typed.set_column(typed.column_names.index(target), target, kept[target])
    found_task, classes = check_target(typed, target, found_task)
    schema = Schema(columns, target, found_task, classes, time, kept.num_rows)
    require_feature(schema)
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


def _target_note(typed: pa.Table, schema: Schema) -> str:
    """What the target was taken for, and how to say otherwise."""
    cells, name = typed[schema.target], schema.target
    if schema.task == "classification":
        shown = ", ".join(str(label) for label in schema.classes[:5]) + (", ..." if len(schema.classes) > 5 else "")
        told = f"target {name!r} is taken for {len(schema.classes)} classes ({shown})"
        counted = len(schema.classes) > 2 and not is_text(cells.type) and not pa.types.is_boolean(cells.type)
        return told + ("; for a number: task='regression'" if counted else "")
    told = f"target {name!r} is taken for a number ({schema[name].shown})"
    few = int(pc.count_distinct(cells, mode="only_valid").as_py()) <= _FEW_CLASSES
    return told + ("; for classes: task='classification'" if few else "")


def _source_notes(table: pa.Table) -> tuple[str, ...]:
    note = (table.schema.metadata or {}).get(NOTE.encode())
    return tuple(note.decode().split("\n")) if note else ()


def require_feature(schema: Schema) -> None:
    """Raise DataError for a table without a column to learn from."""
    if not schema.features:
        reasons = "; ".join(f"{column.name}: {column.dropped}" for column in schema.dropped[:4])
        raise DataError(
            f"no column is left to learn from, expected at least one ({reasons or 'only the target'}); add columns"
        )
