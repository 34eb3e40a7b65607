"""Training, validation and test rows of a stream: by hash or by time, found for any block alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cells import dates, is_date, is_text, numbers
from qloom.data.columns import require_columns
from qloom.data.row_keys import mixed_keys, table_keys
from qloom.data.splits import check_shares
from qloom.data.streams.quantiles import QuantileSketch
from qloom.data.streams.row_stream import RowStream
from qloom.data.written_dates import find_dates
from qloom.errors import DataError

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class HashParts:
    """Parts by a hash of the row's number, or of cells: rows of equal cells are in one part.

    Attributes:
        validation, test: chances of a row, or of the rows of equal cells, to be there.
        seed: another one deals anew.
        columns: whose cells are hashed; none for the row's number.
        complete: whether these must not be missing.
    """

    validation: float
    test: float
    seed: int
    columns: tuple[str, ...] = ()
    complete: bool = False

    def __call__(self, table: pa.Table, first: int) -> np.ndarray:
        """The part of each row: 0 to train, 1 to validate, 2 to test.

        Args:
            table: some rows, with the columns above.
            first: the number of the first of them in the stream.

        Shapes: B rows -> int8 (B,).
        """
        if self.columns:
            keys = table_keys(self._chosen(table))
        else:
            keys = np.arange(first, first + table.num_rows, dtype=np.uint64)
        dealt = mixed_keys(mixed_keys(keys) ^ mixed_keys(np.array([self.seed + 1], dtype=np.uint64)))
        share = dealt.astype(np.float64) / 2.0**64
        return ((share < self.test + self.validation).astype(np.int8) + (share < self.test)).astype(np.int8)

    def _chosen(self, table: pa.Table) -> pa.Table:
        require_columns(table, self.columns, "to keep rows together")
        chosen = table.select(list(self.columns))
        if self.complete:
            _require_complete(chosen, "group")
        return chosen


def _require_complete(table: pa.Table, what: str) -> None:
    for name in table.column_names:
        if table[name].null_count:
            raise DataError(
                f"{what} column {name!r} is missing in {table[name].null_count} of {table.num_rows} rows of a block, "
                "expected a value in every row; drop these rows or use another split"
            )


def hash_parts(
    *,
    validation: float = 0.15,
    test: float = 0.2,
    seed: int = 0,
    group: str | None = None,
    copies: Sequence[str] = (),
) -> HashParts:
    """Parts by hash: shares come out within chance, whatever the size of blocks.

    Args:
        validation, test: shares of the rows, or of the groups.
        seed: deals anew.
        group: a column; rows of one value are in one part.
        copies: columns; rows equal in all of them are in one part. Not with `group`.

    Raises:
        ConfigError: for shares that leave nothing to train on.
    """
    check_shares(validation, test)
    return HashParts(validation, test, seed, (group,) if group else tuple(copies), complete=group is not None)


@dataclass(frozen=True)
class TimeParts:
    """Parts by time: the last rows test, those before them validate.

    Attributes:
        column: the time of each row.
        cuts: times from which on rows validate, and test; rows of one time are in one part.
        date_format: of text.
    """

    column: str
    cuts: tuple[float, float]
    date_format: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """What is needed of a row."""
        return (self.column,)

    def __call__(self, table: pa.Table, first: int) -> np.ndarray:
        """The part of each row, as `HashParts` has it."""
        require_columns(table, [self.column], "to order the rows")
        _require_complete(table.select([self.column]), "time")
        times = read_times(table[self.column], self.column, self.date_format)
        return (times >= self.cuts[0]).astype(np.int8) + (times >= self.cuts[1]).astype(np.int8)


@dataclass(frozen=True)
class OrderParts:
    """Parts by the order of the rows themselves: the last ones test.

    Attributes:
        cuts: row numbers from which on rows validate, and test.
    """

    cuts: tuple[int, int]
    columns: tuple[str, ...] = ()

    def __call__(self, table: pa.Table, first: int) -> np.ndarray:
        """The part of each row, as `HashParts` has it."""
        rows = np.arange(first, first + table.num_rows)
        return (rows >= self.cuts[0]).astype(np.int8) + (rows >= self.cuts[1]).astype(np.int8)


def time_parts(
    stream: RowStream, column: str | None, *, validation: float = 0.15, test: float = 0.2
) -> TimeParts | OrderParts:
    """Parts by time, cut where a pass over the column finds the quantiles.

    Args:
        stream: the rows.
        column: dates or numbers; None for the order of the rows.
        validation, test: shares of the rows, within the error of the quantiles and what rows of one time allow.

    Raises:
        ConfigError: for shares that leave nothing to train on.
        DataError: for missing times, or for so few times that a part is empty.
    """
    check_shares(validation, test)
    levels = np.array([1 - test - validation, 1 - test])
    if column is None:
        first, second = (round(level * stream.n_rows) for level in levels)
        return OrderParts((first, second))
    require_columns(stream.read(0), [column], "to order the rows")
    sketch, date_format = QuantileSketch(), _date_format(stream.read(0, [column])[column])
    for i, block in enumerate(stream.blocks):
        table = stream.read(i, [column])
        if table[column].null_count:
            row = block.first + int(pc.index(pc.is_null(table[column]), True).as_py())
            raise DataError(
                f"{stream.where(row)}: time column {column!r} is missing, expected a value in every row; drop such "
                "rows or use another split"
            )
        sketch.update(stream.cells(i, table, column, lambda cells: read_times(cells, column, date_format)))
    cuts = _cuts(sketch, levels)
    if (validation and cuts[0] == cuts[1]) or cuts[0] == sketch.quantiles(np.array([0.0]))[0]:
        raise DataError(
            f"time column {column!r} has too many rows of one time to cut them into parts, expected times that differ; "
            "use another column or split"
        )
    return TimeParts(column, cuts, date_format)


def _cuts(sketch: QuantileSketch, levels: np.ndarray) -> tuple[float, float]:
    """Times at levels; a level of 1 is beyond the last."""
    found = sketch.quantiles(levels)
    first, second = (float("inf") if level >= 1 else float(time) for level, time in zip(levels, found, strict=True))
    return first, second


def _date_format(cells: pa.ChunkedArray) -> str | None:
    found = find_dates(cells) if is_text(cells.type) else None
    return found.format if found else None


def read_times(cells: pa.ChunkedArray, name: str, date_format: str | None) -> np.ndarray:
    """Times as numbers, dates in seconds since 1970. Shapes: (B,) -> float64 (B,)."""
    if date_format or is_date(cells.type):
        return dates(cells, name, date_format).astype(np.int64).astype(np.float64)
    return numbers(cells, name)
