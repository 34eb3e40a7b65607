"""`qloom predict`: a model of a run on new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer

from qloom.cli.engine import ENGINE_HELP, engine_changes, engine_line
from qloom.data.columns import require_columns
from qloom.data.novelty import Novelties
from qloom.data.writing import check_output, write_table
from qloom.errors import ConfigError
from qloom.models.artifact import FINETUNED, estimator_in
from qloom.training.evaluation import open_model
from qloom.training.folder import MODEL_HELP
from qloom.training.predictions import prediction_columns
from qloom.training.table import read_source
from qloom.training.versions import version_line

_MOST_LINES = 8


def predict(
    model: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    data: Annotated[str, typer.Argument(help="Table with the training columns; the target is not needed.")],
    output: Annotated[Path | None, typer.Option(help="CSV or Parquet file; by default CSV to the screen.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="Column to copy beside the predictions; may be repeated.")
    ] = None,
    chosen: Annotated[str | None, typer.Option("--model", help=MODEL_HELP)] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help=ENGINE_HELP)] = None,
) -> None:
    """Predict every row of a table: the class with its probabilities, or the number, and what training had not seen."""
    if output is not None:
        check_output(output)
    if (folder := _finetuned_folder(model, chosen)) is not None:
        _predict_finetuned(folder, data, query, ids or [], output, settings or [])
        return
    loaded = open_model(model, chosen, engine_changes(settings or []))
    table = read_source(data, query, known=loaded.preprocessing_.queried)
    predictions = prediction_columns(loaded.coding_, loaded.predict_table(table), threshold=loaded.readout_.threshold)
    novelties = loaded.preprocessing_.novelties(table)
    columns = {"row": np.arange(table.num_rows), **id_columns(table, ids or [], predictions), **predictions}
    columns |= {} if novelties is None else {"unseen": novelties.texts}
    write_table(pa.table({name: _contiguous(column) for name, column in columns.items()}), output)
    for line in describe_novelties(novelties, table.num_rows):
        typer.echo(line, err=True)
    if line := version_line(model, chosen):
        typer.echo(line, err=True)
    if loaded.engine_ is not None and (line := engine_line(loaded.engine_.values())):
        typer.echo(line, err=True)
    if output is not None:
        typer.echo(f"{output} written: {table.num_rows} rows")


def _finetuned_folder(path: Path, name: str | None) -> Path | None:
    """Where the fine-tuned model is; None for models of tables."""
    if estimator_in(path) != FINETUNED:
        return None
    from qloom.training.finetuning.saved import finetuned_folder

    return finetuned_folder(path, name)


def _predict_finetuned(
    folder: Path, data: str, query: str | None, ids: Sequence[str], output: Path | None, settings: Sequence[str]
) -> None:
    from qloom.training.finetuning.saved import load_finetuned

    if settings:
        raise ConfigError(f"--set {settings[0]} of a fine-tuned model, which has no engine; leave it out")
    loaded, table = load_finetuned(folder), read_source(data, query)
    predictions = prediction_columns(loaded.coding_, loaded.predict_table(table, Path(data).parent))
    columns = {"row": np.arange(table.num_rows), **id_columns(table, ids, predictions), **predictions}
    write_table(pa.table({name: _contiguous(column) for name, column in columns.items()}), output)
    if output is not None:
        typer.echo(f"{output} written: {table.num_rows} rows")


def id_columns(table: pa.Table, names: Sequence[str], predictions: Mapping[str, Any]) -> dict[str, pa.ChunkedArray]:
    """The columns to copy.

    Raises:
        ConfigError: for a name that stands for a column of the predictions.
    """
    require_columns(table, names, "beside the predictions")
    taken = {"row", "unseen", *predictions}
    for name in names:
        if name in taken:
            raise ConfigError(f"--id {name!r} is a column of the predictions, expected another; rename it with --query")
    return {name: table[name] for name in names}


def describe_novelties(novelties: Novelties | None, n_rows: int) -> list[str]:
    """What the rows hold that training did not, for people."""
    if novelties is None:
        return ["this model was saved without what it had seen: train it again to be told what is new in rows"]
    if not novelties.summary:
        return []
    lines = [f"{novelties.n_rows} of {n_rows} rows hold what training had not seen (column `unseen`):"]
    lines += [f"  {line}" for line in novelties.summary[:_MOST_LINES]]
    more = len(novelties.summary) - _MOST_LINES
    return lines + ([f"  and {more} more"] if more > 0 else [])


def _contiguous(column: Any) -> Any:
    return np.ascontiguousarray(column) if isinstance(column, np.ndarray) else column
