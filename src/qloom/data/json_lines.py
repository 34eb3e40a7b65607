"""Tables in JSON: an object a line, or a list of objects."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from qloom.errors import DataError

SUFFIXES = (".json", ".jsonl", ".ndjson")


def read_json_rows(data: bytes, path: Path) -> pa.Table:
    """The rows of JSON lines or of a list of objects; a key that a row lacks is a missing cell.

    Raises:
        DataError: for text that is neither, or a column whose values differ in type.
    """
    try:
        return _read(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, TypeError, pa.ArrowException) as error:
        first = str(error).splitlines()[0]
        raise DataError(
            f"{path} is no table in JSON ({first}), expected an object a line or a list of objects; write it so"
        ) from None


def _read(text: str) -> pa.Table:
    if text.lstrip().startswith("["):
        return _from_rows(json.loads(text))
    from pyarrow import json as arrow_json

    data = text.encode("utf-8")
    return arrow_json.read_json(
        pa.BufferReader(data), read_options=arrow_json.ReadOptions(block_size=min(len(data) + 1, 1 << 30))
    )


def _from_rows(rows: object) -> pa.Table:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("the list holds other things than objects")
    names = dict.fromkeys(str(name) for row in rows for name in row)
    return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})
