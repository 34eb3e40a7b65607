"""`qloom report`: the report of a run, made again from its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qloom.reports import write_report


def report(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Write report.html of a finished run."""
    typer.echo(f"{write_report(run)} written")
