"""Text tables: encoding, separator, header and decimal comma found by looking, then read by Arrow."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from qloom.data.cells import MISSING_WORDS, is_number, is_text, numbers_from_text, plain_column
from qloom.data.columns import require_distinct
from qloom.data.compression import read_bytes
from qloom.data.written_numbers import NumberFormat, may_be_thousands
from qloom.errors import DataError

SEPARATORS = ("\t", ";", "|", ",")  # a comma may also be a decimal comma, so it is tried last
# Metadata: of a table a note and the decimal mark of its file, of a column how its numbers were written there.
NOTE, DECIMAL, WRITTEN = "qloom.note", "qloom.decimal", "qloom.written"
_SAMPLE_CHARACTERS = 1 << 18
_SAMPLE_ROWS = 200
_BLOCK = 1 << 30  # Arrow fixes a column's type in the first block


@dataclass(frozen=True)
class Layout:
    """How a text table is written."""

    separator: str
    has_header: bool
    decimal: str
    names: tuple[str, ...]


def read_delimited(path: Path) -> pa.Table:
    """Read a CSV, TSV or TXT file, also compressed, into Arrow with typed columns.

    Found by looking: encoding (UTF-8, UTF-16, else Windows-1252), byte-order mark, separator (tab ; | ,),
    whether the first row is a header (else names are column_1, column_2, ...), and with a semicolon the
    decimal comma.

    Raises:
        DataError: empty or binary file, header alone, a name standing twice, a row with another number of
        cells.
    """
    layout, table = parse_text(decode(read_bytes(path), path), path)
    return described(pa.table({name: _typed(table[name]) for name in table.column_names}), layout, path)


def parse_text(text: str, path: Path) -> tuple[Layout, pa.Table]:
    """How a text is laid out, and its columns as Arrow types them; numbers in doubt (7.186) stay text."""
    if not text.strip():
        raise DataError(f"{path} is empty, expected a header and rows; check the export that wrote it")
    layout = find_layout(text)
    require_distinct(layout.names, str(path))
    table = _with_doubts(_parse(text, layout, path), text, layout).rename_columns(list(layout.names))
    if table.num_rows == 0:
        raise DataError(f"{path} has a header and no rows, expected at least one row; check the export that wrote it")
    return layout, table


def described(table: pa.Table, layout: Layout, path: Path) -> pa.Table:
    """The table with what its text said and its types do not: the decimal comma, and that names are made up."""
    said = {}
    if not layout.has_header:
        said[NOTE] = f"{path.name} has no header row; columns are named column_1 to column_{table.num_columns}"
    if layout.decimal == ",":
        said[DECIMAL] = ","
        written = {WRITTEN: NumberFormat(",").pattern}
        fields = [each.with_metadata(written) if is_number(each.type) else each for each in table.schema]
        table = table.cast(pa.schema(fields))
    return table.replace_schema_metadata(said or None)


def _with_doubts(table: pa.Table, text: str, layout: Layout) -> pa.Table:
    """The table with those number columns as text that another decimal mark would read otherwise, such as 7.186."""
    doubtful = [name for name in table.column_names if _may_be_thousands(table[name])]
    if not doubtful:
        return table
    types = dict.fromkeys(doubtful, pa.string())
    again = _read_arrow(text.encode("utf-8"), layout, types, doubtful)
    for name in doubtful:
        if may_be_thousands(plain_column(again[name])):
            table = table.set_column(table.column_names.index(name), name, again[name])
    return table


def _may_be_thousands(column: pa.ChunkedArray) -> bool:
    """Whether numbers have three digits behind the mark at most and, where they have any, one to three before it."""
    if not pa.types.is_float64(column.type):
        return False
    values = column.drop_null().to_numpy()
    for part in (values[:100], values):
        broken = part[part != np.round(part)]
        size = np.abs(broken)
        thousandths = size * 1000
        if not ((size >= 1) & (size < 1000) & (np.abs(thousandths - np.round(thousandths)) < 1e-6)).all():
            return False
    return bool(len(broken))


def decode(data: bytes, path: Path) -> str:
    """The text of a file."""
    encoding = find_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if "\x00" in text:
        raise DataError(f"{path} is a binary file, expected text; save it as CSV or Parquet")
    return text


def find_encoding(data: bytes) -> str:
    """The encoding by byte-order mark, by the zero bytes of UTF-16, by trying UTF-8; else Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    even, odd = data[0:2000:2], data[1:2000:2]
    for zeros, letters, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) > 0.6 * len(zeros) and letters.count(0) < 0.1 * len(letters):
            return encoding
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def find_layout(text: str) -> Layout:
    """Separator, header and decimal mark of a text table, from its first rows."""
    sample = text[:_SAMPLE_CHARACTERS]
    separator = _find_separator(sample)
    rows = _rows(sample, separator)
    has_header = not _is_data(rows[0], rows[1:])
    width = len(rows[0])
    names = [cell.strip() if has_header else "" for cell in rows[0]]
    numbered = tuple(name or f"column_{i + 1}" for i, name in enumerate(names))
    return Layout(separator, has_header, _find_decimal(text, separator), numbered[:width])


def _rows(sample: str, separator: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    return rows[:-1] if 1 < len(rows) <= _SAMPLE_ROWS and len(sample) == _SAMPLE_CHARACTERS else rows


def _find_separator(sample: str) -> str:
    """The first separator that cuts the first and nearly all rows into one number of cells, above one."""
    first_row = {}
    for separator in SEPARATORS:
        widths = [len(row) for row in _rows(sample, separator)] or [1]
        width, count = Counter(widths).most_common(1)[0]
        if width > 1 and widths[0] == width and count >= 0.9 * len(widths):
            return separator
        first_row[separator] = widths[0]
    widest = max(SEPARATORS, key=lambda separator: first_row[separator])
    return widest if first_row[widest] > 1 else ","


def _is_data(first: list[str], rest: list[list[str]]) -> bool:
    """Whether the first row is data: half of the number columns have one there, not counting up."""
    numeric = [i for i in range(len(first)) if any(_number(row[i]) is not None for row in rest[:20] if len(row) > i)]
    if not rest:
        numeric = list(range(len(first)))
    found = [value for i in numeric if (value := _number(first[i])) is not None]
    if not found or len(found) < 0.5 * len(numeric):
        return False
    running = len(found) > 1 and all(b - a == 1 and a.is_integer() for a, b in pairwise(found))
    return not running


def _number(cell: str) -> float | None:
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None


def _find_decimal(text: str, separator: str) -> str:
    """A comma if cells between semicolons or tabs are written 1,5 or 1.234,5 and none 1.5; 7.186 says nothing."""
    if separator not in ";\t":
        return "."
    edge = re.escape(separator)
    cell = rf'(?:^|{edge})[ ]*"?[+-]?{{number}}"?[ ]*(?={edge}|\r?$)'
    with_comma = re.search(cell.replace("{number}", r"(?:[1-9]\d{0,2}(?:\.\d{3})+|\d*),\d+"), text, re.MULTILINE)
    with_point = re.search(cell.replace("{number}", r"(?![1-9]\d{0,2}\.\d{3}\b)\d*\.\d+"), text, re.MULTILINE)
    return "," if with_comma and not with_point else "."


def _parse(text: str, layout: Layout, path: Path) -> pa.Table:
    data = text.encode("utf-8")
    try:
        return _read_arrow(data, layout)
    except pa.ArrowInvalid as error:
        _refuse_ragged(text, layout, path)
        if len(data) < _BLOCK:
            raise DataError(f"{path} cannot be read as a text table: {str(error).splitlines()[0]}; check it") from None
    return _read_arrow(data, layout, dict.fromkeys(layout.names, pa.string()))


def _read_arrow(
    data: bytes, layout: Layout, types: dict[str, pa.DataType] | None = None, names: Sequence[str] = ()
) -> pa.Table:
    options = csv_options(layout, types or {}, names, block_size=min(len(data) + 1, _BLOCK), quoted=b'"' in data)
    return arrow_csv.read_csv(pa.BufferReader(data), **options)


def csv_options(
    layout: Layout, types: Mapping[str, pa.DataType], names: Sequence[str] = (), *, quoted: bool, **reading: Any
) -> dict[str, Any]:
    """What Arrow's readers take to read a text table; `names` for some columns, `quoted` if cells may have newlines."""
    return {
        "read_options": arrow_csv.ReadOptions(
            column_names=list(layout.names), skip_rows_after_names=int(layout.has_header), **reading
        ),
        "parse_options": arrow_csv.ParseOptions(delimiter=layout.separator, newlines_in_values=quoted),
        "convert_options": arrow_csv.ConvertOptions(
            null_values=list(MISSING_WORDS),
            strings_can_be_null=True,
            decimal_point=layout.decimal,
            column_types=dict(types),
            include_columns=list(names) or None,
        ),
    }


def _refuse_ragged(text: str, layout: Layout, path: Path) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.separator)
    for row in reader:
        if row and len(row) != len(layout.names):
            raise DataError(
                f"{path} has {len(row)} cells in line {reader.line_num}, "
                f"expected {len(layout.names)} as in its "
                "first line; quote cells that contain the separator or mend that line"
            )


def _typed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Plain cells; text that plainly spells numbers becomes numbers."""
    column = plain_column(column)
    if not is_text(column.type) or may_be_thousands(column):
        return column
    spelled = numbers_from_text(column)
    return column if spelled is None else spelled
