"""The kind of a column, found from all of its cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cells import is_date, is_number, is_text, numbers_from_text
from qloom.data.schema import Column
from qloom.data.written_dates import find_dates, read_dates
from qloom.data.written_numbers import FoundNumbers, NumberFormat, find_numbers, may_be_thousands, read_numbers

BOOLEAN_WORDS = ({"no", "yes"}, {"n", "y"}, {"false", "true"}, {"f", "t"}, {"off", "on"})
_ID_NAME = re.compile(r"(?i:^(index|key|(.*[ _.-])?(id|uuid|guid))$)|[a-z]I[dD]$")
_CODE_NAME = re.compile(r"(?i:^(.*[ _.-])?(id|code|zip|zipcode|plz|postcode|sku)$)|[a-z](I[dD]|Code|Zip)$")
_FEW_ROWS = 50
_FEWEST_NUMBERS_AMONG_WORDS = 20
_FIRST_DAY, _LAST_DAY = 1800_01_01, 2199_12_31


@dataclass(frozen=True)
class Kind:
    """What was found about a column's cells.

    Attributes:
        kind: one of `schema.KINDS`.
        dropped: why it is no feature; empty for a feature.
        date_format, number_format: as in `Column`.
        notes: one-line findings that say how else it could be read.
        warnings: one-line findings that call for a decision.
    """

    kind: str
    dropped: str = ""
    date_format: str | None = None
    number_format: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def find_kind(cells: pa.ChunkedArray, name: str, n_distinct: int, hint: str = "") -> Kind:
    """The kind of a plain column.

    Args:
        cells: all of them.
        name: of the column.
        n_distinct: distinct present cells.
        hint: the decimal mark of the table's other columns; empty if they have none.
    """
    kind = cells.type
    if not is_supported(kind):
        return Kind("unsupported", f"type {kind} is not supported")
    if n_distinct == 0:
        return Kind("constant", "every cell is missing")
    if n_distinct == 1 and not cells.null_count:
        return Kind("constant", f"every cell is {cells[0].as_py()!r}")
    if pa.types.is_boolean(kind):
        return Kind("boolean")
    if is_date(kind):
        return Kind("date")
    return _number_kind(cells, name, n_distinct) if is_number(kind) else _text_kind(cells, name, n_distinct, hint)


def is_supported(kind: pa.DataType) -> bool:
    """Whether cells of this type can be learnt from."""
    known = is_text(kind) or is_number(kind) or is_date(kind)
    return bool(known or pa.types.is_boolean(kind) or pa.types.is_null(kind))


# -- numbers


def _number_kind(cells: pa.ChunkedArray, name: str, n_distinct: int) -> Kind:
    if _is_running(cells, name, n_distinct):
        return Kind("identifier", f"{n_distinct} distinct whole numbers that run through the rows")
    if _are_days(cells, n_distinct):
        return Kind("date", date_format="%Y%m%d")
    if _CODE_NAME.search(name) and 2 * n_distinct <= len(cells) and are_whole(cells):
        return Kind("category")
    return Kind("number")


def _is_running(cells: pa.ChunkedArray, name: str, n_distinct: int) -> bool:
    """Whether whole numbers only number the rows: all distinct and filling at least half of their range.

    Below 50 rows, where chance could do that, and for sparser ranges, the name must also say so. Floats never
    qualify.
    """
    if not pa.types.is_integer(cells.type) or n_distinct < len(cells):
        return False
    values = cells.to_numpy()
    named = bool(_ID_NAME.search(name))
    return named or fill_range(n_distinct, float(values.min()), float(values.max()))


def fill_range(n_distinct: int, low: float, high: float) -> bool:
    """Whether different whole numbers are many and fill at least half of the range between their ends."""
    return n_distinct / (high - low + 1) >= 0.5 and n_distinct >= _FEW_ROWS


def are_whole(cells: pa.ChunkedArray) -> bool:
    """Whether all numbers are whole, whatever type holds them."""
    if pa.types.is_integer(cells.type):
        return True
    return bool(pc.all(pc.equal(pc.round(cells), cells)).as_py())


def _are_days(cells: pa.ChunkedArray, n_distinct: int) -> bool:
    """Whether at least three whole numbers are all days written as 20060602."""
    bounds = pc.min_max(cells)
    if n_distinct < 3 or bounds["min"].as_py() < _FIRST_DAY or bounds["max"].as_py() > _LAST_DAY:
        return False
    return are_whole(cells) and not read_dates(digits_of(cells), "%Y%m%d").null_count > cells.null_count


def digits_of(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers as text, without the .0 of floats."""
    return cells.cast(pa.int64(), safe=False).cast(pa.string())


# -- text


def _text_kind(cells: pa.ChunkedArray, name: str, n_distinct: int, hint: str) -> Kind:
    spelled = numbers_from_text(cells)
    if spelled is not None and not may_be_thousands(cells):
        return _number_kind(spelled, name, int(pc.count_distinct(spelled, mode="only_valid").as_py()))
    if found := _date_kind(cells, name, n_distinct):
        return found
    if n_distinct == 2 and {word.lower() for word in pc.unique(cells.drop_null()).to_pylist()} in BOOLEAN_WORDS:
        return Kind("boolean")
    numbers = find_numbers(cells, hint)
    if numbers and _are_numbers(cells, numbers):
        return _written_kind(cells, name, numbers)
    words = _word_kind(cells.drop_null(), name, n_distinct)
    return replace(words, warnings=_doubts(cells, name, numbers)) if numbers else words


def _date_kind(cells: pa.ChunkedArray, name: str, n_distinct: int) -> Kind | None:
    """Dates, with few words among them: at most a tenth of the distinct cells, and not all but a tenth of the cells."""
    found = find_dates(cells)
    if found is None:
        return None
    n_present = len(cells) - cells.null_count
    words = unread(cells, read_dates(cells, found.format))
    n_words = int(pc.count_distinct(words).as_py()) if len(words) else 0
    if n_words > max(0.1 * n_distinct, 1) or found.n_words > 0.9 * n_present:
        return None
    notes = words_note(cells, words, name, "dates")
    if found.other:
        example = _told_apart(cells, found.format, found.other)
        notes += (
            f"column {name!r} is read as {found.format} ({example[0]} is {example[1]}); "
            f"if {found.other} is meant: kinds={{{name!r}: 'date:{found.other}'}}",
        )
    return Kind("date", date_format=found.format, notes=notes)


def _told_apart(cells: pa.ChunkedArray, first: str, second: str) -> tuple[str, str]:
    """A cell that two formats read as two dates, and the date by the first."""
    one, other = read_dates(cells, first), read_dates(cells, second)
    place = int(pc.index(pc.fill_null(pc.not_equal(one, other), False), True).as_py())
    return str(cells[place].as_py()), f"{one[place].as_py():%Y-%m-%d}"


def _are_numbers(cells: pa.ChunkedArray, found: FoundNumbers) -> bool:
    """Whether the words among written numbers are few and no codes: without digits, beside many distinct numbers."""
    if found.format is None:
        return False
    if not found.n_words:
        return True
    read = read_numbers(cells, found.format)
    words = unread(cells, read)
    coded = pc.any(pc.match_substring_regex(words, r"\d")).as_py()
    n_numbers = int(pc.count_distinct(read, mode="only_valid").as_py())
    n_present = len(cells) - cells.null_count
    return not coded and n_numbers >= _FEWEST_NUMBERS_AMONG_WORDS and 2 * found.n_words <= n_present


def _written_kind(cells: pa.ChunkedArray, name: str, found: FoundNumbers) -> Kind:
    assert found.format is not None
    read = read_numbers(cells, found.format)
    kind = _number_kind(read, name, int(pc.count_distinct(read, mode="only_valid").as_py()))
    if kind.kind != "number":
        return kind
    notes = words_note(cells, unread(cells, read), name, "numbers")
    if found.either:
        notes += (_either_note(name, found.either, found.format),)
    if found.n_bare:
        notes += (f"column {name!r}: {found.n_bare} numbers without {found.units[0]} count as {found.units[0]}",)
    return Kind("number", number_format=found.format.pattern, notes=notes)


def _either_note(name: str, cell: str, chosen: NumberFormat) -> str:
    other = replace(chosen, decimal="." if chosen.decimal == "," else ",")
    value = read_numbers(pa.chunked_array([[cell]]), replace(chosen, unit=""))[0].as_py()
    return f"column {name!r}: {cell} is read as {value}; if not so: kinds={{{name!r}: 'number:{other.pattern}'}}"


def _doubts(cells: pa.ChunkedArray, name: str, found: FoundNumbers) -> tuple[str, ...]:
    n_present = len(cells) - cells.null_count
    if found.format is None:
        shown = ", ".join(found.units[:5]) + (", ..." if len(found.units) > 5 else "")
        named = any(len(unit) > 1 for unit in found.units)
        told = f"column {name!r} holds numbers in several units ({shown}) and stays a category; bring them to one unit"
        return (told,) if named and found.n_words <= 0.1 * n_present else ()
    share = 1 - found.n_words / n_present
    if share < 0.5:
        return ()
    return (
        f"column {name!r} is text although {share:.0%} of its cells are numbers; kinds={{{name!r}: 'number'}} "
        "takes the others as missing",
    )


def _word_kind(present: pa.ChunkedArray, name: str, n_distinct: int) -> Kind:
    share = n_distinct / len(present)
    length = float(pc.mean(pc.utf8_length(present)).as_py())
    spaces = float(pc.mean(pc.count_substring(present, " ")).as_py())
    if share >= 0.5 and (length > 60 or spaces >= 3) and n_distinct >= 5:
        few = len(present) < _FEW_ROWS
        return Kind("text", f"free text in {len(present)} rows, too few to learn words from" if few else "")
    unique = share >= 0.95 and len(present) >= _FEW_ROWS
    if unique or (share == 1 and len(present) > 2 and _ID_NAME.search(name)):
        return Kind("identifier", f"{n_distinct} distinct names in {len(present)} cells")
    return Kind("category")


def unread(cells: pa.ChunkedArray, read: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells that hold something and are missing where they were read."""
    return cells.filter(pc.and_(pc.is_null(read), pc.is_valid(cells)))


def words_note(cells: pa.ChunkedArray, words: pa.ChunkedArray, name: str, what: str) -> tuple[str, ...]:
    """A note of the words that stand among a column's numbers or dates, the most frequent first; none without them."""
    if not len(words):
        return ()
    counts = sorted(pc.value_counts(words).to_pylist(), key=lambda c: (-c["counts"], c["values"]))
    shown = ", ".join(f"{c['values'][:30]!r} {c['counts']}" for c in counts[:2]) + (", ..." if len(counts) > 2 else "")
    return (
        f"column {name!r} holds {what} but for {len(words)} of {len(cells)} cells ({shown}), which count as missing; "
        f"to keep the words: kinds={{{name!r}: 'category'}}",
    )


# -- cells with the types that were recognised


def typed_cells(cells: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """A plain column with its recognised type: text and whole numbers that are numbers or dates become those."""
    if column.kind == "date" and column.date_format and not is_date(cells.type):
        return read_dates(cells if is_text(cells.type) else digits_of(cells), column.date_format)
    if column.kind == "number" and is_text(cells.type):
        if column.number_format:
            return read_numbers(cells, NumberFormat.of(column.number_format))
        spelled = numbers_from_text(cells)
        return cells if spelled is None else spelled
    return cells
