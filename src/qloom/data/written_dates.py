"""Dates as people write them, read by one format a column: "iso", "quarter", a strptime format, or several."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    "%Y.%m.%d",
    "%Y-%m-%d",
)
_NAMED_DAYS = (
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%d. %b %Y",
    "%d.%b.%Y",
    "%d%b%Y",
    "%d%b%y",
    "%d/%b/%Y",
    "%a, %d %b %Y",
    "%a %b %d %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S", "T%H:%M", "T%H:%M:%S")
_ZONES = (" %H:%M:%S %z", " %H:%M %z")
_MONTHS = ("%Y/%m", "%m/%Y", "%m.%Y", "%Y-%m", "%b %Y", "%b-%Y", "%b %y", "%b-%y", "%b. %Y", "%Y-%b", "%Y %b")
_COMPACT = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%dT%H%M%S")
DATE_FORMATS = (*(day + time for day in _DAYS + _NAMED_DAYS for time in _TIMES + _ZONES), *_MONTHS, *_COMPACT)
_ISO = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}(:\d{2}(:\d{2}(\.\d{1,9})?)?)?)? ?(Z|[+-]\d{2}(:?\d{2})?)?$"
_QUARTER = r"^(?:\d{4}[-/ ]?[QqTt][1-4]|[QqTt][1-4][-/ ]?\d{4})$"
_LOOKS = (
    r"^\d{1,4}[-/. ]|^\w{3,9}[-. ]{1,2}\d|^\w{3}, \d|^\w{3} \w{3} \d|^\d{1,2}[A-Za-z]{3}\d"
    r"|^\d{8}(T?\d{4}|T?\d{6})?$|^[QqTt][1-4]|^\d{4}[QqTt]"
)
_AMONG_WORDS = r"(?i)(^|[^\pL])(?:{})($|[^\pL])"
_SWAPS = re.compile("%[dmyY]")
_SAMPLE = 200
_FEWEST = 0.3  # share of the distinct cells that one format reads

# German, French and Spanish names of months by the English ones, where they differ.
_MONTH_NAMES = {
    "Jan": "januar|jänner|janvier|janv|enero|ene",
    "Feb": "februar|février|févr|fév|febrero",
    "Mar": "märz|mär|mrz|mars|marzo",
    "Apr": "avril|avr|abril|abr",
    "May": "mai|mayo",
    "Jun": "juni|juin|junio",
    "Jul": "juli|juillet|juil|julio",
    "Aug": "août|agosto|ago",
    "Sep": "septembre|septiembre|sept",
    "Oct": "oktober|okt|octobre|octubre",
    "Nov": "novembre|noviembre",
    "Dec": "dezember|dez|décembre|déc|diciembre|dic",
}


@dataclass(frozen=True)
class FoundDates:
    """What the cells of a text column say about its dates.

    Attributes:
        format: "iso", "quarter" or one of DATE_FORMATS, or several.
        other: another format that reads every cell as another date; empty if there is no doubt.
        n_words: present cells that are no dates.
    """

    format: str
    other: str
    n_words: int


def find_dates(column: pa.ChunkedArray) -> FoundDates | None:
    """The format that reads the most cells of a text column as dates, and others for the rest; None if few are dates.

    Where day and month could be swapped throughout, the order that makes the rows run forward in time is taken, else
    month first.
    """
    present = column.drop_null()
    found = _find_one(present)
    if found is None or not found.n_words:
        return found
    rest = find_dates(present.filter(pc.is_null(read_dates(present, found.format))))
    if rest is None or _SWAPS.sub("9", rest.format) == _SWAPS.sub("9", found.format):
        return found
    both = [f"{each}|{rest.format}" if each else "" for each in (found.format, found.other)]
    return FoundDates(both[0], both[1], rest.n_words)


def _find_one(present: pa.ChunkedArray) -> FoundDates | None:
    words = pc.unique(present)
    sample = pa.chunked_array([words[:: max(1, len(words) // _SAMPLE)]])
    if not len(sample) or pc.sum(pc.match_substring_regex(sample, _LOOKS)).as_py() < _FEWEST * len(sample):
        return None
    sample = _english_months(sample)
    counts = {each: len(sample) - _read(sample, each).null_count for each in ("iso", "quarter", *DATE_FORMATS)}
    most = max(counts.values())
    if most < _FEWEST * len(sample):
        return None
    return _best_of(_english_months(present), [each for each in counts if counts[each] >= most - 0.1 * len(sample)])


def _best_of(present: pa.ChunkedArray, formats: list[str]) -> FoundDates:
    read = {each: _read(present, each) for each in formats}
    most = len(present) - min(dates.null_count for dates in read.values())
    fitting = [each for each in read if len(present) - read[each].null_count == most]
    forward = [each for each in fitting if _runs_forward(read[each])]
    first, *others = dict.fromkeys(forward + fitting)
    other = next((each for each in others if not read[each].equals(read[first])), "")
    return FoundDates(first, other, len(present) - most)


def _runs_forward(dates: pa.ChunkedArray) -> bool:
    return bool((np.diff(dates.drop_null().cast(pa.int64()).to_numpy()) >= 0).all())


def read_dates(column: pa.ChunkedArray, date_format: str) -> pa.ChunkedArray:
    """Timestamps in seconds (of UTC where a zone is written), null where a cell does not fit the format.

    Several formats stand with | between; the first that fits a cell reads it.

    Days that a month does not have do not fit, nor do years before 1000.
    """
    encoded = column.combine_chunks().dictionary_encode()  # days repeat: each is read once
    text = pa.chunked_array([encoded.dictionary])
    text = _english_months(text) if re.search("%[bB]", date_format) else text
    read = pc.coalesce(*(_read(text, each) for each in date_format.split("|")))
    return read.take(encoded.indices)


def _read(column: pa.ChunkedArray, date_format: str) -> pa.ChunkedArray:
    if date_format == "iso":
        dates = _read_iso(column)
    elif date_format == "quarter":
        dates = pc.strptime(_first_month(column), format="%Y-%m", unit="s", error_is_null=True)
    else:
        dates = pc.strptime(column, format=date_format, unit="s", error_is_null=True)
        dates = _without_overflow(column, dates, date_format)
    dates = dates.cast(pa.timestamp("s"))
    return pc.if_else(pc.less(pc.year(dates), 1000), pa.scalar(None, dates.type), dates)


def _read_iso(column: pa.ChunkedArray) -> pa.ChunkedArray:
    none = pa.scalar(None, pa.string())
    cells = pc.if_else(pc.match_substring_regex(column, _ISO), column, none)
    days = pc.strptime(pc.utf8_slice_codeunits(cells, 0, 10), format="%Y-%m-%d", unit="s", error_is_null=True)
    days = _without_overflow(cells, days, "%Y-%m-%d")
    cells = pc.if_else(pc.is_valid(days), cells, none)
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            return cells.cast(kind).cast(pa.timestamp(kind.unit)).cast(pa.timestamp("s"), safe=False)
        except pa.ArrowInvalid:
            continue
    return days


def _without_overflow(text: pa.ChunkedArray, dates: pa.ChunkedArray, date_format: str) -> pa.ChunkedArray:
    """Null for the 31st of February, which strptime takes for a day of March."""
    if "%d" not in date_format or "%z" in date_format:
        return dates
    before = re.escape(date_format[: date_format.index("%d")])
    for code, spelled in (("%Y", r"\d{4}"), ("%m", r"\d{1,2}"), ("%b", r"\pL+"), ("%B", r"\pL+"), ("%a", r"\pL+")):
        before = before.replace(re.escape(code), spelled)
    written = pc.struct_field(pc.extract_regex(text, rf"^{before} ?(?P<day>\d{{1,2}})"), "day").cast(pa.int64())
    return pc.if_else(pc.equal(written, pc.day(dates)), dates, pa.scalar(None, dates.type))


def _first_month(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """2006Q2 and Q2 2006 as 2006-04."""
    cells = pc.if_else(pc.match_substring_regex(column, _QUARTER), column, pa.scalar(None, pa.string()))
    cells = pc.replace_substring_regex(cells, r"^(\d{4})[-/ ]?[QqTt]([1-4])$", r"\1-Q\2")
    cells = pc.replace_substring_regex(cells, r"^[QqTt]([1-4])[-/ ]?(\d{4})$", r"\2-Q\1")
    for quarter, month in (("Q1", "01"), ("Q2", "04"), ("Q3", "07"), ("Q4", "10")):
        cells = pc.replace_substring(cells, quarter, month)
    return cells


def _english_months(column: pa.ChunkedArray) -> pa.ChunkedArray:
    every = "|".join(_MONTH_NAMES.values())
    if not pc.any(pc.match_substring_regex(column, _AMONG_WORDS.format(every))).as_py():
        return column
    for english, others in _MONTH_NAMES.items():
        column = pc.replace_substring_regex(column, _AMONG_WORDS.format(others), rf"\1{english}\2")
    return column
