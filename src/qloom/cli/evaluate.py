"""`qloom evaluate`: the hybrid model of a run, scored on rows with a known target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from qloom.data import rows_with_target
from qloom.models.scores import TITLES, score, score_names
from qloom.models.served import Served, read_served
from qloom.training.bootstrap import bootstrap_scores, interval_of
from qloom.training.table import read_source


def evaluate(
    model: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    data: Annotated[str, typer.Argument(help="Table with the training columns and the target.")],
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> None:
    """Score the model on a table, each score with its 95% interval; rows without a target are left out."""
    result = evaluate_model(read_served(model), read_source(data, query), seed)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
        return
    typer.echo(f"{result['n_rows']} rows")
    for name, (value, low, high) in result["scores"].items():
        typer.echo(f"{TITLES[name]:20s} {value:.4f}  (95% interval {low:.4f} to {high:.4f})")


def evaluate_model(model: Served, table: Any, seed: int) -> dict[str, Any]:
    """Rows used, and every score as [value, low, high]."""
    coding = model.coding_
    table = rows_with_target(table, coding.name)
    y = coding.encode(table)
    y = coding.decode(y) if coding.task == "regression" else y
    predictions = model.predict_table(table)
    scores = {}
    for name in score_names(coding.task, len(coding.classes)):
        draws = bootstrap_scores(name, y, {"model": predictions}, seed)["model"]
        scores[name] = [score(name, y, predictions), *interval_of(draws)]
    return {"n_rows": table.num_rows, "target": coding.name, "scores": scores}
