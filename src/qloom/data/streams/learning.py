"""What is learnt of a stream in one pass: the kinds of its columns, the preprocessing and the coding of the target."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.columns import require_columns
from qloom.data.embedding_coding import EmbeddingCoding
from qloom.data.inspection import inspect_table, require_feature
from qloom.data.level_means import LevelMeans
from qloom.data.preprocessing import Preprocessing, outcomes, read_column
from qloom.data.schema import Schema
from qloom.data.streams.columns import PassingColumn, passing_column
from qloom.data.streams.quantiles import size_of_sketches
from qloom.data.streams.row_stream import RowStream
from qloom.data.streams.sampling import N_ROWS, Sample, draw_sample
from qloom.data.streams.target import PassingClasses, PassingTarget, PassingTargetNumbers
from qloom.data.target import TargetCoding
from qloom.data.text_coding import TextCoding
from qloom.errors import DataError

NO_PART = -1


class Parts(Protocol):
    """The part of each row of a table whose first row has a number: 0 to train, 1 to validate, 2 to test."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    def __call__(self, table: pa.Table, first: int) -> np.ndarray: ...


@dataclass(frozen=True)
class PartsWithTarget:
    """Parts of rows that have a target; -1 for the others, which are left out."""

    parts: Parts
    target: str

    @property
    def columns(self) -> tuple[str, ...]:
        """What is needed of a row."""
        return (*self.parts.columns, self.target)

    def __call__(self, table: pa.Table, first: int) -> np.ndarray:
        """The part of each row. Shapes: B rows -> int8 (B,)."""
        missing = np.asarray(pc.is_null(table[self.target]).to_numpy())
        return np.where(missing, np.int8(NO_PART), self.parts(table, first))


@dataclass(frozen=True)
class Learnt:
    """What a stream has told.

    Attributes:
        schema: kinds as the sample showed them; counts, ranges and classes of all rows.
        preprocessing: fitted on the training rows.
        coding: of the target.
        parts: of any rows of the stream; -1 for rows without a target where those are left out.
        n_rows: of training, validation and test.
        notes: on how it was learnt, one line each.
    """

    schema: Schema
    preprocessing: Preprocessing
    coding: TargetCoding
    parts: Parts
    n_rows: tuple[int, int, int]
    notes: tuple[str, ...]


def learn_stream(
    stream: RowStream,
    target: str,
    *,
    parts: Parts,
    time: str | None = None,
    group: str | None = None,
    drop: Sequence[str] = (),
    kinds: Mapping[str, str] | None = None,
    task: str | None = None,
    drop_missing_target: bool = False,
    preprocessing: Preprocessing | None = None,
    transformation: str = "none",
    shifted: bool = True,
    seed: int = 0,
    n_sample: int = N_ROWS,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Learnt:
    """Learn what `inspect_table`, `Preprocessing.fit` and `TargetCoding.fit` learn of a table, in one pass.

    Kinds, cautions, words of text and means of levels are found on a sample; all else on all rows, exactly but for
    quantiles, which are within a stated error. Streams of at most `n_sample` rows and 65,535 training rows give what
    the same table in memory does.

    Args:
        stream: the rows.
        target, time, drop, kinds, task, drop_missing_target: as `inspect_table` takes them.
        group: a column whose rows belong together, which is no feature then.
        parts: as `hash_parts` and `time_parts` give them.
        preprocessing: options, not fitted yet; None for the usual ones.
        transformation, shifted: of the target, as `TargetCoding.fit` takes them.
        seed: of the sample.
        n_sample: rows to find kinds on.
        threads: as many columns at once; None for all cores.
        progress: told the rows that have been read.

    Raises:
        DataError: for what these raise, and for a later cell that does not fit, with its file and row.
    """
    sample = draw_sample(stream, n_sample, seed)
    schema = inspect_table(
        sample.table, target, time=time, drop=drop, kinds=kinds, task=task, drop_missing_target=drop_missing_target
    )
    if group is not None:
        require_columns(sample.table, [group], "to keep rows together")
        schema = schema.grouped_by(group)
    whole: Parts = PartsWithTarget(parts, target) if drop_missing_target else parts
    training = sample.table.take(pa.array(np.flatnonzero(_parts_of(sample, stream, whole) == 0)))
    if not training.num_rows:
        raise DataError("0 training rows in the sample, expected some; widen the training share")
    fitted = preprocessing or Preprocessing()
    way = _Pass(stream, schema, whole, training, fitted.max_codes, transformation, shifted, kinds or {})
    way.run(threads or os.cpu_count() or 1, progress)
    return way.learnt(fitted, sample, training)


def _parts_of(sample: Sample, stream: RowStream, parts: Parts) -> np.ndarray:
    """Parts of the sample's rows. Shapes: int8 (B,)."""
    found = np.empty(len(sample.rows), dtype=np.int8)
    firsts = [block.first for block in stream.blocks]
    blocks = np.searchsorted(firsts, sample.rows, side="right") - 1
    names = list(dict.fromkeys(parts.columns)) or [stream.schema.names[0]]
    for block in np.unique(blocks):
        dealt = _located(parts, stream, int(block), stream.read(int(block), names))
        found[blocks == block] = dealt[sample.rows[blocks == block] - firsts[block]]
    return found


def _located(parts: Parts, stream: RowStream, block: int, table: pa.Table) -> np.ndarray:
    """Parts of a block's rows; errors say where it begins. Shapes: int8 (B,)."""
    first = stream.blocks[block].first
    try:
        return parts(table, first)
    except DataError as error:
        raise DataError(f"from {stream.where(first)} on: {error}") from None


class _Pass:
    """One pass over the rows, block by block; columns of a block, and the reading of the next, side by side."""

    def __init__(
        self,
        stream: RowStream,
        schema: Schema,
        parts: Parts,
        training: pa.Table,
        most_codes: int,
        transformation: str,
        shifted: bool,
        asked: Collection[str],
    ) -> None:
        self._stream, self._schema, self._parts = stream, schema, parts
        size = size_of_sketches(len(schema.features))
        self._columns = [
            passing_column(each, training[each.name], most_codes, size, each.name in asked) for each in schema.features
        ]
        self._target: PassingTarget = PassingClasses(schema.target)
        if schema.task == "regression":
            self._target = PassingTargetNumbers(schema, training[schema.target], transformation, shifted)
        self._read = list(dict.fromkeys([*(column.name for column in schema.features), schema.target, *parts.columns]))
        self._n_rows = np.zeros(4, dtype=np.int64)

    def run(self, threads: int, progress: Callable[[int], None] | None) -> None:
        """Read all rows."""
        blocks = range(len(self._stream.blocks))
        with ThreadPoolExecutor(threads) as pool:
            reading = pool.submit(self._stream.read, 0, self._read)
            for block in blocks:
                table = reading.result()
                if block + 1 < len(blocks):
                    reading = pool.submit(self._stream.read, block + 1, self._read)
                self._take(block, table, pool)
                if progress:
                    progress(self._stream.blocks[block].first + table.num_rows)

    def _take(self, block: int, table: pa.Table, pool: ThreadPoolExecutor) -> None:
        parts = _located(self._parts, self._stream, block, table)
        self._n_rows += np.bincount(parts + 1, minlength=4)
        kept = None if parts.min() > NO_PART else parts > NO_PART
        training = (parts if kept is None else parts[kept]) == 0
        work = [pool.submit(self._take_target, block, table, kept, training)]
        work += [pool.submit(self._take_column, each, block, table, kept, training) for each in self._columns]
        for done in work:
            done.result()

    def _take_column(
        self, column: PassingColumn, block: int, table: pa.Table, kept: np.ndarray | None, training: np.ndarray
    ) -> None:
        name = column.column.name
        cells = table[name]
        read = self._stream.cells(block, table, name, column.read)
        if kept is not None:
            cells = cells.filter(pa.array(kept))
            read = column.read(cells)
        column.update(cells, read, training)

    def _take_target(self, block: int, table: pa.Table, kept: np.ndarray | None, training: np.ndarray) -> None:
        name = self._schema.target
        cells = table[name]
        if kept is None and cells.null_count:
            row = int(pc.index(pc.is_null(cells), True).as_py())
            raise DataError(
                f"{self._stream.where(self._stream.blocks[block].first + row)}: target {name!r} is missing, expected a "
                "value in every row; drop these rows with drop_missing_target=True"
            )
        self._target.update(
            self._stream.cells(block, table, name, lambda c: self._target.read(c.drop_null())), training
        )

    def learnt(self, preprocessing: Preprocessing, sample: Sample, training: pa.Table) -> Learnt:
        """What the pass has found.

        Args:
            training: rows of the sample.
        """
        found = {} if sample.is_whole else {column.column.name: column.found() for column in self._columns}
        columns = tuple(found.get(column.name, column) for column in self._schema.columns)
        n_rows = int(self._n_rows[1:].sum())
        schema = replace(self._schema, columns=columns, classes=self._target.classes(), n_rows=n_rows)
        require_feature(schema)
        statistics = {each.column.name: each.statistics for each in self._columns}
        cells = {column.name: read_column(training, column) for column in schema.features if _is_sampled(column.kind)}
        preprocessing.make(schema, statistics, cells, lambda: outcomes(training, schema, None), int(self._n_rows[1]))
        used = {column.name for column in schema.features}
        preprocessing.seen = tuple(each.seen() for each in self._columns if each.column.name in used)
        counts = (int(self._n_rows[1]), int(self._n_rows[2]), int(self._n_rows[3]))
        late = [column for column in schema.dropped if column not in self._schema.dropped]
        noted = [f"column {column.name!r} is not used: {column.dropped}" for column in late]
        notes = (*self._stream.notes, *noted, *self._notes(sample, training, preprocessing))
        return Learnt(schema, preprocessing, self._target.coding(schema), self._parts, counts, notes)

    def _notes(self, sample: Sample, training: pa.Table, preprocessing: Preprocessing) -> list[str]:
        notes = []
        if not sample.is_whole:
            notes.append(
                f"kinds, leaks and copies are found on {len(sample.rows):,} of {self._stream.n_rows:,} rows, drawn "
                f"from {sample.n_blocks} blocks"
            )
        error = max((column.rank_error for column in self._columns), default=0.0)
        if error:
            notes.append(f"medians and quantiles are off by {error:.2%} of the rows at most; all else is exact")
        learnt = [
            each.name for each in preprocessing.codings if isinstance(each, TextCoding | EmbeddingCoding | LevelMeans)
        ]
        if learnt and not sample.is_whole:
            shown = ", ".join(learnt[:5]) + (", ..." if len(learnt) > 5 else "")
            by_model = any(isinstance(each, EmbeddingCoding) for each in preprocessing.codings)
            what = "directions of texts" if by_model else "words"
            notes.append(f"{what} and means of levels are learnt on {training.num_rows:,} training rows: {shown}")
        return notes


def _is_sampled(kind: str) -> bool:
    return kind in ("text", "category")
