"""Files whose rows are read in place, group by group: Parquet and Arrow IPC."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from qloom.data.cells import is_text
from qloom.data.streams.row_stream import rows_of_block
from qloom.errors import DataError


class DataFile(ABC):
    """One file of a stream.

    Attributes:
        path: of the file.
        schema: as the file has it.
        group_rows: rows of each group, in order.
        group_bytes: of each group, decoded; 0 where the file does not say.
        constants: columns that its folder names, with their one value as text; None for missing.
    """

    form: str
    path: Path
    schema: pa.Schema
    group_rows: Sequence[int]
    group_bytes: Sequence[int]
    constants: dict[str, str | None]

    @property
    def n_rows(self) -> int:
        """Rows of the file."""
        return sum(self.group_rows)

    @abstractmethod
    def read(self, groups: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """The rows of some groups, columns as the file has them."""

    @abstractmethod
    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows in small pieces, also of large groups."""

    @abstractmethod
    def digest(self) -> bytes:
        """What tells this file's content from another's without reading all of it."""


class ParquetFile(DataFile):
    """A Parquet file; its groups are row groups."""

    form = "Parquet"

    def __init__(self, path: Path, constants: dict[str, str | None]) -> None:
        self.path, self.constants = path, constants
        with reading(path):
            self._metadata = parquet.read_metadata(path)
            self.schema = self._metadata.schema.to_arrow_schema()
        groups = [self._metadata.row_group(i) for i in range(self._metadata.num_row_groups)]
        self.group_rows = [group.num_rows for group in groups]
        self.group_bytes = [group.total_byte_size for group in groups]
        self._coded = _coded_text(self.schema, self._metadata)

    def read(self, groups: Sequence[int], columns: Sequence[str]) -> pa.Table:
        coded = [name for name in columns if name in self._coded]
        with (
            reading(self.path),
            parquet.ParquetFile(
                self.path, metadata=self._metadata, read_dictionary=coded, page_checksum_verification=True
            ) as file,
        ):
            return file.read_row_groups(list(groups), columns=list(columns), use_threads=False)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with reading(self.path), parquet.ParquetFile(self.path, metadata=self._metadata) as file:
            size = rows_of_block(sum(self.group_bytes) / max(self.n_rows, 1))
            yield from file.iter_batches(size, columns=list(columns), use_threads=False)

    def digest(self) -> bytes:
        with reading(self.path), self.path.open("rb") as file:
            file.seek(-8 - self._metadata.serialized_size, 2)
            return hashlib.sha256(file.read()).digest()


def _coded_text(schema: pa.Schema, metadata: parquet.FileMetaData) -> set[str]:
    """Columns of text that the first row group holds as numbers of different texts, which need not be spelled out."""
    if not metadata.num_row_groups:
        return set()
    group = metadata.row_group(0)
    chunks = (group.column(i) for i in range(group.num_columns))
    coded = {chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page}
    return {field.name for field in schema if is_text(field.type) and field.name in coded}


class IpcFile(DataFile):
    """An Arrow IPC file; its groups are record batches."""

    form = "Arrow"

    def __init__(self, path: Path, constants: dict[str, str | None]) -> None:
        self.path, self.constants = path, constants
        with reading(path), pa.OSFile(str(path)) as file:
            opened = pa.ipc.open_file(file)
            self.schema = opened.schema
            batches = [opened.get_batch(i) for i in range(opened.num_record_batches)]
            self.group_rows = [batch.num_rows for batch in batches]
            self.group_bytes = [batch.nbytes for batch in batches]

    def read(self, groups: Sequence[int], columns: Sequence[str]) -> pa.Table:
        chosen = [self.schema.get_field_index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=sorted(chosen), use_threads=False)
        with reading(self.path), pa.OSFile(str(self.path)) as file:
            opened = pa.ipc.open_file(file, options=options)
            return pa.Table.from_batches([opened.get_batch(i) for i in groups], opened.schema)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for group in range(len(self.group_rows)):
            size = rows_of_block(self.group_bytes[group] / max(self.group_rows[group], 1))
            yield from self.read([group], columns).to_batches(max_chunksize=size)

    def digest(self) -> bytes:
        ends = 1 << 16
        with reading(self.path), self.path.open("rb") as file:
            start = file.read(ends)
            file.seek(max(file.seek(0, 2) - ends, 0))
            return hashlib.sha256(start + file.read()).digest()


class reading:  # noqa: N801 - used as a statement
    """Errors of files in one line, with the file named."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError | pa.ArrowException):
            first = str(error.args[-1] if error.args else error).strip().splitlines()[0]
            raise DataError(
                f"{self._path} cannot be read ({first}); it may be cut off: write it again or check its rights"
            ) from None
