"""Spreadsheets: the first row of a sheet names the columns, the others are the rows."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from qloom.data.delimited import NOTE
from qloom.errors import DataError
from qloom.extras import package

SUFFIXES = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}


def read_spreadsheet(path: Path, sheet: str = "") -> pa.Table:
    """Read a sheet of an Excel or OpenDocument file.

    A column of one kind of cells keeps it; a column of several is text, as the cells would be written. Empty rows and
    columns around the cells do not count.

    Args:
        path: of the file.
        sheet: its name; empty for the only sheet with cells.

    Raises:
        ExtraError: without python-calamine.
        DataError: for a file that is none, an unknown or empty sheet, or several to choose from.
    """
    calamine = package("python_calamine", f"{path}, a spreadsheet,", "excel")
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=True) for name in book.sheet_names}
    except (calamine.CalamineError, OSError) as error:
        raise DataError(
            f"{path} cannot be read as a spreadsheet ({str(error).splitlines()[0]}); save it again"
        ) from None
    return _to_table(_choose(sheets, path, sheet), path)


def _choose(sheets: dict[str, list[list[Any]]], path: Path, sheet: str) -> list[list[Any]]:
    filled = [name for name, rows in sheets.items() if rows]
    if sheet and sheet not in sheets:
        raise DataError(f"{path} has no sheet {sheet!r}, expected one of {', '.join(map(repr, sheets))}; name one")
    if not sheet and len(filled) > 1:
        raise DataError(
            f"{path} has {len(filled)} sheets with cells ({', '.join(filled[:6])}), expected one; "
            f"name it as in {path.name}#{filled[0]}"
        )
    chosen = sheet or (filled[0] if filled else "")
    if not chosen or len(sheets[chosen]) < 2:
        raise DataError(f"{path} has no rows below the names of the columns, expected at least one; check the sheet")
    return sheets[chosen]


def _to_table(rows: list[list[Any]], path: Path) -> pa.Table:
    names = [str(_plain(cell)).strip() or f"column_{i + 1}" for i, cell in enumerate(rows[0])]
    body = [row for row in rows[1:] if any(cell != "" for cell in row)]
    columns = [_column([row[i] for row in body]) for i in range(len(names))]
    table = pa.Table.from_arrays(columns, names=names)
    if any(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in rows[0]):
        note = f"the first row of {path.name} names the columns although it holds numbers"
        return table.replace_schema_metadata({NOTE: note})
    return table


def _column(cells: list[Any]) -> pa.Array:
    present = [None if cell == "" else _plain(cell) for cell in cells]
    kinds = {type(cell) for cell in present if cell is not None}
    if kinds <= {int, float} or len(kinds) == 1:
        return pa.array(present)
    if kinds <= {datetime.date, datetime.datetime}:
        return pa.array([None if c is None else datetime.datetime.fromisoformat(str(c)) for c in present])
    return pa.array([None if cell is None else str(cell) for cell in present])


def _plain(cell: Any) -> Any:
    """Whole numbers as such: a spreadsheet holds floats alone."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53 else cell
