"""Files in one order as one stream: their common schema, and blocks of about 64k rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pyarrow as pa

from qloom.data.cells import is_number, plain_column
from qloom.data.columns import nearest_name, require_distinct
from qloom.data.streams.data_file import DataFile, IpcFile, ParquetFile
from qloom.data.streams.row_stream import BLOCK_BYTES, BLOCK_ROWS, Block, RowStream
from qloom.errors import DataError

PARQUET, IPC = (".parquet", ".pq"), (".arrow", ".feather", ".ipc")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class _Piece(NamedTuple):
    """Neighbouring groups of one file."""

    file: int
    groups: range


class FileRows(RowStream):
    """The rows of files, read in place.

    Args:
        files: in the order of their rows.
        root: what their names are told from.
        told: where their rows are from, in messages, where these files are only a copy.
    """

    def __init__(self, files: Sequence[DataFile], root: Path, told: str = "") -> None:
        self.root, self._told = root, told
        self.notes = _empty_note(files, root)
        self.files = [file for file in files if file.n_rows]
        self.schema = common_schema(self.files, root)
        self._pieces = list(_cut(self.files))
        self.blocks, self._firsts = [], [0]
        for pieces in self._pieces:
            rows = sum(self.files[piece.file].group_rows[group] for piece in pieces for group in piece.groups)
            self.blocks.append(Block(self.n_rows, rows))
        for file in self.files:
            self._firsts.append(self._firsts[-1] + file.n_rows)
        self.description = self._describe()

    def _describe(self) -> str:
        form, n = self.files[0].form, len(self.files)
        size = sum(file.path.stat().st_size for file in self.files)
        return f"{n:,} {form} file{'s' * (n > 1)}, {self.n_rows:,} rows, {spoken_bytes(size)}"

    def read(self, block: int, columns: Sequence[str] | None = None) -> pa.Table:
        names = self.schema.names if columns is None else list(columns)
        tables = [self._read_piece(piece, names) for piece in self._pieces[block]]
        return tables[0] if len(tables) == 1 else pa.concat_tables(tables).combine_chunks()

    def _read_piece(self, piece: _Piece, names: Sequence[str]) -> pa.Table:
        file = self.files[piece.file]
        held = [name for name in names if name not in file.constants]
        return self._plain(file, file.read(piece.groups, held), names)

    def _plain(self, file: DataFile, table: pa.Table, names: Sequence[str]) -> pa.Table:
        """Rows of a file as the stream has them."""
        columns = [
            self._constant(file, name, table.num_rows) if name in file.constants else self._column(file, table, name)
            for name in names
        ]
        return pa.table(columns, schema=pa.schema([self.schema.field(name) for name in names]))

    def _column(self, file: DataFile, table: pa.Table, name: str) -> pa.ChunkedArray:
        wanted = self.schema.field(name).type
        column = plain_column(table[name])
        try:
            return column if column.type == wanted else column.cast(wanted)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"column {name!r} of {self._name(file)} does not go into {wanted} ({str(error).splitlines()[0]}), "
                "which the other files' cells need; write it with their type"
            ) from None

    def _constant(self, file: DataFile, name: str, rows: int) -> pa.ChunkedArray:
        value = pa.scalar(file.constants[name], pa.string()).cast(self.schema.field(name).type)
        return pa.chunked_array([pa.repeat(value, rows)])

    def _name(self, file: DataFile) -> str:
        return file.path.name if file.path == self.root else str(file.path.relative_to(self.root))

    def where(self, row: int) -> str:
        if self._told:
            return f"{self._told}, row {row + 1:,}"
        last = next(i for i, first in enumerate(self._firsts[1:]) if row < first)
        return f"{self._name(self.files[last])}, row {row - self._firsts[last] + 1:,}"

    def fingerprint(self) -> str:
        found = hashlib.sha256()
        for file in self.files:
            heading = f"{self._name(file)}\0{file.path.stat().st_size}\0{file.n_rows}\0"
            found.update(heading.encode() + file.digest())
        return found.hexdigest()

    @property
    def has_large_groups(self) -> bool:
        """Whether a group of rows is more than is to be held at once."""
        largest = max(max(file.group_bytes) for file in self.files)
        return self.largest_group > 2 * BLOCK_ROWS or largest > 4 * BLOCK_BYTES

    @property
    def largest_group(self) -> int:
        """Rows of the largest group."""
        return max(max(file.group_rows) for file in self.files)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in their order, in pieces that need no whole group in memory."""
        for file in self.files:
            held = [name for name in self.schema.names if name not in file.constants]
            for batch in file.batches(held):
                yield from self._plain(file, pa.Table.from_batches([batch]), self.schema.names).to_batches()


def _cut(files: Sequence[DataFile]) -> Iterator[list[_Piece]]:
    """Blocks: neighbouring groups, also of several files, until there are enough rows or bytes."""
    pieces: list[_Piece] = []
    rows = size = 0
    for number, file in enumerate(files):
        start = 0
        for group, (more, bytes_) in enumerate(zip(file.group_rows, file.group_bytes, strict=True)):
            if rows and (rows + more > BLOCK_ROWS or size + bytes_ > BLOCK_BYTES):
                yield [*pieces, _Piece(number, range(start, group))] if group > start else pieces
                pieces, rows, size, start = [], 0, 0, group
            rows, size = rows + more, size + bytes_
        pieces.append(_Piece(number, range(start, len(file.group_rows))))
    if rows:
        yield pieces


def common_schema(files: Sequence[DataFile], root: Path) -> pa.Schema:
    """Plain types of all files' columns, in the order of the first's.

    Columns that are missing throughout a file, and whole numbers beside others, take the type of the other files.

    Raises:
        DataError: for columns that a file lacks or has beyond the first's, and for types that do not go together.
    """
    first = files[0]
    types: dict[str, pa.DataType] = {}
    made_by: dict[str, DataFile] = {}
    for file in files:
        found = {**{field.name: plain_type(field.type) for field in file.schema}, **_folder_types(files, file)}
        require_distinct([*file.schema.names], str(file.path))
        _require_same(found, types or found, file, first, root)
        for name, kind in found.items():
            joined = _joined(types.get(name, kind), kind)
            if joined is None:
                raise DataError(
                    f"column {name!r} holds {kind} in {_told(file, root)} and {types[name]} in "
                    f"{_told(made_by[name], root)}, expected one type; write one of them again"
                )
            if joined != types.get(name):
                made_by[name] = file
            types[name] = joined
    said = {field.name: field.metadata for field in first.schema}
    fields = [pa.field(name, kind, metadata=_ours(said.get(name))) for name, kind in types.items()]
    return pa.schema(fields, metadata=_ours(first.schema.metadata))


def _ours(metadata: Mapping[bytes, bytes] | None) -> dict[bytes, bytes] | None:
    """What this package says of a table or a column; not what others do."""
    return {key: value for key, value in (metadata or {}).items() if key.startswith(b"qloom.")} or None


def _told(file: DataFile, root: Path) -> str:
    return file.path.name if file.path == root else str(file.path.relative_to(root))


def _require_same(found: dict[str, pa.DataType], wanted: dict[str, pa.DataType], file: DataFile, first: DataFile, root: Path) -> None:  # fmt: skip  # noqa: E501
    for name in wanted:
        if name not in found:
            raise DataError(
                f"{_told(file, root)} has no column {name!r}, expected those of {_told(first, root)}; "
                f"{nearest_name(name, list(found))}"
            )
    for name in found:
        if name not in wanted:
            raise DataError(
                f"{_told(file, root)} has a column {name!r} that {_told(first, root)} has not, expected the same "
                "columns in every file; write it again without"
            )


def _joined(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The type that holds cells of both; None if they do not go together."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    if not (is_number(one) and is_number(other)):
        return None
    schemas = [pa.schema([("x", one)]), pa.schema([("x", other)])]
    return pa.unify_schemas(schemas, promote_options="permissive").field(0).type


def _folder_types(files: Sequence[DataFile], file: DataFile) -> dict[str, pa.DataType]:
    return {name: _constant_type(name, files) for name in file.constants}


def _constant_type(name: str, files: Sequence[DataFile]) -> pa.DataType:
    values = [file.constants.get(name) for file in files]
    return pa.int64() if all(v is None or v.removeprefix("-").isdecimal() for v in values) else pa.string()


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of a plain column whose cells have a type."""
    return plain_column(pa.chunked_array([pa.array([], kind)])).type


def _empty_note(files: Sequence[DataFile], root: Path) -> tuple[str, ...]:
    empty = [_told(file, root) for file in files if not file.n_rows]
    if len(empty) == len(files):
        raise DataError(f"{root} has no rows in {len(files)} files, expected at least one row; check what wrote it")
    shown = ", ".join(empty[:3]) + (", ..." if len(empty) > 3 else "")
    return (f"{len(empty)} of {len(files)} files have no rows and are skipped: {shown}",) if empty else ()


def find_files(path: Path) -> list[DataFile]:
    """The Parquet or Arrow files of a folder and the folders in it, sorted by name, or the one that a path names.

    Names that begin with _ or . are passed over; folders named "column=value" give that column.

    Raises:
        DataError: for a folder without such files or with both kinds, and files that cannot be read.
    """
    if path.is_file():
        return [_opened(path, path.parent)]
    found = [each for each in sorted(path.rglob("*")) if each.suffix.lower() in (*PARQUET, *IPC) and each.is_file()]
    shown = [each for each in found if not any(part[0] in "._" for part in each.relative_to(path).parts)]
    if not shown:
        raise DataError(
            f"{path} is a folder without Parquet or Arrow files, expected some; name the folder of the table"
        )
    forms = sorted({each.suffix.lower() in PARQUET for each in shown})
    if len(forms) > 1:
        raise DataError(f"{path} has Parquet and Arrow files, expected one kind; name the folder of one of them")
    return [_opened(each, path) for each in shown]


def _opened(path: Path, root: Path) -> DataFile:
    parts = (part.partition("=") for part in path.relative_to(root).parts[:-1] if "=" in part)
    constants = {unquote(name): None if value == _NO_VALUE else unquote(value) for name, _, value in parts}
    return (ParquetFile if path.suffix.lower() in PARQUET else IpcFile)(path, constants)


def spoken_bytes(size: float) -> str:
    """A size as people say it: "1.6 GB"."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
