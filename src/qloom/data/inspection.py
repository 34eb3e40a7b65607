"""Looking at a table before learning from it: the kind of every column, the task, notes and warnings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cautions import find_cautions
from qloom.data.cells import find_date_format, is_date, is_number, is_text, numbers, numbers_from_text
from qloom.data.columns import require_columns
from qloom.data.schema import Column, Schema
from qloom.data.sources import read_table
from qloom.data.target import check_target, rows_with_target
from qloom.errors import DataError

BOOLEAN_WORDS = ({"no", "yes"}, {"n", "y"}, {"false", "true"}, {"f", "t"}, {"off", "on"})
_ID_NAME = re.compile(r"(?i:^(index|key|(.*[ _.-])?(id|uuid|guid))$)|[a-z]I[dD]$")
_FEW_ROWS = 50


def inspect_table(
    table: Any,
    target: str,
    *,
    time: str | None = None,
    drop: Sequence[str] = (),
    task: str | None = None,
    drop_missing_target: bool = False,
) -> Schema:
    """Find the kind of every column, the task, and everything worth a note or a warning.

    Kinds: number (also text that spells numbers), boolean (true/false, yes/no and the like), category (text
    with repeating values), date (also text in one of many formats); not used, with a word: identifier (unique
    text, or unique whole numbers that run through their range), constant, text (long or mostly distinct),
    unsupported (nested types).

    Args:
        table: anything `read_table` takes.
        target: the column to predict.
        time: the column that orders the rows in time.
        drop: columns to leave out.
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
    found_task, classes = check_target(kept, target, task)
    columns = tuple(_find_column(kept[name], name, name == target, name in drop) for name in kept.column_names)
    schema = Schema(columns, target, found_task, classes, time, kept.num_rows)
    _require_feature(schema)
    notes, warnings = find_cautions(kept, schema)
    n_left_out = table.num_rows - kept.num_rows
    if n_left_out:
        notes = (f"{n_left_out} of {table.num_rows} rows have no target and are left out", *notes)
    notes = (*_source_notes(table), *notes)
    return Schema(columns, target, found_task, classes, time, kept.num_rows, notes, warnings)


def _source_notes(table: pa.Table) -> tuple[str, ...]:
    note = (table.schema.metadata or {}).get(b"qloom.note")
    return (note.decode(),) if note else ()


def _require_feature(schema: Schema) -> None:
    if not schema.features:
        reasons = "; ".join(f"{column.name}: {column.dropped}" for column in schema.dropped[:4])
        raise DataError(
            f"no column is left to learn from, expected at least one ({reasons or 'only the target'}); add columns"
        )


def _find_column(cells: pa.ChunkedArray, name: str, is_target: bool, is_dropped: bool) -> Column:
    n_missing = cells.null_count
    n_distinct = _count_distinct(cells)
    kind, reason, date_format = _find_kind(cells, name, n_distinct)
    if is_target:
        kind, reason = ("category" if reason else kind), ""
    if is_dropped:
        reason = "left out as asked"
    elif kind == "number":
        numbers(cells, name)  # raises for infinite values
    return Column(name, kind, reason, n_missing, n_distinct, date_format)


def _count_distinct(cells: pa.ChunkedArray) -> int:
    if not _is_supported(cells.type) or pa.types.is_null(cells.type):
        return 0
    return int(pc.count_distinct(cells, mode="only_valid").as_py())


def _find_kind(cells: pa.ChunkedArray, name: str, n_distinct: int) -> tuple[str, str, str | None]:
    """The kind, the reason for dropping (or ""), and the date format of text dates."""
    kind = cells.type
    if not _is_supported(kind):
        return "unsupported", f"type {kind} is not supported", None
    if n_distinct == 0:
        return "constant", "every cell is missing", None
    if n_distinct == 1 and not cells.null_count:
        return "constant", f"every cell is {cells[0].as_py()!r}", None
    if pa.types.is_boolean(kind):
        return "boolean", "", None
    if is_date(kind):
        return "date", "", None
    if is_number(kind):
        return _find_number_kind(cells, name, n_distinct)
    return _find_text_kind(cells, name, n_distinct)


def _is_supported(kind: pa.DataType) -> bool:
    known = is_text(kind) or is_number(kind) or is_date(kind)
    return bool(known or pa.types.is_boolean(kind) or pa.types.is_null(kind))


def _find_number_kind(cells: pa.ChunkedArray, name: str, n_distinct: int) -> tuple[str, str, str | None]:
    if _is_running(cells, name, n_distinct):
        return "identifier", f"{n_distinct} distinct whole numbers that run through the rows", None
    return "number", "", None


def _is_running(cells: pa.ChunkedArray, name: str, n_distinct: int) -> bool:
    """Whether whole numbers only number the rows: all distinct and filling at least half of their range.

    Below 50 rows, where chance could do that, and for sparser ranges, the name must also say so. Floats never
    qualify.
    """
    if not pa.types.is_integer(cells.type) or n_distinct < len(cells):
        return False
    values = cells.to_numpy()
    density = n_distinct / (float(values.max()) - float(values.min()) + 1)
    named = bool(_ID_NAME.search(name))
    return named or (density >= 0.5 and n_distinct >= _FEW_ROWS)


def _find_text_kind(cells: pa.ChunkedArray, name: str, n_distinct: int) -> tuple[str, str, str | None]:
    spelled = numbers_from_text(cells)
    if spelled is not None:
        return _find_number_kind(spelled, name, _count_distinct(spelled))
    date_format = find_date_format(cells)
    if date_format:
        return "date", "", date_format
    present = cells.drop_null()
    if n_distinct == 2 and {word.lower() for word in pc.unique(present).to_pylist()} in BOOLEAN_WORDS:
        return "boolean", "", None
    return (*_find_word_kind(present, name, n_distinct), None)


def _find_word_kind(present: pa.ChunkedArray, name: str, n_distinct: int) -> tuple[str, str]:
    share = n_distinct / len(present)
    length = float(pc.mean(pc.utf8_length(present)).as_py())
    spaces = float(pc.mean(pc.count_substring(present, " ")).as_py())
    if share >= 0.5 and (length > 60 or spaces >= 3) and n_distinct >= 5:
        return "text", f"free text of {length:.0f} characters on average"
    unique = share >= 0.95 and len(present) >= _FEW_ROWS
    if unique or (share == 1 and len(present) > 2 and _ID_NAME.search(name)):
        return "identifier", f"{n_distinct} distinct names in {len(present)} cells"
    return "category", ""
