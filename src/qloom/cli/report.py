"""`qloom report`: the report of a run, made again from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qloom.reports import write_report
from qloom.reports.generation import write_generation_report
from qloom.training.generation_folder import is_generation


def report(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Write report.html of a finished run."""
    write = write_generation_report if is_generation(run) else write_report
    typer.echo(f"{write(run)} written")
