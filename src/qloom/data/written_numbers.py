"""Numbers as people write them: 1.097,98, $7,186.31, 48.8%, (1,234), 1 234,5, 12 kg.

One convention a column: which mark is the decimal one, and which unit stands beside the numbers. It is kept as an
example, "1.234,5" or "1,234.5 kg", which people can read and give.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from qloom.errors import ConfigError

_CODES = (
    "AED|ARS|AUD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|JPY|KES|KRW|MXN|MYR|NGN|NOK|NZD|PHP|PLN"
    "|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
_CURRENCY = rf"(?:[A-Z]{{0,3}}[$€£¥₹₽₩₺฿₪₫₴¢]|{_CODES}|Rs\.?|kr\.?|Fr\.?|zł|R\$)"
_UNIT = r"[^\d\s.,()':/#&;=<>+*\-][^\s()]{0,14}?(?: [^\d\s()+\-][^\s()]{0,9}?)?"
_WHOLE = r"^(?P<open>\()? ?(?P<sign>[+-]?) ?(?P<before>{before})? ?(?P<late>[+-]?) ?(?P<body>{body})"
_WHOLE += r"(?P<power>[eE][+-]?\d+)? ?(?P<after>{after})?(?P<behind>-?) ?(?P<close>\))?$"
_ANY_BODY = r"\d[\d., ']*\d|\d[.,]?|[.,]\d+"
_BODY = r"(?:[1-9]\d{{0,2}}(?:{group}\d{{2,3}})*{group}\d{{3}}|\d+)(?:{decimal}\d*)?|{decimal}\d+"
_GROUPS = {".": "[,' ]", ",": "[.' ]"}
_EITHER = r"^[1-9]\d{0,2}[.,]\d{3}$"
_SHAPE = re.compile(r"(?P<before>\D*)1(?P<group>[ ,.']?)234(?P<decimal>[.,])5(?P<after>.*)")
_SAMPLE = 200


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    Attributes:
        decimal: "." or ","; the other one, spaces and apostrophes separate thousands.
        unit: what stands before or behind the numbers, such as "€", "%" or "km/h"; empty for none.
    """

    decimal: str
    unit: str = ""

    @property
    def pattern(self) -> str:
        """The number 1234.5 written so."""
        number = "1,234.5" if self.decimal == "." else "1.234,5"
        if re.fullmatch(_CURRENCY, self.unit):
            return f"{self.unit}{number}" if len(self.unit) == 1 else f"{self.unit} {number}"
        return f"{number} {self.unit}".strip()

    @classmethod
    def of(cls, pattern: str) -> NumberFormat:
        """The format whose `pattern` this is.

        Raises:
            ConfigError: for text that does not spell 1234.5.
        """
        shape = _SHAPE.fullmatch(pattern.strip())
        if shape is None or shape["group"] == shape["decimal"]:
            raise ConfigError(
                f"the numbers are said to be written like {pattern!r}, expected 1234.5 in that form; "
                "write 1.234,5 or 1,234.5, with the unit if there is one"
            )
        return cls(shape["decimal"], (shape["before"] + shape["after"]).strip())


@dataclass(frozen=True)
class FoundNumbers:
    """What the cells of a text column say about its numbers.

    Attributes:
        format: the convention found; None if the numbers carry several units.
        either: a cell that another decimal mark would read as another number; empty if there is no doubt.
        decided: whether a cell shows which mark is the decimal one.
        n_words: present cells that are no numbers.
        n_bare: numbers without the unit of the others.
        units: all units found, the most frequent first.
    """

    format: NumberFormat | None
    either: str
    decided: bool
    n_words: int
    n_bare: int
    units: tuple[str, ...]


def find_numbers(column: pa.ChunkedArray, hint: str = "") -> FoundNumbers | None:
    """The convention of a text column, decided by all of its cells; None if few of them are numbers.

    Where every cell could be read with either mark (7.186), `hint`, the decimal mark of the table's other columns,
    decides; without one a comma separates thousands, and a point does where the cells without one stay below 1000.
    """
    present = _plain_marks(column.drop_null())
    words = pc.unique(present)
    sample = words[:: max(1, len(words) // _SAMPLE)]
    pattern = _whole(_CURRENCY, _ANY_BODY, _UNIT)
    if not len(sample) or pc.sum(pc.match_substring_regex(sample, pattern)).as_py() < 0.5 * len(sample):
        return None
    parts = pc.extract_regex(present, pattern)
    found = parts.filter(pc.is_valid(parts))
    body, before, after = (pc.struct_field(found, name) for name in ("body", "before", "after"))
    units = _ranked(pc.binary_join_element_wise(before, after, ""))
    n_bare = units.pop("", 0)
    if not len(found):
        return None
    decimal, either = _find_decimal(body, hint)
    if not decimal:
        return None
    several = len({unit.casefold() for unit in units}) > 1
    number_format = None if several else NumberFormat(decimal, next(iter(units), ""))
    n_numbers = len(found) if number_format is None else _count_numbers(present, number_format)
    decided = not either and bool(pc.any(pc.match_substring_regex(body, "[.,]")).as_py())
    return FoundNumbers(number_format, either, decided, len(present) - n_numbers, n_bare if units else 0, tuple(units))


def read_numbers(column: pa.ChunkedArray, number_format: NumberFormat) -> pa.ChunkedArray:
    """The numbers of a text column (int64, else float64), null where a cell is none."""
    unit = number_format.unit
    spelled = f"(?i:{re.escape(unit)})" if unit else "[^\\s\\S]"
    currency = _CURRENCY if re.fullmatch(_CURRENCY, unit) else spelled
    pattern = _whole(currency if unit else spelled, _body(number_format.decimal), spelled)
    parts = pc.extract_regex(_plain_marks(column), pattern)
    open_, sign, late, body, power, behind = (
        pc.struct_field(parts, name) for name in ("open", "sign", "late", "body", "power", "behind")
    )
    negative = pc.equal(open_, "(")
    for mark in (sign, late, behind):
        negative = pc.or_(negative, pc.equal(mark, "-"))
    digits = pc.replace_substring_regex(body, _GROUPS[number_format.decimal], "")
    digits = pc.replace_substring(digits, number_format.decimal, ".")
    text = pc.binary_join_element_wise(pc.if_else(negative, "-", ""), digits, power, "")
    text = pc.if_else(pc.is_valid(parts), text, pa.scalar(None, pa.string()))
    try:
        return text.cast(pa.int64())
    except pa.ArrowInvalid:
        return text.cast(pa.float64())


def may_be_thousands(column: pa.ChunkedArray) -> bool:
    """Whether all marks of a text column of numbers could be decimal as well as thousands (7.186)."""
    present = column.drop_null()
    marked = present.filter(pc.match_substring_regex(present, "[.,eE]"))
    return bool(len(marked)) and bool(pc.all(pc.match_substring_regex(marked, r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$")).as_py())


def _plain_marks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells with plain spaces, hyphens and apostrophes in place of their typographic kin."""
    if not pc.any(pc.match_substring_regex(column, "[\u00a0\u202f\u2009\u2212\u2013\u2019]")).as_py():
        return column
    column = pc.replace_substring_regex(column, "[\u00a0\u202f\u2009]", " ")
    column = pc.replace_substring_regex(column, "[\u2212\u2013]", "-")
    return pc.replace_substring(column, "\u2019", "'")


def _whole(before: str, body: str, after: str) -> str:
    return _WHOLE.format(before=before, body=body, after=after)


def _body(decimal: str) -> str:
    return _BODY.format(group=_GROUPS[decimal], decimal=re.escape(decimal))


def _ranked(words: pa.ChunkedArray) -> dict[str, int]:
    counts = pc.value_counts(words).to_pylist()
    return {c["values"]: c["counts"] for c in sorted(counts, key=lambda c: (-c["counts"], c["values"]))}


def _count_numbers(present: pa.ChunkedArray, number_format: NumberFormat) -> int:
    numbers = read_numbers(present, number_format)
    return len(numbers) - int(numbers.null_count)


def _find_decimal(body: pa.ChunkedArray, hint: str) -> tuple[str, str]:
    """The decimal mark that reads the most cells, and a cell in doubt if both read all."""
    fits = {mark: int(pc.sum(pc.match_substring_regex(body, f"^(?:{_body(mark)})$")).as_py()) for mark in ".,"}
    if not max(fits.values()):
        return "", ""
    if fits["."] != fits[","]:
        return max(fits, key=lambda mark: fits[mark]), ""
    doubtful = body.filter(pc.match_substring_regex(body, _EITHER))
    if not len(doubtful):
        return hint or ".", ""
    return hint or _likelier(body, doubtful), str(doubtful[0].as_py())


def _likelier(body: pa.ChunkedArray, doubtful: pa.ChunkedArray) -> str:
    """A comma before three digits separates thousands; a point does if the cells without one are below 1000."""
    if pc.any(pc.match_substring(doubtful, ",")).as_py():
        return "."
    bare = body.filter(pc.match_substring_regex(body, r"^\d+$"))
    small = pc.all(pc.match_substring_regex(bare, r"^\d{1,3}$")).as_py()
    return "," if small and 10 * len(bare) >= len(body) else "."
