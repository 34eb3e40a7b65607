"""Tables as bits and back, for models that learn distributions over bit strings; learnt once, saved as plain JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.checks import is_integer
from qloom.data.cells import plain_column
from qloom.data.coded_column import CodedColumn, fit_column, why_left_out
from qloom.data.columns import require_columns
from qloom.data.novelty import Novelties, SeenColumn, find_novelties, learn_column, seen_from_json, seen_to_json
from qloom.data.recognition import find_columns
from qloom.data.schema import Column, read_record
from qloom.data.sources import read_table
from qloom.errors import ArtifactError, ConfigError, DataError

HEADING = {"format": "qloom-bit-coding", "version": 1}
CATEGORIES = ("one-hot", "binary")
_SLICE = 65_536  # rows read back at a time


class BitCoding:
    """Turns the rows of a table into bits and bits into rows; learnt from training rows only.

    - Number, date: at most `bins` bins of about as many rows each, in Gray code; a few distinct numbers are a bin each.
      What comes back is drawn within the bin.
    - Category, boolean: one-hot or binary; levels that are rare are one value together. Two
      levels are one bit.
    - Where cells are missing, a bit more says so.
    - A column that is the same in every row has no bits and comes back as it is. Identifiers and free text are left
      out.

    Every column is drawn by itself, so no row is copied as a whole; rows of few and frequent values may be equal to
    training rows all the same. Numbers come back as numbers and dates as dates, however the table wrote them.

    Args:
        bins: of numbers and dates, at least 2.
        categories: "one-hot" or "binary".
        max_levels: values a category has at most, at least 2.
        min_rows: a level of fewer training rows never comes back.

    Attributes:
        columns: as they are coded, in the order of the table.
        notes: one-line findings.
        seen: what training had of each.

    Raises:
        ConfigError: for options that cannot be.
    """

    def __init__(self, *, bins: int = 8, categories: str = "one-hot", max_levels: int = 16, min_rows: int = 5) -> None:
        for name, value, least in (("bins", bins, 2), ("max_levels", max_levels, 2), ("min_rows", min_rows, 1)):
            if not is_integer(value) or value < least:
                raise ConfigError(f"{name}={value!r}, expected an integer of at least {least}")
        if categories not in CATEGORIES:
            raise ConfigError(f"categories={categories!r}, expected {' or '.join(CATEGORIES)}")
        self.bins, self.categories, self.max_levels, self.min_rows = bins, categories, max_levels, min_rows
        self._columns: tuple[CodedColumn, ...] | None = None
        self.notes: tuple[str, ...] = ()
        self.seen: tuple[SeenColumn, ...] = ()

    def fit(self, table: Any, columns: Sequence[Column] | None = None) -> BitCoding:
        """Learn from the rows of a table.

        Args:
            table: anything `read_table` takes.
            columns: those of a `Schema`; found in this table if not given.

        Raises:
            DataError: for fewer than two rows, or no column that varies.
        """
        table = read_table(table)
        if table.num_rows < 2:
            raise DataError(f"{table.num_rows} row, expected two or more: a model of one row could only copy it")
        if columns is None:
            columns = [column for column, _ in find_columns(table, None, (), {})]
        require_columns(table, [column.name for column in columns], "to be coded")
        left_out = {each.name: why for each in columns if (why := why_left_out(each))}
        coded = [
            fit_column(plain_column(table[column.name]), column, self.settings())
            for column in columns
            if column.name not in left_out
        ]
        if not any(column.book.n_bits for column in coded):
            what = f"; left out are {', '.join(map(repr, left_out))}" if left_out else ""
            raise DataError(f"no column of {len(columns)} can be coded and varies, expected at least one{what}")
        self._columns = tuple(coded)
        self.seen = tuple(learn_column(column.name, column.read(table)) for column in coded)
        self.notes = (
            *(f"column {name!r} is left out: {why}" for name, why in left_out.items()),
            *(note for column in coded if (note := column.note(self.min_rows))),
        )
        return self

    @property
    def columns(self) -> tuple[CodedColumn, ...]:
        """As they are coded, in the order of the table."""
        if self._columns is None:
            raise DataError("this BitCoding has learnt nothing yet, expected a fitted one; call fit first")
        return self._columns

    @property
    def n_bits(self) -> int:
        """Of a row, n."""
        return sum(column.book.n_bits for column in self.columns)

    def places(self) -> Iterator[tuple[CodedColumn, slice]]:
        """Each column with the places of its bits."""
        first = 0
        for column in self.columns:
            last = first + column.book.n_bits
            yield column, slice(first, last)
            first = last

    def encode(self, table: Any) -> np.ndarray:
        """Rows as bits. Shapes: N rows -> uint8 (N, n).

        Raises:
            DataError: for a cell that training had nothing like: a level, or none where all had one.
        """
        bits, strange = self.coded(table)
        for name, rows in strange.items():
            raise DataError(
                f"column {name!r} holds what training had not in {int(rows.sum())} of {len(rows)} rows, expected its "
                "levels, and cells where all had one; drop these rows"
            )
        return bits

    def coded(self, table: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Rows as bits, and by column which rows hold a cell that training had nothing like; their bits are zeros.

        Shapes: N rows -> uint8 (N, n), bool (N,) each.

        Raises:
            DataError: for a missing column, or cells of another kind.
        """
        table = read_table(table)
        require_columns(table, [column.name for column in self.columns], "by the coding")
        bits, strange = np.zeros((table.num_rows, self.n_bits), np.uint8), {}
        for column, place in self.places():
            values = column.values(table)
            known = values >= 0
            bits[known, place] = column.book.codes[values[known]]
            if not known.all():
                strange[column.name] = ~known
        return bits, strange

    def novelties(self, table: pa.Table) -> Novelties:
        """What of the rows of a table training has not seen."""
        require_columns(table, [column.name for column in self.columns], "by the coding")
        cells = {column.name: column.read(table) for column in self.columns}
        return find_novelties(self.seen, cells, table.num_rows)

    def decode(self, bits: Any, random: Any = None) -> pa.Table:
        """Bits as rows. Where bits are no pattern that training had, the nearest one is read.

        Args:
            bits: of 0 and 1, (N, n).
            random: seed or generator of what is drawn.

        Raises:
            DataError: for another number of bits.
        """
        bits, generator = self._checked(bits), np.random.default_rng(random)
        parts = []
        for start in range(0, len(bits), _SLICE):
            part = bits[start : start + _SLICE]
            values = {column: column.book.read(part[:, place], generator) for column, place in self.places()}
            parts.append(pa.table({column.name: column.draw(found, generator) for column, found in values.items()}))
        return pa.concat_tables(parts)

    def repaired(self, bits: Any) -> dict[str, float]:
        """The share of rows whose bits are no pattern that training had, by column, where there are any."""
        bits = self._checked(bits)
        shares = {column.name: float(1 - column.book.known(bits[:, place]).mean()) for column, place in self.places()}
        return {name: share for name, share in shares.items() if share}

    def _checked(self, bits: Any) -> np.ndarray:
        rows = np.asarray(bits)
        if rows.ndim != 2 or rows.shape[1] != self.n_bits or not len(rows):
            raise DataError(f"bits have shape {rows.shape}, expected (N, {self.n_bits}), at least one row")
        return rows

    def smaller(self, table: Any, columns: Sequence[Column], most: int) -> BitCoding | None:
        """A coding of the same columns in at most so many bits, the finest of a few coarser ones; None if none is."""
        for bins, levels in ((self.bins, self.max_levels), (4, self.max_levels), (2, self.max_levels), (2, 4), (2, 2)):
            sizes = {"bins": min(bins, self.bins), "max_levels": min(levels, self.max_levels)}
            coarser = BitCoding(**sizes, categories="binary", min_rows=self.min_rows)
            if coarser.fit(table, columns).n_bits <= most:
                return coarser
        return None

    def settings(self) -> dict[str, Any]:
        """What it was made with."""
        return {name: getattr(self, name) for name in ("bins", "categories", "max_levels", "min_rows")}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, versioned; `from_json` gives the same bits and, with one seed, the same rows."""
        columns = [column.to_json() for column in self.columns]
        found = {"columns": columns, "notes": list(self.notes), "seen": seen_to_json(self.seen)}
        return {**HEADING, "settings": self.settings(), **found}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> BitCoding:
        """The coding that `to_json` wrote.

        Raises:
            ArtifactError: for a record of another format or version, or a damaged one.
        """
        fields = read_record(record, HEADING["format"], HEADING["version"])  # type: ignore[arg-type]
        try:
            made = cls(**fields["settings"])
            made._columns = tuple(CodedColumn.from_json(column) for column in fields["columns"])
            made.notes, made.seen = tuple(fields["notes"]), seen_from_json(fields["seen"]) or ()
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"the coding is damaged ({error}), expected version 1; save it again") from None
        return made
