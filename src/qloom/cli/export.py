"""`qloom export`: a model of a run for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from qloom.portable.exporting import MOST_ROWS, RECORD, export_run
from qloom.portable.formats import FORMATS
from qloom.training.folder import MODEL_HELP


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run, or of a model.")],
    form: Annotated[str, typer.Option("--to", help=f"One of {', '.join(FORMATS)}.")],
    output: Annotated[
        Path | None, typer.Option(help="New folder to write; by default export/FORMAT in the run's folder.")
    ] = None,
    chosen: Annotated[str | None, typer.Option("--model", help=MODEL_HELP)] = None,
    part: Annotated[
        str, typer.Option(help="whole: features to predictions; classical: encoder and head, the circuit left out.")
    ] = "whole",
    cut: Annotated[
        float | None,
        typer.Option(help="For wide circuits: drop words with coefficients up to this, such as 1e-3; 0 drops none."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Table with rows to check on; by default the run's test rows.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows to check on at most.", min=1)] = MOST_ROWS,
) -> None:
    """Export a model as a torch program, ONNX, OpenQASM 3 or an ordinary network; it is checked on held-out rows."""
    folder, record = export_run(run, form, output, model=chosen, part=part, cut=cut, data=data, rows=rows)
    for line in describe(record):
        typer.echo(line)
    typer.echo(f"{folder} written: {', '.join(record['files_sha256'])}, {RECORD}, README.md")


def describe(record: dict[str, Any]) -> list[str]:
    """What a reader has to know, and how far off the export was."""
    checked = record["checked"]
    lines = [*record["notes"], *([record["execution"]] if record["execution"] else [])]
    lines.append(
        f"checked on {checked['rows']}: largest deviation {checked['largest_deviation']:.2g}, bound "
        f"{checked['bound']:.2g} ({checked['of']})"
    )
    return lines
