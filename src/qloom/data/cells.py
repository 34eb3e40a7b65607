"""From the cells of an Arrow column to numbers, dates and text, with one idea of a missing cell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.errors import DataError

MISSING_WORDS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "?", "nan", "NaN", "NAN", "NULL", "null")

TRUE_WORDS = ("yes", "y", "true", "t", "on", "1")
FALSE_WORDS = ("no", "n", "false", "f", "off", "0")

_DAYS = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
)
_NAMED_DAYS = ("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
DATE_FORMATS = tuple(day + time for day in _DAYS + _NAMED_DAYS for time in _TIMES)
_SAMPLE = 200


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether a column of this type holds integers or floats."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_date(kind: pa.DataType) -> bool:
    """Whether a column of this type holds dates or timestamps."""
    return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decode dictionaries and views, make decimals, times and durations numbers, missing cells null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return plain_column(_undictionary(column))
    if pa.types.is_run_end_encoded(kind):
        return plain_column(pc.run_end_decode(column))
    if pa.types.is_string_view(kind) or is_text(kind):
        return _plain_text(column.cast(pa.string()))
    if pa.types.is_floating(kind):
        return _null_for_nan(column.cast(pa.float32()) if pa.types.is_float16(kind) else column)
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_time(kind):
        return column.cast(pa.time64("us"), safe=False).cast(pa.int64())
    if pa.types.is_duration(kind):
        return column.cast(pa.duration("us"), safe=False).cast(pa.int64())
    return column


def _undictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type.value_type
    kind = pa.string() if pa.types.is_string_view(kind) else kind
    chunks = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in column.chunks]
    return pa.chunked_array(chunks, kind)


def _null_for_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_nan = pc.is_nan(column)
    return pc.if_else(is_nan, pa.scalar(None, column.type), column) if pc.any(is_nan).as_py() else column


def _plain_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING_WORDS))
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed) if pc.any(missing).as_py() else trimmed


def numbers_from_text(column: pa.ChunkedArray, decimal: str = ".") -> pa.ChunkedArray | None:
    """The numbers a text column spells (int64, else float64); None if a cell is none or all are missing."""
    head = column.drop_null().slice(0, _SAMPLE)
    if len(head) == 0 or _cast_numbers(head, decimal) is None:
        return None
    numbers = _cast_numbers(column, decimal)
    return None if numbers is None else plain_column(numbers)


def _cast_numbers(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray | None:
    if decimal != ".":
        column = pc.replace_substring(column, decimal, ".")
    for kind in (pa.int64(), pa.float64()):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def _finite(values: np.ndarray, name: str) -> np.ndarray:
    count = int(np.isinf(values).sum())
    if count:
        raise DataError(
            f"column {name!r} has {count} infinite value{'s' * (count > 1)}, expected finite numbers "
            "or blanks; replace or drop them"
        )
    return values


def numbers(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """A plain column as float64 with NaN for missing.

    Raises:
        DataError: for text that is not a number (with an example), for dates, and for infinite values.
    """
    kind = column.type
    if is_text(kind) and column.null_count < len(column):
        spelled = numbers_from_text(column)
        if spelled is None:
            raise _not_numbers(name, f"the text {_first_not_number(column)!r}")
        column = spelled
    elif not (is_number(kind) or pa.types.is_boolean(kind) or column.null_count == len(column)):
        raise _not_numbers(name, f"values of type {kind}")
    if column.null_count == len(column):
        return np.full(len(column), np.nan)
    return _finite(_as_float64(column), name)


def truths(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """A plain column as 1.0 for true, 0.0 for false, NaN for missing and for any other word."""
    if not is_text(column.type):
        return numbers(column, name)
    lowered = pc.utf8_lower(column)
    yes = np.asarray(pc.is_in(lowered, value_set=pa.array(TRUE_WORDS)).to_numpy())
    no = np.asarray(pc.is_in(lowered, value_set=pa.array(FALSE_WORDS)).to_numpy())
    return np.where(yes, 1.0, np.where(no, 0.0, np.nan))


def _as_float64(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())


def _not_numbers(name: str, given: str) -> DataError:
    return DataError(f"column {name!r} holds {given}, expected numbers; correct or blank such cells")


def _first_not_number(column: pa.ChunkedArray) -> str:
    present = column.drop_null()
    looks = pc.match_substring_regex(present, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    odd = present.filter(pc.invert(looks))
    return str((odd if len(odd) else present)[0].as_py())


def number_share(column: pa.ChunkedArray) -> float:
    """The share of a text column's present cells that look like numbers."""
    present = column.drop_null().slice(0, 10_000)
    looks = pc.match_substring_regex(present, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    return float(pc.mean(looks).as_py() or 0.0)


def find_date_format(column: pa.ChunkedArray) -> str | None:
    """The format that reads every present cell of text as a date: "iso", one of DATE_FORMATS, or None.

    Where day and month could be swapped throughout, the order that makes the rows run forward in time is
    taken, else month first.
    """
    present = column.drop_null()
    head = present.slice(0, _SAMPLE)
    if len(head) == 0 or not pc.all(pc.match_substring_regex(head, r"^\d{1,4}[-/. ]|^\w{3,9} \d")).as_py():
        return None
    fitting = [f for f in ("iso", *DATE_FORMATS) if _parse_dates(head, f) is not None]
    fitting = [f for f in fitting if _parse_dates(present, f) is not None]
    forward = [f for f in fitting if _runs_forward(_parse_dates(present, f))]
    return next(iter(forward + fitting), None)


def _runs_forward(dates: pa.ChunkedArray | None) -> bool:
    steps = np.diff(dates.cast(pa.int64()).to_numpy()) if dates is not None else np.array([-1])
    return bool((steps >= 0).all())


def _parse_dates(column: pa.ChunkedArray, date_format: str) -> pa.ChunkedArray | None:
    """Timestamps in seconds, or None if a cell does not fit the format or names a year before 1000."""
    try:
        iso = date_format == "iso"
        dates = _parse_iso(column) if iso else pc.strptime(column, format=date_format, unit="s")
    except pa.ArrowInvalid:
        return None
    first = pc.min(pc.year(dates)).as_py()
    return dates if first is None or first >= 1000 else None


def _parse_iso(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        dates = column.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        dates = column.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    return dates.cast(pa.timestamp("s"), safe=False)


def dates(column: pa.ChunkedArray, name: str, date_format: str | None = None) -> np.ndarray:
    """A plain column as datetime64[s] with NaT for missing; text is read by `date_format` or as ISO dates.

    Raises:
        DataError: for cells that are no dates, with an example.
    """
    if column.null_count == len(column):
        return np.full(len(column), "NaT", dtype="datetime64[s]")
    parsed = column
    if is_text(column.type):
        tried = (_parse_dates(column, f) for f in (date_format or "iso", "iso"))
        parsed = next((dates for dates in tried if dates is not None), None)
    if parsed is None or not is_date(parsed.type):
        example = column.drop_null()[0].as_py() if parsed is not None else _first_not_date(column, date_format or "iso")
        raise DataError(
            f"column {name!r} holds {example!r}, expected dates written {_spoken(date_format)}; "
            "correct or blank such cells"
        )
    return np.asarray(parsed.cast(pa.timestamp("s"), safe=False).to_numpy()).astype("datetime64[s]")


def _first_not_date(column: pa.ChunkedArray, date_format: str) -> str:
    cells = column.drop_null()
    return next(
        (str(cell) for cell in cells if _parse_dates(pa.chunked_array([[cell.as_py()]]), date_format) is None),
        "",
    )


def _spoken(date_format: str | None) -> str:
    return "like 2024-12-31 08:30" if date_format in (None, "iso") else f"as {date_format}"
