"""From what a user names to rows on disk: files are read in place, everything else is written there once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qloom.data.streams.files import IPC, PARQUET, FileRows, find_files
from qloom.data.streams.row_stream import RowStream
from qloom.errors import DataError


def open_stream(
    source: Any, query: str | None = None, *, spool: Path, kinds: Mapping[str, str] | None = None
) -> RowStream:
    """Rows of a table of any size."""
    path = Path(source)
    if path.is_dir() or path.suffix.lower() in (*PARQUET, *IPC):
        return FileRows(find_files(path), path)
    raise DataError(f"{source} cannot be streamed")
