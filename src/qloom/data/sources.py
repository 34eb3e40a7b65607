"""Where a table comes from: files, frames, arrays and SQL, all brought to one plain Arrow table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.data.cells import plain_column
from qloom.data.columns import require_distinct
from qloom.data.compression import inner_suffix, is_compressed, read_bytes
from qloom.data.delimited import read_delimited
from qloom.data.json_lines import SUFFIXES as JSON
from qloom.data.json_lines import read_json_rows
from qloom.data.queries import described_result
from qloom.data.recognition import find_columns, typed_table
from qloom.data.schema import Column
from qloom.data.spreadsheets import SUFFIXES as SPREADSHEETS
from qloom.data.spreadsheets import read_spreadsheet
from qloom.errors import DataError

if TYPE_CHECKING:
    import duckdb  # brought in by the first query or database


def read_table(
    source: Any,
    query: str | None = None,
    *,
    kinds: Mapping[str, str] | None = None,
    known: Sequence[Column] | None = None,
) -> pa.Table:
    """Read a table from nearly anywhere into Arrow.

    Args:
        source: a path to a folder of Parquet or Arrow files, to CSV, TSV, TXT or JSON lines (also compressed: .gz,
            .bz2, .xz, .zst, .lz4, .zip), Parquet, Arrow/Feather, a spreadsheet (book.xlsx#sheet where it has several)
            or a DuckDB file; a pandas or polars frame; anything with the Arrow stream protocol; a dict of arrays; a
            two-dimensional number array; a DuckDB connection or relation.
        query: SQL. For a DuckDB file or connection it sees the tables there, for any other source the table
            `data`, whose columns have the types that were recognised: text that spells numbers or dates is numbers
            and dates there.
        kinds: for a query, column of `data` -> the kind that is meant, as `inspect_table` takes it.
        known: for a query, the columns of `data` as training found them, so that no cell is read another way.

    Returns:
        A table of at least one row and one column, with distinct names, no dictionary columns, and null for
        every missing cell (also NaN, blank text and the words NA, ?, nan, NULL).

    Raises:
        DataError: for a source that cannot be read as such a table.
    """
    where, table = _open(source, query, Wanted(kinds or {}, known))
    require_distinct(table.column_names, where)
    if table.num_columns == 0 or table.num_rows == 0:
        raise DataError(
            f"{where} has {table.num_rows} rows and {table.num_columns} columns, expected at least one "
            "of each; check the file or the query"
        )
    return _plain_table(table)


def _plain_table(table: pa.Table) -> pa.Table:
    """Plain columns with the metadata of the table and its fields."""
    columns = [plain_column(table[name]) for name in table.column_names]
    fields = [
        pa.field(old.name, column.type, metadata=old.metadata)
        for old, column in zip(table.schema, columns, strict=True)
    ]
    return pa.table(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


@dataclass(frozen=True)
class Wanted:
    """How the columns that a query sees are to be read."""

    kinds: Mapping[str, str]
    known: Sequence[Column] | None


def table_from_array(x: Any, names: Sequence[str] | None = None) -> pa.Table:
    """A table of number columns x0, x1, ... (or `names`) from a number array.

    Shapes: x (B, F).

    Raises:
        DataError: if x is not a two-dimensional array of numbers or `names` does not have F names.
    """
    array = np.asarray(x)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise DataError(
            f"the array has shape {array.shape} and dtype {array.dtype}, expected numbers of shape (B, F); "
            "reshape it, or give a frame where columns are not all numbers"
        )
    chosen = [f"x{i}" for i in range(array.shape[1])] if names is None else [str(name) for name in names]
    if len(chosen) != array.shape[1]:
        raise DataError(f"{len(chosen)} names for {array.shape[1]} columns, expected as many; give one name a column")
    require_distinct(chosen, "the given names")
    return pa.table({name: plain_column(_chunked(array[:, i])) for i, name in enumerate(chosen)})


def _open(source: Any, query: str | None, wanted: Wanted) -> tuple[str, pa.Table]:
    """The source in words for error lines, and its table."""
    if isinstance(source, str | Path):
        return str(source), _open_path(Path(source), query, wanted)
    if is_duckdb(source, "DuckDBPyConnection"):
        return "the query's result" if query else "the DuckDB database", _run_query(source, query)
    where, table = _open_object(source)
    return (where, table) if query is None else ("the query's result", _query_table(table, query, wanted))


def _open_object(source: Any) -> tuple[str, pa.Table]:
    if isinstance(source, pa.Table):
        return "the Arrow table", source
    if isinstance(source, pa.RecordBatch):
        return "the record batch", pa.Table.from_batches([source])
    if is_duckdb(source, "DuckDBPyRelation"):
        return "the DuckDB relation", source.to_arrow_table()
    if type(source).__module__.split(".")[0] == "pandas":
        return "the pandas frame", _from_pandas(source)
    if isinstance(source, Mapping):
        return "the dict", _from_mapping(source)
    if isinstance(source, np.ndarray):
        return "the array", table_from_array(source)
    if hasattr(source, "__arrow_c_stream__"):
        return "the frame", pa.table(source)
    if hasattr(source, "collect"):
        return "the lazy frame", source.collect().to_arrow()
    raise DataError(
        f"cannot read a table from {type(source).__name__}, expected a path, a frame, an Arrow table, "
        "a dict of arrays or a DuckDB connection; convert it to one of these"
    )


def is_duckdb(source: Any, name: str) -> bool:
    """Whether an object is of a class of DuckDB, which need not be imported to know."""
    return type(source).__name__ == name and type(source).__module__.lstrip("_").startswith("duckdb")


def _open_path(path: Path, query: str | None, wanted: Wanted) -> pa.Table:
    book, _, sheet = path.name.partition("#")
    if not path.exists() and inner_suffix(Path(book)) in SPREADSHEETS:
        table = _read_sheet(path.with_name(book), sheet)
        return table if query is None else _query_table(table, query, wanted)
    if not path.exists():
        raise DataError(f"no file {path}, expected a table (CSV, Parquet, Arrow, DuckDB); check the path")
    if path.is_dir():
        table = _read_folder(path)
        return table if query is None else _query_table(table, query, wanted)
    try:
        with path.open("rb") as file:
            start = file.read(12)
        if start[8:12] == b"DUCK":
            return _open_database(path, query)
        table = _read_file(path, start)
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from None
    return table if query is None else _query_table(table, query, wanted)


def _read_folder(path: Path) -> pa.Table:
    """All rows of the Parquet or Arrow files in a folder; `qloom.data.streams` reads them block by block."""
    from qloom.data.streams.files import FileRows, find_files

    stream = FileRows(find_files(path), path)
    return pa.concat_tables([stream.read(block) for block in range(len(stream.blocks))])


def _open_database(path: Path, query: str | None) -> pa.Table:
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            return _run_query(connection, query)
    except duckdb.IOException as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read ({_first_line(error)}); write it again or check its rights")


def _read_file(path: Path, start: bytes) -> pa.Table:
    suffix = inner_suffix(path)
    if suffix in SPREADSHEETS:
        return _read_sheet(path, "")
    if suffix in JSON:
        return read_json_rows(read_bytes(path), path)
    if is_compressed(start) and suffix in (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".arrows"):
        raise DataError(f"{path} is compressed from outside, expected {suffix} as it is; decompress it")
    if start[:4] == b"PAR1" or (start and suffix in (".parquet", ".pq")):
        return parquet.read_table(path, partitioning=None)
    if start[:6] == b"ARROW1":
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    if start and suffix in (".arrow", ".feather", ".ipc", ".arrows"):
        return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
    if suffix in (".pkl", ".pickle"):
        raise DataError(f"{path} is a pickle, which may run code, expected a table; save it as CSV or Parquet")
    return read_delimited(path)


def _read_sheet(path: Path, sheet: str) -> pa.Table:
    if not path.exists():
        raise DataError(f"no file {path}, expected a spreadsheet; check the path")
    return read_spreadsheet(path, sheet)


def _run_query(connection: duckdb.DuckDBPyConnection, query: str | None) -> pa.Table:
    import duckdb

    if query is None:
        query = f'SELECT * FROM "{only_table(connection)}"'
    try:
        relation = connection.sql(query)
        if relation is None:
            raise DataError("the query returns no table, expected a SELECT; end it with one")
        return relation.to_arrow_table()
    except duckdb.Error as error:
        raise DataError(f"the query fails in DuckDB: {_first_line(error)}; correct the SQL") from None


def _query_table(table: pa.Table, query: str, wanted: Wanted) -> pa.Table:
    import duckdb

    plain = _plain_table(table)
    found = find_columns(plain, None, (), {k: v for k, v in wanted.kinds.items() if k in plain.column_names})
    columns = [column for column, _ in found]
    if wanted.known is not None:
        columns = [column for column in wanted.known if column.name in plain.column_names]
    with duckdb.connect() as connection:
        connection.register("data", typed_table(plain, columns))
        result = _run_query(connection, query)
    notes = [note for _, kind in found for note in kind.notes]
    return described_result(result, columns, notes)


def only_table(connection: duckdb.DuckDBPyConnection) -> str:
    """The name of a database's one table, its quotes doubled."""
    names = [row[0] for row in connection.execute("SHOW TABLES").fetchall()]
    if len(names) != 1:
        shown = f": {', '.join(names[:6])}" if names else ""
        raise DataError(f"the DuckDB database has {len(names)} tables{shown}, expected one; say which with query=")
    return str(names[0]).replace('"', '""')


def _from_pandas(frame: Any) -> pa.Table:
    if not hasattr(frame, "columns"):
        frame = frame.to_frame()
    names = [str(name) for name in frame.columns]
    require_distinct(names, "the pandas frame")
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"the pandas frame has a column of mixed types ({_first_line(error)}); "
            "convert it to one, e.g. with astype(str)"
        ) from None
    return table.rename_columns(names).replace_schema_metadata(None)


def _from_mapping(arrays: Mapping[Any, Any]) -> pa.Table:
    columns = {str(name): _column(str(name), values) for name, values in arrays.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in list(lengths.items())[:6])
        raise DataError(f"the dict's columns differ in length ({shown}), expected one length; cut or fill them")
    return pa.table(columns)


def _column(name: str, values: Any) -> pa.ChunkedArray:
    if isinstance(values, pa.ChunkedArray):
        return values
    try:
        return _chunked(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError) as error:
        raise DataError(
            f"column {name!r} cannot be held as Arrow ({_first_line(error)}); give one type per column"
        ) from None


def _chunked(values: Any) -> pa.ChunkedArray:
    array = pa.array(values)
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _first_line(error: Exception) -> str:
    return str(error.args[-1] if error.args else error).strip().splitlines()[0]
