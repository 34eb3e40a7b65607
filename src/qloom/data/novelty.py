"""What training has seen of each column, and what of the rows to predict it has not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Cells = Any  # a numpy array of numbers or dates, or an Arrow column of text
_MOST_LEVELS = 10_000


@dataclass(frozen=True)
class SeenColumn:
    """What training had of a column.

    Attributes:
        name: the column.
        low, high: the ends of its numbers, or of its dates in seconds since 1970; None for text.
        levels: its different texts; None for numbers, free text and more than 10,000.
        is_date: whether the ends are times.
        missing: whether a cell was missing.
    """

    name: str
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] | None = None
    is_date: bool = False
    missing: bool = False

    def novelties(self, cells: Cells) -> list[tuple[np.ndarray, Any]]:
        """What is new in cells: which rows, (B,) of booleans, and what to say of them, a text or one text a row."""
        if isinstance(cells, np.ndarray):
            return self._new_numbers(cells)
        absent = np.asarray(pc.is_null(cells).to_numpy())
        if self.levels is None:
            return []
        known = np.asarray(pc.is_in(cells, value_set=pa.array(self.levels, pa.string())).to_numpy())
        unknown = pc.binary_join_element_wise(f"{self.name} '", pc.fill_null(cells, ""), "' is unknown", "")
        return [(~known & ~absent, unknown), *self._absent(absent)]

    def _new_numbers(self, cells: np.ndarray) -> list[tuple[np.ndarray, Any]]:
        absent = np.isnat(cells) if cells.dtype.kind == "M" else np.isnan(cells)
        if self.low is None or self.high is None:
            return [(~absent, f"{self.name} was empty in training")]
        values = np.where(absent, self.low, cells.astype(np.int64) if cells.dtype.kind == "M" else cells)
        return [
            (values < self.low, f"{self.name} is below {self._spoken(self.low)}"),
            (values > self.high, f"{self.name} is above {self._spoken(self.high)}"),
            *self._absent(absent),
        ]

    def _absent(self, absent: np.ndarray) -> list[tuple[np.ndarray, Any]]:
        return [] if self.missing else [(absent, f"{self.name} is missing")]

    def _spoken(self, end: float) -> str:
        return str(np.datetime64(int(end), "s")).removesuffix("T00:00:00") if self.is_date else f"{end:.6g}"


def learn_column(name: str, cells: Cells, *, free_text: bool = False) -> SeenColumn:
    """What training cells have: numbers with NaN, dates with NaT, or text."""
    if not isinstance(cells, np.ndarray):
        found = pc.unique(cells.drop_null())
        levels = None if free_text else kept_levels(found.to_pylist())
        return SeenColumn(name, levels=levels, missing=cells.null_count > 0)
    is_date = cells.dtype.kind == "M"
    absent = np.isnat(cells) if is_date else np.isnan(cells)
    present = cells[~absent].astype(np.int64 if is_date else np.float64)
    low, high = (float(present.min()), float(present.max())) if len(present) else (None, None)
    return SeenColumn(name, low, high, is_date=is_date, missing=bool(absent.any()))


def kept_levels(levels: Collection[str]) -> tuple[str, ...] | None:
    """The levels of a category in order; None where they are too many to keep."""
    return None if len(levels) > _MOST_LEVELS else tuple(sorted(levels))


@dataclass(frozen=True)
class Novelties:
    """What was new in rows.

    Attributes:
        texts: what is new in each row, "" for nothing, (B,).
        summary: one line a kind of news, of most rows first.
    """

    texts: pa.Array
    summary: tuple[str, ...]

    @property
    def n_rows(self) -> int:
        """Rows with something new."""
        return int(pc.sum(pc.not_equal(self.texts, "")).as_py() or 0)


def find_novelties(seen: tuple[SeenColumn, ...], cells: Mapping[str, Cells], n_rows: int) -> Novelties:
    """What in cells, by column, training has not seen."""
    texts, counts = pa.array([""] * n_rows, pa.string()), []
    for column in seen:
        if _is_empty(cells[column.name]):
            counts.append((n_rows, f"column {column.name!r} is empty"))
            continue
        for where, text in column.novelties(cells[column.name]):
            if where.any():
                texts = _added(texts, where, text)
                counts.append((int(where.sum()), f"{_example(where, text)} in {where.sum()} of {n_rows} rows"))
    return Novelties(texts, tuple(line for _, line in sorted(counts, key=lambda entry: -entry[0])))


def _added(texts: Any, where: np.ndarray, text: Any) -> Any:
    """Texts with one more in some rows, after a semicolon where there is one already."""
    first = pc.equal(texts, "")
    added = pc.if_else(first, text, pc.binary_join_element_wise(texts, text, "; "))
    joined = pc.if_else(pa.array(where), added, texts)
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _is_empty(cells: Cells) -> bool:
    if isinstance(cells, np.ndarray):
        return bool((np.isnat(cells) if cells.dtype.kind == "M" else np.isnan(cells)).all())
    return bool(cells.null_count == len(cells))


def _example(where: np.ndarray, text: Any) -> str:
    return text if isinstance(text, str) else str(text[int(np.argmax(where))].as_py())


def seen_to_json(seen: tuple[SeenColumn, ...] | None) -> list[dict[str, Any]] | None:
    """Plain JSON values."""
    return None if seen is None else [asdict(column) for column in seen]


def seen_from_json(record: list[dict[str, Any]] | None) -> tuple[SeenColumn, ...] | None:
    """What `seen_to_json` wrote; None for preprocessing saved before there was any."""
    if record is None:
        return None
    return tuple(
        SeenColumn(**{**entry, "levels": None if entry["levels"] is None else tuple(entry["levels"])})
        for entry in record
    )
