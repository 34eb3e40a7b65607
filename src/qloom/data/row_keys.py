"""One 64-bit key a row: rows are found again among others, also in other files and other processes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.cells import is_date, is_number

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MISSING = np.uint64(0xD1B54A32D192ED03)


def table_keys(table: pa.Table) -> np.ndarray:
    """Keys of a table's rows by all of its plain columns.

    Shapes: B rows -> uint64 (B,).
    """
    columns = [column for column in table.columns if not pa.types.is_nested(column.type)]
    return row_keys((_values(column) for column in columns), table.num_rows)


def row_keys(columns: Iterable[np.ndarray | pa.ChunkedArray], n_rows: int) -> np.ndarray:
    """Keys of rows: equal for equal cells in the same order of columns; missing is one more value.

    Two different rows get the same key with a chance of 2^-64.

    Args:
        columns: numbers with NaN, or dates with NaT, (B,), or text.
    """
    keys = np.zeros(n_rows, dtype=np.uint64)
    for column in columns:
        keys = mixed_keys(keys * _GOLDEN + cell_keys(column))
    return keys


def cell_keys(column: np.ndarray | pa.ChunkedArray) -> np.ndarray:
    """A key a cell. Shapes: (B,) -> uint64 (B,)."""
    if not isinstance(column, np.ndarray):
        return _text_keys(column)
    missing = np.isnat(column) if column.dtype.kind == "M" else np.isnan(column)
    plain = column.astype("datetime64[s]").astype(np.int64) if column.dtype.kind == "M" else column + 0.0  # -0 is 0
    return np.where(missing, _MISSING, np.ascontiguousarray(plain).view(np.uint64))


def _text_keys(column: pa.ChunkedArray) -> np.ndarray:
    """Each distinct text is hashed once."""
    encoded = column.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    digests = [hashlib.blake2b(str(text).encode(), digest_size=8).digest() for text in encoded.dictionary.to_pylist()]
    keys = np.append(np.frombuffer(b"".join(digests), dtype=np.uint64), _MISSING)
    return np.asarray(keys[pc.fill_null(encoded.indices, len(digests)).to_numpy(zero_copy_only=False)])


def _values(column: pa.ChunkedArray) -> np.ndarray | pa.ChunkedArray:
    """Numbers and truth values as float64, dates as seconds, all else as text."""
    kind = column.type
    if is_date(kind):
        return np.asarray(column.cast(pa.timestamp("s"), safe=False).to_numpy()).astype("datetime64[s]")
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    if is_number(column.type):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy())
    return column.cast(pa.string())


def mixed_keys(keys: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64: every bit of the key depends on every bit of the cell.

    Shapes: uint64 (B,) -> (B,).
    """
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(keys ^ (keys >> np.uint64(31)))
