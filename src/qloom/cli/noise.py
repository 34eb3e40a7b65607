"""`qloom noise`: a trained run under the noise of devices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from qloom.cli.leaderboard import console_of_width, print_wrapped
from qloom.models.tables.scores import TITLES
from qloom.reports.html import write_report
from qloom.reports.under_noise import score_with_interval, sentences
from qloom.training.under_noise import run_under_noise


def noise(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    device: Annotated[
        list[Path], typer.Option(help="Calibration of a device or a noise model, JSON or gzipped; may be repeated.")
    ],
    shots: Annotated[int, typer.Option(help="Measurements of each word, where circuits are measured.")] = 1000,
    rows: Annotated[int, typer.Option(help="Test rows to take, at most.")] = 1000,
    corrected: Annotated[bool, typer.Option(help="Also as if corrected; takes the extra `correction`.")] = True,
    seed: Annotated[int, typer.Option(help="Of measurements and intervals.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a run's hybrid model with shots, under devices' noise, mitigated, corrected; add that to its report."""
    found = run_under_noise(
        run, device, shots=shots, most_rows=rows, seed=seed, corrected=corrected,
        say=lambda text: typer.echo(text, err=True),
    )  # fmt: skip
    report = write_report(run)
    if as_json:
        typer.echo(json.dumps(found, indent=1, allow_nan=False))
        return
    console = console_of_width()
    for each in found["devices"]:
        console.print(_table(each, found), markup=False)
        print_wrapped(console, " ".join(sentences(each, found)))
    typer.echo(f"{report} written")


def _table(device: dict[str, Any], found: dict[str, Any]) -> Table:
    names = list(found["control"]["scores"])
    table = Table(title=f"{device['name']}, {found['n_rows']:,} test rows")
    for heading in ("circuit", *(f"{TITLES[name]} (95% interval)" for name in names), "off exact"):
        table.add_column(heading, justify="left" if heading == "circuit" else "right", overflow="fold")
    for each in device["executions"]:
        if each["refused"]:
            table.add_row(each["title"], *["not known"] * len(names), "")
            continue
        table.add_row(each["title"], *(score_with_interval(each["scores"][n]) for n in names), f"{each['off']:.4f}")
    control = found["control"]
    table.add_row(control["title"], *(score_with_interval(control["scores"][name]) for name in names), "")
    return table
