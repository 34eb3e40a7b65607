"""`qloom evaluate`: a model of a run, scored on rows with a known target."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from qloom.cli.engine import ENGINE_HELP, engine_changes, engine_line
from qloom.models.tables.scores import TITLES
from qloom.training.evaluation import evaluate as evaluate_run
from qloom.training.folder import MODEL_HELP
from qloom.training.versions import version_line


def evaluate(
    model: Annotated[Path, typer.Argument(help="Run folder or model folder.")],
    data: Annotated[str, typer.Argument(help="Table with the training columns and the target.")],
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Score the model on its own training rows too.")] = False,
    chosen: Annotated[str | None, typer.Option("--model", help=MODEL_HELP)] = None,
    metric: Annotated[str | None, typer.Option(help="Score to print first.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help=ENGINE_HELP)] = None,
) -> None:
    """Score the model on a table, each score with its 95% interval; rows without a target are left out."""
    engine = engine_changes(settings or [])
    result = evaluate_run(
        model, data, query=query, model=chosen, metric=metric, engine=engine, seed=seed, force=force
    )  # fmt: skip
    training = result["n_training_rows"]
    if training:
        typer.echo(f"{training} of {result['n_rows']} rows were training rows: the scores flatter", err=True)
    if training is None:
        typer.echo("this model was saved without its training rows: whether these are new is not known", err=True)
    if line := version_line(model, chosen):
        typer.echo(line, err=True)
    if as_json:
        typer.echo(json.dumps(result, indent=1, allow_nan=False))
    else:
        print_result(result)


def print_result(result: dict[str, Any]) -> None:
    """Scores in lines, those to be seen beside them in columns; what is not defined has its reason."""
    beside, line = result.get("beside", {}), engine_line(result["engine"])
    typer.echo(f"{result['n_rows']} rows" + (f"; {line}" if line else ""))
    width = max(map(len, (TITLES[name] for name in result["scores"])))
    if beside:
        typer.echo(f"{'':{width}} {'measured':{len(_interval(0, 0, 0))}}" + "".join(f"  {title}" for title in beside))
    for name, (value, low, high) in result["scores"].items():
        if value is None:
            text = f"not defined: {result['undefined'][name]}"
        else:
            others = [(title, scores[name]) for title, scores in beside.items()]
            texts = (f"  {'–' if other is None else f'{other:.4f}':{len(title)}}" for title, other in others)
            text = _interval(value, low, high) + "".join(texts)
        typer.echo(f"{TITLES[name]:{width}} {text}".rstrip())


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.4f}  (95% interval {low:.4f} to {high:.4f})"
