"""From the cells of an Arrow column to numbers, dates and text, with one idea of a missing cell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.written_dates import read_dates
from qloom.data.written_numbers import NumberFormat, read_numbers
from qloom.errors import DataError

MISSING_WORDS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "?", "nan", "NaN", "NAN", "NULL", "null")

TRUE_WORDS = ("yes", "y", "true", "t", "on", "1")
FALSE_WORDS = ("no", "n", "false", "f", "off", "0")
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
        return _undictionary(column)
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
    """Plain cells of a dictionary's: each different one is made plain once."""
    kind = column.type.value_type
    kind = pa.string() if pa.types.is_string_view(kind) else kind
    plain = [plain_column(pa.chunked_array([chunk.dictionary.cast(kind)], kind)) for chunk in column.chunks]
    chunks = [cells.combine_chunks().take(chunk.indices) for cells, chunk in zip(plain, column.chunks, strict=True)]
    return pa.chunked_array(chunks, plain[0].type if plain else plain_column(pa.chunked_array([], kind)).type)


def _null_for_nan(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_nan = pc.is_nan(column)
    return pc.if_else(is_nan, pa.scalar(None, column.type), column) if pc.any(is_nan).as_py() else column


def _plain_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING_WORDS))
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed) if pc.any(missing).as_py() else trimmed


def numbers_from_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The numbers a text column spells plainly (int64, else float64); None if a cell is none or all are missing."""
    head = column.drop_null().slice(0, _SAMPLE)
    if len(head) == 0 or _cast_numbers(head) is None:
        return None
    numbers = _cast_numbers(column)
    return None if numbers is None else plain_column(numbers)


def _cast_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
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


def numbers(column: pa.ChunkedArray, name: str, number_format: str | None = None, words: bool = False) -> np.ndarray:
    """A plain column as float64 with NaN for missing.

    Args:
        column: numbers, booleans or text.
        name: of the column, for errors.
        number_format: how text spells numbers, as a `NumberFormat.pattern`; None for plainly.
        words: whether text that is no number counts as missing.

    Raises:
        DataError: for text that is not a number (with an example), for dates, and for infinite values.
    """
    kind = column.type
    if is_text(kind) and column.null_count < len(column):
        column = _spelled_numbers(column, name, number_format, words)
    elif not (is_number(kind) or pa.types.is_boolean(kind) or column.null_count == len(column)):
        raise _not_numbers(name, f"values of type {kind}", number_format)
    if column.null_count == len(column):
        return np.full(len(column), np.nan)
    return _finite(_as_float64(column), name)


def _spelled_numbers(column: pa.ChunkedArray, name: str, number_format: str | None, words: bool) -> pa.ChunkedArray:
    if number_format is None:
        spelled = numbers_from_text(column)
        if spelled is None:
            raise _not_numbers(name, f"the text {_first_not_number(column)!r}", None)
        return spelled
    spelled = read_numbers(column, NumberFormat.of(number_format))
    if spelled.null_count > column.null_count and not words:
        raise _not_numbers(name, f"the text {_first_unread(column, spelled)!r}", number_format)
    return spelled


def _first_not_number(column: pa.ChunkedArray) -> str:
    present = column.drop_null()
    looks = pc.match_substring_regex(present, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    odd = present.filter(pc.invert(looks))
    return str((odd if len(odd) else present)[0].as_py())


def _first_unread(column: pa.ChunkedArray, read: pa.ChunkedArray) -> str:
    return str(column.filter(pc.and_(pc.is_null(read), pc.is_valid(column)))[0].as_py())


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


def _not_numbers(name: str, given: str, number_format: str | None) -> DataError:
    like = f" written like {number_format}" if number_format else ""
    return DataError(f"column {name!r} holds {given}, expected numbers{like}; correct or blank such cells")


def dates(column: pa.ChunkedArray, name: str, date_format: str | None = None, words: bool = False) -> np.ndarray:
    """A plain column as datetime64[s] with NaT for missing; text is read by `date_format` or as ISO dates.

    Args:
        column: dates or text; whole numbers such as 20060602 if `date_format` reads them.
        name: of the column, for errors.
        date_format: as `read_dates` takes it; None for ISO dates.
        words: whether text that is no date counts as missing.

    Raises:
        DataError: for cells that are no dates, with an example.
    """
    if column.null_count == len(column):
        return np.full(len(column), "NaT", dtype="datetime64[s]")
    if date_format not in (None, "iso") and is_number(column.type):
        column = column.cast(pa.int64(), safe=False).cast(pa.string())
    if is_text(column.type):
        column = _spelled_dates(column, name, date_format, words)
    if not is_date(column.type):
        raise _not_dates(name, column.drop_null()[0].as_py(), date_format)
    return np.asarray(column.cast(pa.timestamp("s"), safe=False).to_numpy()).astype("datetime64[s]")


def _spelled_dates(column: pa.ChunkedArray, name: str, date_format: str | None, words: bool) -> pa.ChunkedArray:
    read = read_dates(column, date_format or "iso")
    if read.null_count > column.null_count and date_format not in (None, "iso"):
        read = pc.coalesce(read, read_dates(column, "iso"))
    if read.null_count > column.null_count and not words:
        raise _not_dates(name, _first_unread(column, read), date_format)
    return read


def _not_dates(name: str, example: object, date_format: str | None) -> DataError:
    spoken = "like 2024-12-31 08:30" if date_format in (None, "iso") else f"as {date_format}"
    return DataError(f"column {name!r} holds {example!r}, expected dates written {spoken}; correct or blank such cells")
