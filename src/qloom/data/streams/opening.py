"""From what a user names to rows on disk: files are read in place, everything else is written there once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from qloom.data.compression import inner_suffix
from qloom.data.json_lines import SUFFIXES as JSON
from qloom.data.sources import is_duckdb, read_table
from qloom.data.spreadsheets import SUFFIXES as SPREADSHEETS
from qloom.data.streams.files import IPC, PARQUET, FileRows, find_files
from qloom.data.streams.json_rows import json_batches
from qloom.data.streams.queries import connection_batches, database, register, relation_batches
from qloom.data.streams.row_stream import HeldRows, RowStream
from qloom.data.streams.spooling import Batches, spooled, write_spool
from qloom.data.streams.text_files import TextFile, WiderType
from qloom.errors import DataError


def open_stream(
    source: Any, query: str | None = None, *, spool: Path, kinds: Mapping[str, str] | None = None
) -> RowStream:
    """Rows of a table of any size.

    Parquet and Arrow files, and folders of these, are read in place, in the order of their names. Everything else, and
    files whose row groups are too large to hold, is written once to Parquet files under `spool`: only what lies still
    can be shuffled, and taken up again to the same bits. What was written before of the same source is used again.
    Tables in memory stay there.

    Args:
        source: a path to a Parquet or Arrow file or to a folder of them (also of folders named column=value), to a
            CSV, TSV, TXT or JSON lines file (also compressed) or to a DuckDB file; "postgresql://..." or
            "odps://project" with a query; a DuckDB connection or relation, a RecordBatchReader or whatever has the
            Arrow stream protocol; anything else that `read_table` takes.
        query: SQL, which sees the tables of a database, or the table `data` of other sources.
        spool: a folder for what is to be written; made where it is needed.
        kinds: column -> kind, as `inspect_table` takes it, for columns of text files that are to stay text.

    Raises:
        DataError: for a source that cannot be read, whose columns change, or that the disk does not hold.
    """
    if isinstance(source, str | Path):
        return _open_named(str(source), query, spool, kinds or {})
    if is_duckdb(source, "DuckDBPyConnection"):
        told = "a DuckDB connection"
        return _written(spool, {"is": told, "query": query}, lambda: connection_batches(source, query, told))
    if query is None and is_duckdb(source, "DuckDBPyRelation"):
        return _written(spool, {"is": "a DuckDB relation"}, lambda: relation_batches(source, "a DuckDB relation"))
    if query is None and isinstance(source, pa.RecordBatchReader):
        return _written(spool, {"is": "an Arrow stream"}, lambda: _reader_batches(source))
    return HeldRows(read_table(source, query, kinds=kinds))


def _written(folder: Path, identity: Mapping[str, Any], make: Callable[[], Batches]) -> FileRows:
    """What was written before of this source, or what it has now; it is not asked in the first case."""
    return spooled(folder, identity) or write_spool(make(), folder, identity)


def _reader_batches(reader: pa.RecordBatchReader) -> Batches:
    """The batches of a reader, once."""

    def read() -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"the Arrow stream breaks off ({str(error).splitlines()[0]}); write it again") from None

    return Batches("an Arrow stream", reader.schema, read())


def _open_named(source: str, query: str | None, folder: Path, kinds: Mapping[str, str]) -> RowStream:
    if "://" in source:
        return _written(folder, {"from": source, "query": query}, lambda: _service_batches(source, query))
    path = Path(source)
    if not path.exists():
        if inner_suffix(Path(path.name.partition("#")[0])) in SPREADSHEETS:
            return HeldRows(read_table(path, query, kinds=kinds))
        raise DataError(f"no file {path}, expected a table (Parquet, CSV, Arrow, DuckDB) or a folder; check the path")
    if path.is_dir() or path.suffix.lower() in (*PARQUET, *IPC):
        return _open_files(path, query, folder)
    with path.open("rb") as file:
        start = file.read(12)
    if start[8:12] != b"DUCK" and inner_suffix(path) in SPREADSHEETS:
        return HeldRows(read_table(path, query, kinds=kinds))
    identity = {"file": str(path), "size": path.stat().st_size, "query": query}
    known = spooled(folder, identity)
    if known:
        return known
    if start[8:12] == b"DUCK":
        with database(path, folder / "scratch") as connection:
            return write_spool(connection_batches(connection, query, f"the query of {path}"), folder, identity)
    if query is None:
        return _spool_rows(path, folder, kinds, identity)
    shutil.rmtree(folder / "source", ignore_errors=True)  # of a run that was killed
    try:
        return _queried(_spool_rows(path, folder / "source", kinds, {}), path, query, folder, identity)
    finally:
        shutil.rmtree(folder / "source", ignore_errors=True)


def _service_batches(source: str, query: str | None) -> Batches:
    scheme = source.partition("://")[0]
    if scheme in ("postgresql", "postgres"):
        from qloom.data.streams.postgres import postgres_batches

        return postgres_batches(source, query)
    if scheme == "odps":
        from qloom.data.streams.maxcompute import maxcompute_batches

        return maxcompute_batches(source, query)
    raise DataError(
        f"{scheme}:// is not known, expected postgresql://... or odps://project; name one of these or a file"
    )


def _open_files(path: Path, query: str | None, folder: Path) -> FileRows:
    stream = FileRows(find_files(path), path)
    if query is None and not stream.has_large_groups:
        return stream
    identity = {"files": str(path), "fingerprint": stream.fingerprint(), "query": query}
    if query is not None:
        return spooled(folder, identity) or _queried(stream, path, query, folder, identity)
    told = f"{path}, whose groups of up to {stream.largest_group:,} rows are too large to hold"
    return _written(folder, identity, lambda: Batches(told, stream.schema, stream.batches(), stream.notes))


def _queried(stream: FileRows, path: Path, query: str, folder: Path, identity: Mapping[str, Any]) -> FileRows:
    with database(Path(":memory:"), folder / "scratch") as connection:
        register(connection, stream)
        return write_spool(connection_batches(connection, query, f"the query of {path}"), folder, identity)


def _spool_rows(path: Path, folder: Path, kinds: Mapping[str, str], identity: Mapping[str, Any]) -> FileRows:
    """Text, JSON lines or an Arrow stream, written."""
    if inner_suffix(path) in JSON:
        return write_spool(json_batches(path), folder, identity)
    if path.suffix.lower() == ".arrows":
        try:
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
                return write_spool(_reader_batches(reader), folder, identity)
        except pa.ArrowInvalid as error:
            raise DataError(f"{path} cannot be read ({str(error).splitlines()[0]}); write it again") from None
    file = TextFile(path, kinds)
    while True:
        try:
            return write_spool(file.batches(), folder, identity)
        except WiderType:
            continue
