"""A column of a table as bits: its values, the patterns they have, and cells for patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import category_words
from qloom.data.cells import dates, is_date, is_number, numbers, plain_column
from qloom.data.code_books import CodeBook
from qloom.data.coded_cells import LevelCells, NumberCells, fit_levels, fit_numbers
from qloom.data.schema import Column

LEFT_OUT = {"identifier": "it names rows", "text": "free text", "unsupported": "its type is not supported"}


@dataclass(frozen=True)
class CodedColumn:
    """A column as bits.

    Attributes:
        name: of the column.
        kind: one of `schema.KINDS`.
        code: "gray", "one-hot" or "binary".
        counts: training rows of each value.
        n_missing: training rows without one.
        cells: what the values are.
    """

    name: str
    kind: str
    code: str
    counts: tuple[int, ...]
    n_missing: int
    cells: NumberCells | LevelCells

    @cached_property
    def book(self) -> CodeBook:
        """The patterns of the values."""
        return CodeBook(self.code, self.counts, self.n_missing)

    @property
    def became(self) -> str:
        """What the column becomes, in words."""
        n_bits, what = self.book.n_bits, "bins" if isinstance(self.cells, NumberCells) else "levels"
        if not n_bits:
            return "nothing: it is the same in every row"
        missing = ", one of them for missing" if self.n_missing else ""
        return f"{n_bits} bit{'s' * (n_bits > 1)}{missing}: {len(self.counts)} {what}, {self.code}"

    def read(self, table: pa.Table) -> Any:
        """Cells as numbers with NaN, dates with NaT, or text."""
        cells, kept = plain_column(table[self.name]), self.cells
        if not isinstance(kept, NumberCells):
            return category_words(cells)
        return (dates if kept.unit else numbers)(cells, self.name, kept.written, kept.has_words)

    def values(self, table: pa.Table) -> np.ndarray:
        """The number of each cell's value, -1 where training had none such. Shapes: N rows -> int64 (N,)."""
        found, missing = self.cells.values(plain_column(table[self.name]), self.name)
        return np.where(missing, len(self.counts) if self.n_missing else -1, found)

    def draw(self, values: np.ndarray, random: np.random.Generator) -> pa.Array:
        """Cells for values; null for missing ones. Shapes: int64 (N,) -> (N,)."""
        missing = values == len(self.counts)
        if not len(self.counts):
            return pa.nulls(len(values), pa.type_for_alias(self.cells.type))
        drawn = self.cells.draw(np.where(missing, 0, values), random)
        return pc.if_else(pa.array(missing), pa.scalar(None, drawn.type), drawn) if missing.any() else drawn

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        cells = {"is": type(self.cells).__name__, **vars(self.cells)}
        return {**{each.name: getattr(self, each.name) for each in fields(self)}, "cells": cells}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> CodedColumn:
        """What `to_json` wrote, also after it has been JSON."""
        made: type[Any] = {"NumberCells": NumberCells, "LevelCells": LevelCells}[record["cells"]["is"]]
        cells = made(**{name: _tuples(value) for name, value in record["cells"].items() if name != "is"})
        return cls(**{**record, "counts": tuple(record["counts"]), "cells": cells})

    def note(self, min_rows: int) -> str:
        """What is lost of it, one line; empty where nothing is said."""
        if not self.book.n_bits:
            return f"column {self.name!r} is the same in every row and comes back so"
        if isinstance(self.cells, NumberCells) or not self.cells.has_rare:
            return ""
        share = self.counts[-1] / (sum(self.counts) + self.n_missing)
        back = f"{len(self.cells.rare)} of them come back" if self.cells.rare else "they come back as '(rare)'"
        return (
            f"column {self.name!r}: levels beyond the {len(self.cells.levels)} most frequent, {share:.2g} of the rows, "
            f"are one value; {back}, those of fewer than {min_rows} rows do not"
        )


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, Sequence) and not isinstance(value, str) else value


def fit_column(cells: pa.ChunkedArray, column: Column, settings: Mapping[str, Any]) -> CodedColumn:
    """The coding of a plain column.

    Args:
        settings: those of `BitCoding`.
    """
    name, kind, n_missing = column.name, column.kind, cells.null_count
    as_date = kind == "date" or (kind == "constant" and is_date(cells.type))
    as_number = kind == "number" or (kind == "constant" and is_number(cells.type))
    if not (as_date or as_number) or n_missing == len(cells):
        levels, counts = fit_levels(cells, settings["max_levels"], settings["min_rows"])
        return CodedColumn(name, kind, settings["categories"], tuple(counts), n_missing, levels)
    written = column.date_format if as_date else column.number_format
    bins, counts = fit_numbers(cells, name, settings["bins"], as_date, written, column.n_words > 0)
    return CodedColumn(name, kind, "gray", tuple(counts), len(cells) - sum(counts), bins)


def why_left_out(column: Column) -> str:
    """Why a column has no bits and does not come back; empty if it has, or if it is the same in every row."""
    if column.kind == "constant":
        return ""
    return column.dropped or LEFT_OUT.get(column.kind, "")
