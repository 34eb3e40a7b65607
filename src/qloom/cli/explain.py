"""`qloom explain`: what columns add to single predictions, and what the parts of a circuit do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from qloom.cli.engine import ENGINE_HELP, engine_changes
from qloom.cli.explanation_tables import contributions_table, parts_table
from qloom.cli.leaderboard import console_of_width, print_wrapped
from qloom.errors import ConfigError
from qloom.models.explanations.shapley import ERROR
from qloom.training.attributions import N_BACKGROUND, explain_rows
from qloom.training.circuit_importance import explain_circuit
from qloom.training.explanation_text import circuit_sentences, row_sentences, sampled_sentence
from qloom.training.folder import MODEL_HELP


def explain(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    rows: Annotated[
        list[int] | None, typer.Argument(help="Numbers of rows from 0, of the run's table or of --data.", metavar="ROW")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Table with the training columns to take rows from.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL on --data; it sees the table `data`.")] = None,
    circuit: Annotated[
        bool, typer.Option("--circuit", help="What the score loses without each qubit, layer and gate.")
    ] = False,
    label: Annotated[
        str | None, typer.Option("--class", help="Whose probability; else the second of two, or the one predicted.")
    ] = None,
    chosen: Annotated[str | None, typer.Option("--model", help=MODEL_HELP)] = None,
    n_background: Annotated[
        int, typer.Option("--background-rows", help="Training rows that stand in for columns not known.")
    ] = N_BACKGROUND,
    background: Annotated[str | None, typer.Option(help="Table to take them from instead.")] = None,
    error: Annotated[
        float, typer.Option(help="Of sampled contributions: a share of the spread of the background's predictions.")
    ] = ERROR,
    seed: Annotated[int, typer.Option(help="Of background rows, orders and redraws.")] = 0,
    page: Annotated[Path | None, typer.Option(help="HTML file to write.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", help=ENGINE_HELP)] = None,
) -> None:
    """Say why a model predicts what it does for a row, beside its classical control; or which parts of the circuit
    matter."""
    if not rows and not circuit:
        raise ConfigError(f"nothing to explain, expected a row such as qloom explain {run} 0, or --circuit")
    engine = engine_changes(settings or [])
    found: dict[str, Any] = {}
    if rows:
        found = explain_rows(
            run, rows, data=data, query=query, model=chosen, label=label, engine=engine, n_background=n_background,
            background=background, error=error, seed=seed,
        )  # fmt: skip
    if circuit:
        found["circuit"] = explain_circuit(run, data=data, query=query, model=chosen, engine=engine, seed=seed)
    if page is not None:
        from qloom.reports.explanation import write_explanation  # brings matplotlib along

        write_explanation(page, str(run), found)
    if as_json:
        typer.echo(json.dumps(found, indent=1, allow_nan=False))
        return
    _print(found)
    if page is not None:
        typer.echo(f"{page} written")


def _print(found: dict[str, Any]) -> None:
    console = console_of_width()
    for row in found.get("rows", ()):
        print_wrapped(console, row_sentences(found, row))
        console.print(contributions_table(row), markup=False)
        if line := sampled_sentence(row):
            print_wrapped(console, line)
    if "circuit" in found:
        print_wrapped(console, circuit_sentences(found["circuit"]))
        console.print(parts_table(found["circuit"]), markup=False)
