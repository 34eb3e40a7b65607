"""Rows that lie on disk and are read block by block: the face that training and statistics see."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from qloom.data.row_keys import table_keys
from qloom.errors import DataError

BLOCK_ROWS = 65_536
BLOCK_BYTES = 16 << 20
_FEWEST_ROWS = 1_024


def rows_of_block(bytes_a_row: float) -> int:
    """How many rows of a size are read at once."""
    return int(min(BLOCK_ROWS, max(_FEWEST_ROWS, BLOCK_BYTES // max(bytes_a_row, 1))))


Read = TypeVar("Read")


@dataclass(frozen=True)
class Block:
    """What is read at once: rows `first` to `first + n_rows` of a stream."""

    first: int
    n_rows: int


class RowStream(ABC):
    """Rows of one schema, in an order that stays; every block is bit-identical whenever it is read.

    Attributes:
        schema: names and plain types, as the columns of `read_table` have.
        blocks: all rows, block by block.
        description: for the log, "12 Parquet files, 10,000,000 rows, 1.6 GB".
        notes: what was found on opening, one line each.
    """

    schema: pa.Schema
    blocks: Sequence[Block]
    description: str
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.blocks[-1].first + self.blocks[-1].n_rows if self.blocks else 0

    @abstractmethod
    def read(self, block: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a block as plain columns; all columns, or those named, in the order named.

        Raises:
            DataError: for a file that cannot be read any more.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Changes where the rows do; cheap: of names, sizes, row counts and what files say of themselves."""

    def where(self, row: int) -> str:
        """A row in words, counted from 1 as people do."""
        return f"row {row + 1:,}"

    def cells(self, block: int, table: pa.Table, name: str, read: Callable[[pa.ChunkedArray], Read]) -> Read:
        """What `read` makes of the cells of a block's column.

        Raises:
            DataError: where it refuses one, with the row named.
        """
        cells = table[name]
        try:
            return read(cells)
        except DataError as error:
            row = first_refused(cells, read)
            raise DataError(f"{self.where(self.blocks[block].first + row)}: {error}") from None


def first_refused(cells: pa.ChunkedArray, read: Callable[[pa.ChunkedArray], object]) -> int:
    """The number of the first cell that `read` refuses, by halving; it refuses some."""
    low, high = 0, len(cells)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            read(cells.slice(low, middle - low))
            low = middle
        except DataError:
            high = middle
    return low


class HeldRows(RowStream):
    """A table in memory as a stream.

    Args:
        table: plain columns, as `read_table` gives them.
        block_rows: that are read at once.
    """

    def __init__(self, table: pa.Table, block_rows: int = BLOCK_ROWS) -> None:
        self._table = table
        self.schema = table.schema
        starts = range(0, table.num_rows, block_rows)
        self.blocks = [Block(first, min(block_rows, table.num_rows - first)) for first in starts]
        self.description = f"a table in memory, {table.num_rows:,} rows"

    def read(self, block: int, columns: Sequence[str] | None = None) -> pa.Table:
        chosen = self._table if columns is None else self._table.select(list(columns))
        return chosen.slice(self.blocks[block].first, self.blocks[block].n_rows)

    def fingerprint(self) -> str:
        return f"{int(table_keys(self._table).sum()):016x}-{self._table.num_rows}"
