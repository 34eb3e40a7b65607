"""`qloom predict`: the hybrid model of a run on new rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import typer

from qloom.errors import ConfigError
from qloom.files import replace_file
from qloom.models.served import read_served
from qloom.training.predictions import prediction_columns
from qloom.training.table import read_source


def predict(
    model: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    data: Annotated[str, typer.Argument(help="Table with the training columns; the target is not needed.")],
    output: Annotated[Path | None, typer.Option(help="CSV or Parquet file; by default CSV to the screen.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
) -> None:
    """Predict every row of a table: the class with its probabilities, or the number."""
    if output is not None:
        check_output(output)
    loaded = read_served(model)
    table = read_source(data, query)
    predictions = prediction_columns(loaded.coding_, loaded.predict_table(table))
    write_table({"row": np.arange(table.num_rows), **predictions}, output)
    if output is not None:
        typer.echo(f"{output} written: {table.num_rows} rows")


def check_output(path: Path) -> None:
    """Raise ConfigError unless the file is to be CSV or Parquet, in a folder that is there."""
    if not path.parent.is_dir():
        raise ConfigError(f"output {path} is in no folder that exists, expected one; make {path.parent} or rename it")
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError(f"output {path} ends in {path.suffix!r}, expected .csv or .parquet; rename it")


def write_table(columns: dict[str, Any], path: Path | None) -> None:
    """Write columns as a whole file, CSV or Parquet by its suffix, or as CSV to the screen."""
    table = pa.table({name: np.ascontiguousarray(column) for name, column in columns.items()})
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
