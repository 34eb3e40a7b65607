"""JSON lines of any size, batch by batch; the types of their columns are fixed by the first rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.json as arrow_json

from qloom.data.streams.spooling import Batches
from qloom.data.streams.text_files import opened
from qloom.errors import DataError

_BLOCK = 8 << 20


def json_batches(path: Path) -> Batches:
    """The rows of JSON lines; a key that a row lacks is a missing cell.

    Raises:
        DataError: for a list of objects, and from the batches for keys or types that the first rows have not.
    """
    with opened(path) as file:
        if file.read(1 << 12).lstrip().startswith(b"["):
            raise DataError(
                f"{path} is one list of objects, expected an object a line to be read in pieces; write it so"
            )
    with opened(path) as file, _refusing(path, 0), arrow_json.open_json(file, _options()) as reader:
        schema = pa.schema(
            [(each.name, pa.string() if pa.types.is_null(each.type) else each.type) for each in reader.schema]
        )
    return Batches(str(path), schema, _read(path, schema))


def _options() -> arrow_json.ReadOptions:
    return arrow_json.ReadOptions(block_size=_BLOCK, use_threads=False)


def _read(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    parse = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    n_rows = 0
    with opened(path) as file, arrow_json.open_json(file, _options(), parse) as reader:
        while True:
            try:
                with _refusing(path, n_rows):
                    batch = reader.read_next_batch()
            except StopIteration:
                return
            n_rows += batch.num_rows
            yield batch


class _refusing:  # noqa: N801 - used as a statement
    def __init__(self, path: Path, n_rows: int) -> None:
        self._path, self._n_rows = path, n_rows

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, pa.ArrowException | OSError):
            after = f" after row {self._n_rows:,}" if self._n_rows else ""
            raise DataError(
                f"{self._path} is no table in JSON{after} ({str(error).splitlines()[0]}), expected an object a line "
                "with the keys and types of the first ones; write it so"
            ) from None
