"""`qloom score`: how much rows look like those that a generative model learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import typer

from qloom.cli.predict import describe_novelties, id_columns
from qloom.data.writing import check_output, write_table
from qloom.models.saving import load_model
from qloom.training.generation_folder import find_model, read_coding
from qloom.training.table import read_source


def score(
    model: Annotated[Path, typer.Argument(help="Run folder of qloom generate, or a model folder in it.")],
    data: Annotated[str, typer.Argument(help="Table with the training columns.")],
    output: Annotated[Path | None, typer.Option(help="CSV or Parquet file; by default CSV to the screen.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="Column to copy beside the scores; may be repeated.")
    ] = None,
    chosen: Annotated[str | None, typer.Option("--model", help="Another model of the run, by its name.")] = None,
) -> None:
    """Score every row of a table: higher is more like the training rows, lowest is strangest; and what is new in it."""
    if output is not None:
        check_output(output)
    folder = find_model(model, chosen)
    coding, loaded = read_coding(folder), load_model(folder)
    table = read_source(data, query)
    bits, strange = coding.coded(table)
    scores = np.asarray(loaded.score_samples(bits), np.float64)
    for rows in strange.values():
        scores[rows] = -np.inf  # no probability is known of a cell that training had nothing like
    novelties = coding.novelties(table)
    columns = {"row": np.arange(table.num_rows), **id_columns(table, ids or [], {"score": scores}), "score": scores}
    write_table(pa.table({**columns, "unseen": novelties.texts}), output)
    for line in describe_novelties(novelties, table.num_rows):
        typer.echo(line, err=True)
    if output is not None:
        typer.echo(f"{output} written: {table.num_rows} rows")
