"""Tables as files, whole or not at all: CSV or Parquet by the suffix."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv

from qloom.errors import ConfigError
from qloom.files import replace_file


def check_output(path: Path) -> None:
    """Raise ConfigError unless the file is to be CSV or Parquet, in a folder that is there."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError(f"output {path} ends in {path.suffix!r}, expected .csv or .parquet; rename it")
    if not path.parent.is_dir():
        raise ConfigError(f"output {path} is in no folder that exists, expected one; make {path.parent} or rename it")


def write_table(table: pa.Table, path: Path | None) -> None:
    """Write a whole file, CSV or Parquet by its suffix, or CSV to the screen."""
    buffer = pa.BufferOutputStream()
    if path is not None and path.suffix.lower() == ".parquet":
        from pyarrow import parquet

        parquet.write_table(table, buffer)
    else:
        arrow_csv.write_csv(table, buffer, arrow_csv.WriteOptions(quoting_style="needed"))
    content = buffer.getvalue().to_pybytes()
    if path is None:
        sys.stdout.write(content.decode())
    else:
        replace_file(path, content)
