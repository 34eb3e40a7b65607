"""`qloom report`: the report of a run, made again from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qloom.errors import UnsupportedError
from qloom.reports import write_report
from qloom.reports.generation import write_generation_report
from qloom.reports.model_card import write_model_card
from qloom.training.generation_folder import is_generation


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    card: Annotated[
        bool, typer.Option("--card", help="Write MODEL_CARD.md instead, for those who get the model.")
    ] = False,
) -> None:
    """Write report.html of a finished run, or its model card."""
    generated = is_generation(run)
    if card and generated:
        raise UnsupportedError(
            f"{run} is a run of qloom generate, expected one of qloom train for --card; leave it out"
        )
    write = write_model_card if card else write_generation_report if generated else write_report
    typer.echo(f"{write(run)} written")
