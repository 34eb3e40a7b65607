"""`qloom init`: a commented configuration for a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qloom.cli.kinds import KIND_HELP, parse_kinds
from qloom.data import Schema
from qloom.errors import ArtifactError
from qloom.files import replace_file
from qloom.training.configuration import Change, make_configuration
from qloom.training.demonstrations import PREFIX, demonstration_target
from qloom.training.rendering import render_configuration
from qloom.training.table import load_table


def init(
    data: Annotated[str, typer.Argument(help="Table to train on.")],
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write, by default NAME.yaml.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=KIND_HELP)] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of the configuration; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
) -> None:
    """Look at a table and write a configuration with every key, its default and what it does."""
    if target is None and data.startswith(PREFIX):
        target = demonstration_target(data)
    section = {"source": data} if target is None else {"source": data, "target": target}
    kinds = parse_kinds(kind or [])
    changes: list[Change] = [("data.kinds", kinds)] if kinds else []
    configuration = make_configuration({"data": section}, [*changes, *(settings or [])])
    path = output or Path(f"{configuration.name}.yaml")
    if path.exists() and not force:
        raise ArtifactError(f"{path} exists already; give another file with --output, or overwrite it with --force")
    schema = load_table(configuration).schema
    replace_file(path, render_configuration(configuration, describe_schema(schema)))
    typer.echo(f"{path} written; train with: qloom train {path}")


def describe_schema(schema: Schema) -> list[str]:
    """What was found in a table, one line each."""
    classes = f" of {len(schema.classes)} classes" if schema.classes else ""
    found = f"Found: {schema.task}{classes}, {schema.n_rows} rows, {len(schema.features)} columns to learn from."
    return [found, *schema.notes, *(f"Warning: {warning}" for warning in schema.warnings)]
