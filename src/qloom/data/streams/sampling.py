"""Some rows of a stream, to look at before all of them are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from qloom.data.streams.row_stream import RowStream

N_ROWS = 100_000
_MOST_BLOCKS = 16


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
    """
    random = np.random.default_rng(seed)
    is_whole = stream.n_rows <= n_rows
    blocks = range(len(stream.blocks)) if is_whole else _drawn(len(stream.blocks), random)
    wanted = _shared_out(n_rows, [stream.blocks[block].n_rows for block in blocks])
    tables, rows = [], []
    for block, n in zip(blocks, wanted, strict=True):
        taken = np.sort(random.choice(stream.blocks[block].n_rows, n, replace=False))
        table = stream.read(block)
        tables.append(table if n == table.num_rows else table.take(pa.array(taken)))
        rows.append(stream.blocks[block].first + taken)
    table = pa.concat_tables(tables).replace_schema_metadata(stream.schema.metadata)
    return Sample(table, np.concatenate(rows), len(blocks), is_whole)


def _drawn(n_blocks: int, random: np.random.Generator) -> Sequence[int]:
    stretches = np.array_split(np.arange(n_blocks), min(_MOST_BLOCKS, n_blocks))
    return [int(random.choice(stretch)) for stretch in stretches]


def _shared_out(total: int, sizes: Sequence[int]) -> list[int]:
    """As equal shares of the total as blocks of these sizes have; what small ones lack is for the others."""
    shares = [0] * len(sizes)
    for done, block in enumerate(sorted(range(len(sizes)), key=lambda block: sizes[block])):
        shares[block] = min(sizes[block], (total - sum(shares)) // (len(sizes) - done))
    return shares
