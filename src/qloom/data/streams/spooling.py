"""Rows that cannot be read again in pieces are written once, batch by batch, to Parquet files that can."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.data.cells import plain_column
from qloom.data.columns import require_distinct
from qloom.data.streams.files import FileRows, find_files, plain_type, spoken_bytes
from qloom.data.streams.row_stream import rows_of_block
from qloom.errors import DataError
from qloom.files import write_json

_GROUPS_A_FILE = 32
_RECORD = "source.json"


@dataclass(frozen=True)
class Batches:
    """Rows that come one batch after the other, once.

    Attributes:
        told: where from, for messages: "the query's result".
        schema: of every batch; its plain types are those of the stream.
        batches: with that schema; a later one that has another raises.
        notes: one line each.
    """

    told: str
    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    notes: tuple[str, ...] = field(default=())


def spooled(folder: Path, identity: Mapping[str, Any]) -> FileRows | None:
    """What was written to a folder before, of this source; None if nothing was.

    Raises:
        DataError: if it was of another.
    """
    rows = folder / "rows"
    if not rows.is_dir():
        return None
    found = json.loads((rows / _RECORD).read_text())
    if found["identity"] != dict(identity):
        raise DataError(
            f"{rows} holds the rows of {found['told']}, expected none or those of this source; remove the folder or "
            "name another"
        )
    stream = FileRows(find_files(rows), rows, found["told"])
    stream.notes = (*found["notes"], *stream.notes)
    stream.description += f", as written before from {found['told']}"
    return stream


def write_spool(source: Batches, folder: Path, identity: Mapping[str, Any]) -> FileRows:
    """Write a source's rows under a folder, all of them or none.

    Args:
        identity: what tells this source from others, plain JSON values.

    Raises:
        DataError: for a source without rows or columns, whose columns change, or a disk that is full.
    """
    require_distinct(source.schema.names, source.told)
    part, rows = folder / "rows.part", folder / "rows"
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        n_rows = _write(source, part)
        if not n_rows or not source.schema.names:
            raise DataError(
                f"{source.told} has {n_rows} rows and {len(source.schema.names)} columns, expected at least one of "
                "each; check the file or the query"
            )
        record = {"told": source.told, "identity": dict(identity), "notes": list(source.notes)}
        write_json(part / _RECORD, record)
        part.rename(rows)
    except OSError as error:
        raise _unwritten(error, part) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    stream = FileRows(find_files(rows), rows, source.told)
    stream.notes = (*source.notes, *stream.notes)
    stream.description += f", written once from {source.told}"
    return stream


def _unwritten(error: OSError, part: Path) -> DataError:
    size = sum(each.stat().st_size for each in part.glob("*")) if part.is_dir() else 0
    reason = "the disk is full" if error.errno == errno.ENOSPC else str(error.strerror or error).splitlines()[0]
    return DataError(
        f"rows could not be written to {part.parent} ({reason}, after {spoken_bytes(size)}); free space or name a "
        "folder on another disk"
    )


def _write(source: Batches, part: Path) -> int:
    """Write row groups of as many rows as are read at once, 32 a file; the number of rows."""
    schema = plain_schema(source.schema)
    pending: list[pa.Table] = []
    n_pending = n_groups = n_rows = size = 0
    writer: parquet.ParquetWriter | None = None
    try:
        for batch in source.batches:
            pending.append(_plain(batch, schema, source, n_rows))
            n_pending, n_rows = n_pending + batch.num_rows, n_rows + batch.num_rows
            size = size or rows_of_block(pending[0].nbytes / max(batch.num_rows, 1))
            while n_pending >= size:
                writer = _opened(writer, part, schema, n_groups)
                table = pa.concat_tables(pending)
                writer.write_table(table.slice(0, size), row_group_size=size)
                pending, n_pending, n_groups = [table.slice(size)], n_pending - size, n_groups + 1
        if n_pending:
            writer = _opened(writer, part, schema, n_groups)
            writer.write_table(pa.concat_tables(pending), row_group_size=n_pending)
        if writer is not None:
            writer.close()
    except BaseException:
        if writer is not None:
            with suppress(Exception):  # what it would say is that the disk is full once more
                writer.close()
        raise
    return n_rows


def _opened(
    writer: parquet.ParquetWriter | None, part: Path, schema: pa.Schema, n_groups: int
) -> parquet.ParquetWriter:
    if writer is not None and n_groups % _GROUPS_A_FILE:
        return writer
    if writer is not None:
        writer.close()
    name = f"part-{n_groups // _GROUPS_A_FILE:05}.parquet"
    return parquet.ParquetWriter(part / name, schema, compression="lz4")


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """A schema with plain types; what was said of columns stays."""
    fields = [pa.field(each.name, plain_type(each.type), metadata=each.metadata) for each in schema]
    return pa.schema(fields, metadata=schema.metadata)


def _plain(batch: pa.RecordBatch, schema: pa.Schema, source: Batches, first: int) -> pa.Table:
    if batch.schema.names != source.schema.names or batch.schema.types != source.schema.types:
        raise DataError(
            f"{source.told} changes its columns at row {first + 1:,} to {_shown(batch.schema)}, expected "
            f"{_shown(source.schema)}; write it with one set of columns"
        )
    table = pa.Table.from_batches([batch])
    return pa.table([plain_column(column) for column in table.columns], schema=schema)


def _shown(schema: pa.Schema) -> str:
    return ", ".join(f"{each.name} {each.type}" for each in list(schema)[:4]) + (", ..." if len(schema) > 4 else "")
