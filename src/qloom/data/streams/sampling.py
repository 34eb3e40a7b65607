"""Some rows of a stream, to look at before all of them are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.streams.row_stream import RowStream

N_ROWS = 100_000
_MOST_BLOCKS = 16
_MOST_RARE = 100  # rows that are added for a column


@dataclass(frozen=True)
class Sample:
    """Rows of a stream in their order.

    Attributes:
        table: their plain columns, (B,).
        rows: their numbers in the stream, int64 (B,).
        n_blocks: blocks that they are from.
        is_whole: whether they are all rows.
    """

    table: pa.Table
    rows: np.ndarray
    n_blocks: int
    is_whole: bool


def draw_sample(stream: RowStream, n_rows: int = N_ROWS, seed: int = 0) -> Sample:
    """All rows where they are at most `n_rows`; else as many at random from each of up to 16 blocks.

    The blocks are drawn one from each of 16 equal stretches of the stream, so that rows in some order are all seen.
    Where a column is the same throughout these rows, some that differ are added if there are any.
    """
    random = np.random.default_rng(seed)
    is_whole = stream.n_rows <= n_rows
    blocks = range(len(stream.blocks)) if is_whole else _drawn(len(stream.blocks), random)
    wanted = _shared_out(n_rows, [stream.blocks[block].n_rows for block in blocks])
    taken = {
        block: np.sort(random.choice(stream.blocks[block].n_rows, n, replace=False))
        for block, n in zip(blocks, wanted, strict=True)
    }
    sample = _taken(stream, taken, is_whole)
    rare = {} if is_whole else _where_it_varies(stream, sample.table)
    if not rare:
        return sample
    both = {block: np.union1d(taken.get(block, ()), rare.get(block, ())) for block in sorted({*taken, *rare})}
    return _taken(stream, both, is_whole)


def _taken(stream: RowStream, taken: Mapping[int, np.ndarray], is_whole: bool) -> Sample:
    """The rows of these numbers within their blocks."""
    tables = [stream.read(block).take(pa.array(rows.astype(np.int64))) for block, rows in taken.items()]
    numbers = [stream.blocks[block].first + rows.astype(np.int64) for block, rows in taken.items()]
    table = pa.concat_tables(tables).replace_schema_metadata(stream.schema.metadata)
    return Sample(table, np.concatenate(numbers), len(taken), is_whole)


def _where_it_varies(stream: RowStream, sample: pa.Table) -> dict[int, np.ndarray]:
    """By block some rows whose cells differ, of columns that are the same throughout the sample and not the stream."""
    found: dict[int, np.ndarray] = {}
    for name in sample.column_names:
        if not pa.types.is_nested(sample[name].type) and len(values := pc.unique(sample[name])) == 1:
            for block in range(len(stream.blocks)):
                rows = _other_rows(stream.read(block, [name])[name], values[0])
                if len(rows):
                    found[block] = np.union1d(found.get(block, ()), rows[:_MOST_RARE])
                    break
    return found


def _other_rows(cells: pa.ChunkedArray, value: pa.Scalar) -> np.ndarray:
    """The cells that are not this one."""
    other = pc.is_valid(cells) if not value.is_valid else pc.fill_null(pc.not_equal(cells, value), True)
    return np.flatnonzero(other.to_numpy())


def _drawn(n_blocks: int, random: np.random.Generator) -> Sequence[int]:
    stretches = np.array_split(np.arange(n_blocks), min(_MOST_BLOCKS, n_blocks))
    return [int(random.choice(stretch)) for stretch in stretches]


def _shared_out(total: int, sizes: Sequence[int]) -> list[int]:
    """As equal shares of the total as blocks of these sizes have; what small ones lack is for the others."""
    shares = [0] * len(sizes)
    for done, block in enumerate(sorted(range(len(sizes)), key=lambda block: sizes[block])):
        shares[block] = min(sizes[block], (total - sum(shares)) // (len(sizes) - done))
    return shares
