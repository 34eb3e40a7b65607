"""`qloom evaluate`: a model of a run, scored on rows with a known target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import typer

from qloom.data import TargetCoding, rows_with_target
from qloom.errors import DataError
from qloom.models.artifact import find_model_folder
from qloom.models.tables.places import MODEL_HELP, find_model
from qloom.models.tables.scores import TITLES, score, score_names
from qloom.models.tables.served import Predictor, read_served
from qloom.training.bootstrap import bootstrap_scores, interval_of
from qloom.training.seen_rows import keys_of, read_seen_rows
from qloom.training.table import read_source


def evaluate(
    model: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    data: Annotated[str, typer.Argument(help="Table with the training columns and the target.")],
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Score the model on its own training rows too.")] = False,
    chosen: Annotated[str | None, typer.Option("--model", help=MODEL_HELP)] = None,
    metric: Annotated[str | None, typer.Option(help="Score to print first.")] = None,
) -> None:
    """Score the model on a table, each score with its 95% interval; rows without a target are left out."""
    loaded = read_served(find_model(model, chosen))
    table = rows_with_target(read_source(data, query, known=loaded.preprocessing_.queried), loaded.coding_.name)
    if table.num_rows == 0:
        raise DataError(f"{data} has no row with a target {loaded.coding_.name!r}, expected at least one")
    training = count_training_rows(model, loaded, table, force)
    result = {**evaluate_model(loaded, table, seed, metric), "n_training_rows": training}
    if training:
        typer.echo(f"{training} of {table.num_rows} rows were training rows: the scores flatter", err=True)
    if training is None:
        typer.echo("this model was saved without its training rows: whether these are new is not known", err=True)
    print_result(result, as_json)


def count_training_rows(model: Path, loaded: Predictor, table: pa.Table, force: bool) -> int | None:
    """How many rows the model learnt from; None where that was not kept.

    Raises:
        DataError: if these are most rows and that is not meant.
    """
    seen = read_seen_rows(find_model_folder(model))
    if seen is None:
        return None
    keys = keys_of(loaded.preprocessing_, loaded.coding_, table)
    count = round(seen.share(keys) * len(keys))
    if seen.flatters(keys) and not force:
        raise DataError(
            f"{count} of {len(keys)} rows were training rows, expected new ones: scores on them say little; "
            "give other rows, or --force to score these"
        )
    return count


def print_result(result: dict[str, Any], as_json: bool) -> None:
    """Scores as JSON or in lines; what is not defined has its reason."""
    if as_json:
        typer.echo(json.dumps(result, indent=1, allow_nan=False))
        return
    typer.echo(f"{result['n_rows']} rows")
    for name, (value, low, high) in result["scores"].items():
        if value is None:
            typer.echo(f"{TITLES[name]:20s} not defined: {result['undefined'][name]}")
        else:
            typer.echo(f"{TITLES[name]:20s} {value:.4f}  (95% interval {low:.4f} to {high:.4f})")


def evaluate_model(model: Predictor, table: pa.Table, seed: int, metric: str | None = None) -> dict[str, Any]:
    """Rows used, every score as [value, low, high], and why a score is not defined: its values are None then."""
    coding = model.coding_
    names = score_names(coding.task, len(coding.classes), metric)
    y, level = coding.truth(table), model.readout_.level
    predictions = model.predict_table(table)
    scores: dict[str, list[float | None]] = {}
    for name in names:
        value = score(name, y, predictions, level)
        if np.isfinite(value):
            draws = bootstrap_scores(name, y, {"model": predictions}, seed, level=level)["model"]
            scores[name] = [value, *interval_of(draws)]
        else:
            scores[name] = [None, None, None]
    undefined = {name: why_undefined(coding, y) for name, (value, *_) in scores.items() if value is None}
    return {"n_rows": table.num_rows, "target": coding.name, "scores": scores, "undefined": undefined}


def why_undefined(coding: TargetCoding, y: np.ndarray) -> str:
    """What of the rows leaves a score without a value."""
    if coding.task == "regression":
        return f"{coding.name!r} is {y[0]:g} in every row" if np.ptp(y) == 0 else "it takes other values"
    present = [coding.classes[code] for code in np.unique(y)]
    if len(present) == 1:
        return f"every row is of the class {present[0]!r}"
    missing = next(label for label in coding.classes if label not in present)
    return f"no row is of the class {missing!r}"
