"""Results of SQL, batch by batch, by DuckDB: of its own tables, or of files as the table `data`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as dataset

from qloom.data.cells import MISSING_WORDS, is_text
from qloom.data.sources import only_table
from qloom.data.streams.files import FileRows
from qloom.data.streams.spooling import Batches
from qloom.errors import DataError

if TYPE_CHECKING:
    import duckdb

_BATCH = 8_192  # rows
_MEMORY = "400MB"  # what does not fit is put to disk by DuckDB


def connection_batches(connection: duckdb.DuckDBPyConnection, query: str | None, told: str) -> Batches:
    """What a query gives, or the one table where there is none.

    Raises:
        DataError: for SQL that fails, at once or later.
    """
    query = query or f'SELECT * FROM "{only_table(connection)}"'
    with failing():
        relation = connection.sql(query)
    if relation is None:
        raise DataError("the query returns no table, expected a SELECT; end it with one")
    return relation_batches(relation, told)


def relation_batches(relation: duckdb.DuckDBPyRelation, told: str) -> Batches:
    """The rows of a relation."""
    with failing():
        reader = relation.to_arrow_reader(_BATCH)
    return Batches(told, reader.schema, _read(reader))


def _read(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    with failing():
        yield from reader


@contextmanager
def database(path: Path, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB file, or a database in memory for the path ":memory:", that keeps to little memory."""
    import duckdb

    scratch.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(path), read_only=str(path) != ":memory:")
    except duckdb.Error as error:
        raise DataError(f"{path} cannot be read ({_first_line(error)}); write it again or check its rights") from None
    try:
        with connection:
            connection.execute(f"SET memory_limit='{_MEMORY}'")
            connection.execute(f"SET temp_directory={_quoted(str(scratch))}")
            yield connection
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def register(connection: duckdb.DuckDBPyConnection, stream: FileRows) -> None:
    """Make the files of a stream the table `data`, with the stream's idea of a missing cell."""
    plain = ", ".join(_plain_cell(each) for each in stream.schema)
    rows = _parquet_rows(stream)
    if stream.files[0].form != "Parquet":
        connection.register("rows_of_files", _arrow_rows(stream))
        rows = "FROM rows_of_files"
    connection.execute(f"CREATE VIEW data AS SELECT {plain} FROM ({rows})")


def _parquet_rows(stream: FileRows) -> str:
    """SQL for the rows of Parquet files, which DuckDB reads itself, in little memory."""
    paths: dict[tuple[tuple[str, str | None], ...], list[str]] = {}
    for file in stream.files:
        paths.setdefault(tuple(file.constants.items()), []).append(_quoted(str(file.path.absolute())))
    return " UNION ALL BY NAME ".join(
        f"SELECT *{''.join(_constant(stream, *each) for each in constants)} "
        f"FROM read_parquet([{', '.join(same)}], hive_partitioning=false, union_by_name=true)"
        for constants, same in paths.items()
    )


def _constant(stream: FileRows, name: str, value: str | None) -> str:
    kind = "BIGINT" if pa.types.is_integer(stream.schema.field(name).type) else "VARCHAR"
    return f", CAST({'NULL' if value is None else _quoted(value)} AS {kind}) AS {_named(name)}"


def _arrow_rows(stream: FileRows) -> dataset.Dataset:
    folders = pa.schema([stream.schema.field(name) for name in stream.files[0].constants])
    return dataset.dataset(
        [str(file.path.absolute()) for file in stream.files],
        schema=stream.schema,
        format="ipc",
        partitioning=dataset.HivePartitioning(folders),
        partition_base_dir=str(stream.root.absolute()),
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain_cell(field: pa.Field) -> str:
    """SQL for the cells of a plain column."""
    name = _named(field.name)
    if is_text(field.type):
        words = ", ".join(map(_quoted, MISSING_WORDS))
        trimmed = f"trim({name}, E' \\t\\n\\r\\f\\x0b')"
        return f"CASE WHEN {trimmed} IN ({words}) THEN NULL ELSE {trimmed} END AS {name}"
    return f"CASE WHEN isnan({name}) THEN NULL ELSE {name} END AS {name}" if pa.types.is_floating(field.type) else name


@contextmanager
def failing() -> Iterator[None]:
    """Errors of DuckDB in one line."""
    import duckdb

    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        raise DataError(f"the query fails in DuckDB: {_first_line(error)}; correct the SQL") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
