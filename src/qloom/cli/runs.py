"""`qloom runs`: what runs there are, and what came of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from qloom.cli.leaderboard import console_of_width, number_text
from qloom.cli.wording import in_options
from qloom.errors import ConfigError, QloomError
from qloom.models.tables.scores import TITLES
from qloom.tracking.mlflow_log import EXPERIMENT, log_run
from qloom.training.run_list import FINISHED, SORTS, ListedRun, Score, list_runs

# Columns from which on a line has all of a run.
_WIDE = 110
# How qloom train ends where the run is finished and its store did not take it.
NOT_LOGGED = 4
_NUMBERS = ("rows", "rounds", "size", "hybrid", "best control")


def runs(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders that runs lie in, or runs themselves; by default runs.")
    ] = None,
    sort: Annotated[str, typer.Option(help=f"By {', '.join(SORTS)}; score: best first, latest last.")] = "name",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, which has all that is known.")] = False,
    log: Annotated[Path | None, typer.Option(help="A finished run to log to --mlflow.")] = None,
    mlflow: Annotated[
        str | None, typer.Option(help="Where to: sqlite:///FILE, http://HOST:PORT, databricks, ...")
    ] = None,
    experiment: Annotated[str, typer.Option(help="Of MLflow, made if it is not there.")] = EXPERIMENT,
) -> None:
    """List runs with their scores, verdicts and states; qloom compare puts finished ones side by side."""
    if (log is None) != (mlflow is None):
        raise ConfigError("--log and --mlflow go together, got one of them; give the run and where to log it")
    if log is not None and mlflow is not None:
        typer.echo(log_run(log, mlflow, experiment))
        return
    folders = folders or [Path("runs")]
    found = list_runs(folders, sort)
    if as_json:
        typer.echo(json.dumps([run.record() for run in found], indent=1, allow_nan=False))
        return
    print_runs(found, ", ".join(map(str, folders)))


def log_after_training(run: Path, store: str) -> None:
    """Log a run. Where a store does not take it the run stays as it is, and what logs it later is said."""
    try:
        typer.echo(log_run(run, store))
    except QloomError as error:
        typer.echo(f"the run is finished, but not logged: {in_options(str(error))}", err=True)
        typer.echo(f"log it later with: qloom runs --log {run} --mlflow {store}", err=True)
        raise typer.Exit(NOT_LOGGED) from None


def print_runs(found: list[ListedRun], where: str) -> None:
    """A line a run, what is wrong with damaged ones below, and how to go on."""
    if not found:
        typer.echo(f"no runs below {where}; qloom train makes one")
        return
    console = console_of_width()
    console.print(_table(found, console), markup=False)
    for run in found:
        if run.reason is not None:
            typer.echo(f"{run.path} is damaged: {run.reason}")
    if len(alike := _alike(found)) > 1:
        typer.echo(f"side by side: qloom compare {' '.join(alike[:2])}{' ...' if len(alike) > 2 else ''}")


def _alike(found: list[ListedRun]) -> list[str]:
    """Finished runs that can be compared: of one target and score, of which there are most."""
    groups: dict[tuple[str | None, str | None], list[str]] = {}
    for run in found:
        if run.metric is not None and run.state == FINISHED:
            groups.setdefault((run.target, run.metric), []).append(run.path)
    return max(groups.values(), key=len, default=[])


def _table(found: list[ListedRun], console: Console) -> Table:
    """A line a run; where there is room with intervals, when, rows, rounds and size."""
    table, is_wide = Table(box=SIMPLE_HEAD), console.width >= _WIDE
    names = ("run", "state", "target", "hybrid", "best control", "verdict")
    for name in (*names[:2], "when", "target", "rows", "rounds", "size", *names[3:]) if is_wide else names:
        whole = is_wide and name in ("hybrid", "best control")
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold", no_wrap=whole)
    for run in found:
        state = run.state if run.kind == "comparison" else f"{run.kind}, {run.state}"
        facts = (run.when[:10], run.target or "", _count(run.rows), _count(run.rounds), size_text(run.size))
        metric = "" if run.metric is None else f"{TITLES[run.metric]} "
        scores = (metric + _score(run.hybrid, is_wide), _score(run.control, is_wide))
        verdict = " ".join(filter(None, (run.verdict, run.engine and f"({run.engine})")))
        table.add_row(run.path, state, *(facts if is_wide else facts[1:2]), *scores, verdict)
    return table


def _score(score: Score | None, has_interval: bool) -> str:
    """A score, and its interval below."""
    if score is None:
        return ""
    interval = f"\n{score.low:.4f} to {score.high:.4f}" if has_interval and score.low is not None else ""
    return number_text(score.value) + interval


def _count(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def size_text(n_bytes: int) -> str:
    """Bytes in the unit that reads best, of a thousand each."""
    size, units = float(n_bytes), ("B", "kB", "MB", "GB", "TB")
    place = 0
    while size >= 999.5 and place < len(units) - 1:
        size, place = size / 1000, place + 1
    return f"{size:.3g} {units[place]}"
