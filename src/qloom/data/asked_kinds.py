"""The kind of a column as the user says it: --kind zip=category, --kind "price=number:1.234,5"."""

from __future__ import annotations

import pyarrow as pa

from qloom.data.cells import is_date, is_number, is_text, numbers_from_text
from qloom.data.kinds import Kind, are_whole, digits_of, find_kind, is_supported, unread, words_note
from qloom.data.written_dates import find_dates, read_dates
from qloom.data.written_numbers import NumberFormat, find_numbers, may_be_thousands, read_numbers
from qloom.errors import ConfigError, DataError

ASKED = ("number", "category", "boolean", "date", "text", "drop")


def check_asked(asked: str, name: str) -> tuple[str, str]:
    """Kind and format of "number", "number:1.234,5", "date:%d.%m.%Y" and the like.

    Raises:
        ConfigError: for an unknown kind, or a format of a kind that has none.
    """
    kind, _, written = asked.partition(":")
    if kind not in ASKED:
        raise ConfigError(f"column {name!r} is to be {asked!r}, expected one of {', '.join(ASKED)}; choose one")
    if written and kind not in ("number", "date"):
        raise ConfigError(
            f"column {name!r} is to be {asked!r}, expected {kind!r} alone; only numbers and dates have a form"
        )
    if kind == "number" and written:
        NumberFormat.of(written)
    return kind, written


def asked_kind(cells: pa.ChunkedArray, name: str, asked: str, n_distinct: int, hint: str) -> Kind:
    """The kind that was asked for.

    Raises:
        ConfigError: for an unknown kind.
        DataError: for cells that cannot be read so.
    """
    kind, written = check_asked(asked, name)
    if kind == "drop":
        return Kind("category", "left out as asked")
    if not is_supported(cells.type) or n_distinct == 0:
        return find_kind(cells, name, n_distinct, hint)
    if kind == "number" and is_text(cells.type):
        return _asked_number(cells, name, written, hint)
    if kind == "date" and not is_date(cells.type):
        return _asked_date(cells, name, written)
    if kind == "text" and (given := _no_text(cells)):
        raise _unfit(name, "text", given)
    if kind == "number" and is_date(cells.type):
        raise _unfit(name, "a number", f"values of type {cells.type}")
    return Kind(kind)


def _no_text(cells: pa.ChunkedArray) -> str:
    """What cells hold that are no text; empty where they are."""
    if is_number(cells.type) or (is_text(cells.type) and numbers_from_text(cells) is not None):
        return f"numbers such as {cells.drop_null()[0].as_py()}"
    return "" if is_text(cells.type) else f"values of type {cells.type}"


def _asked_number(cells: pa.ChunkedArray, name: str, written: str, hint: str) -> Kind:
    if not written and numbers_from_text(cells) is not None and not may_be_thousands(cells):
        return Kind("number")
    found = None if written else find_numbers(cells, hint)
    if found and found.format is None:
        raise _unfit(name, "a number", f"several units ({', '.join(found.units[:5])})")
    number_format = found.format if found else NumberFormat.of(written or "1,234.5")
    assert number_format is not None
    read = read_numbers(cells, number_format)
    if read.null_count == len(read):
        raise _unfit(name, "a number", f"the text {cells.drop_null()[0].as_py()!r}")
    notes = words_note(cells, unread(cells, read), name, "numbers")
    return Kind("number", number_format=number_format.pattern, notes=notes)


def _asked_date(cells: pa.ChunkedArray, name: str, written: str) -> Kind:
    text = cells if is_text(cells.type) else digits_of(cells) if is_number(cells.type) and are_whole(cells) else None
    found = None if written or text is None else find_dates(text)
    date_format = written or (found.format if found else "")
    read = read_dates(text, date_format) if text is not None and date_format else None
    if read is None or read.null_count == len(read):
        raise _unfit(name, "a date", f"{cells.drop_null()[0].as_py()!r}")
    notes = words_note(text, unread(text, read), name, "dates")
    return Kind("date", date_format=date_format, notes=notes)


def _unfit(name: str, wanted: str, given: str) -> DataError:
    return DataError(
        f"column {name!r} is to be {wanted} and holds {given}, expected cells that are; choose another kind"
    )
