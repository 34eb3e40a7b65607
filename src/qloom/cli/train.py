"""`qloom train`: from a table or a configuration to a run folder with its report."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from qloom.cli.bars import showing_progress
from qloom.cli.kinds import KIND_HELP, TEXT_MODEL_HELP, parse_kinds
from qloom.cli.leaderboard import print_leaderboard
from qloom.cli.places import HERE, ON_HELP, RAY, check_place
from qloom.cli.runs import log_after_training
from qloom.errors import ArtifactError, ConfigError, DataError, WorkerError
from qloom.files import replace_file
from qloom.fitting.surroundings import MEETING, RANK, is_started_again
from qloom.fitting.workers import Workers, joined
from qloom.reports import write_report
from qloom.tracking.stores import check_store
from qloom.training import Configuration, load_configuration, train_run
from qloom.training.configuration import Change, make_configuration
from qloom.training.demonstrations import PREFIX, demonstration_target
from qloom.training.folder import CONFIG, RunFolder
from qloom.training.launching import ABANDONED, INTERRUPTED, end_with_launcher, launch
from qloom.training.on_ray import train_on_ray
from qloom.training.progress import Progress
from qloom.training.rendering import render_configuration

_TABLE = "Table (CSV, Parquet, Arrow, DuckDB), demo:breast_cancer, configuration (.yaml) or run to resume."


def train(
    data: Annotated[str, typer.Argument(help=_TABLE)],
    target: Annotated[list[str] | None, typer.Option(help="Column to predict, one.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run; by default the table's.")] = None,
    output: Annotated[str | None, typer.Option(help="Folder for run folders, by default runs.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression; found if not given.")] = None,
    time_column: Annotated[str | None, typer.Option("--time", help="Column that orders the rows in time.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Column with one value a person, machine, ...: its rows stay together.")
    ] = None,
    weight: Annotated[str | None, typer.Option(help="Column that says how much a row counts.")] = None,
    metric: Annotated[str | None, typer.Option(help="Main score, such as f1, average_precision or rmse.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Column to leave out; may be repeated.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=KIND_HELP)] = None,
    text_model: Annotated[str | None, typer.Option(help=TEXT_MODEL_HELP)] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training rows at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Fixes everything random.")] = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="Trainings of every model, each on a split of its own; by default 10, or 5."),
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Parts that are the test rows in turn, in place of seeds.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Times that the rows are dealt into folds.")] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds for all trainings: as many rounds as they allow.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of the configuration; may be repeated.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Buy what a device will cost without being asked.")] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that train together, each on its share of rows and cores.")
    ] = 1,
    restarts: Annotated[
        int, typer.Option(min=0, help="Times that all go on from the last checkpoint when a worker is lost.")
    ] = 3,
    on: Annotated[str, typer.Option("--on", help=ON_HELP)] = HERE,
    mlflow: Annotated[
        str | None, typer.Option(help="Log the finished run there: sqlite:///FILE, http://HOST:PORT, databricks, ...")
    ] = None,
) -> None:
    """Train the hybrid model, its controls and the baselines several times, compare them, and write a report."""
    given: dict[str, Any] = {
        "target": one_target(target),
        "query": query,
        "task": task,
        "time": time_column,
        "group": group,
    }
    given |= {"drop": drop or None, "weight": weight, "kinds": parse_kinds(kind or []), "text_model": text_model}
    comparison = {"seeds": seeds, "folds": folds, "repeats": repeats, "time_limit": time_limit, "metric": metric}
    top: dict[str, Any] = {"name": name, "output": output, "seed": seed}
    top |= {f"comparison.{key}": value for key, value in comparison.items()}
    configuration = configure(data, given, top, epochs, settings or [], resume)
    if mlflow is not None:
        check_store(mlflow)
    if check_place(on) == RAY:
        _train_on_ray(configuration, resume, workers, restarts)
    elif workers == 1:
        _run(configuration, resume, yes)
    else:
        _launch(configuration, resume, yes, workers, restarts)
    if mlflow is not None and os.environ.get(RANK, "0") == "0":
        log_after_training(configuration.folder, mlflow)


def _asked(progress: Progress, text: str) -> bool:
    """Whether a person agrees to what a device will cost.

    Raises:
        ConfigError: where nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise ConfigError(f"{text}, and nobody can be asked here; agree with --yes, or raise engine.ask_above")
    with progress.paused():
        return typer.confirm(f"{text}. Go on?")


def one_target(given: list[str] | None) -> str | None:
    """The column to predict.

    Raises:
        ConfigError: for several.
    """
    if given is not None and len(given) > 1:
        raise ConfigError(f"targets {', '.join(given)} given, expected one: a run predicts one target; start several")
    return given[0] if given else None


def configure(
    source: str,
    data: dict[str, Any],
    top: dict[str, Any],
    epochs: int | None,
    settings: list[str],
    resume: bool,
) -> Configuration:
    """The configuration that the command line asks for; what is None was not given."""
    changes: list[Change] = [(f"data.{key}", value) for key, value in data.items() if value is not None]
    changes += [(key, value) for key, value in top.items() if value is not None]
    changes += [] if epochs is None else [("training.epochs", epochs)]
    changes += settings
    if Path(source).suffix.lower() in (".yaml", ".yml"):
        return load_configuration(source, changes)
    if RunFolder(source).is_begun:
        return _of_folder(Path(source), changes, resume)
    if data["target"] is None and source.startswith(PREFIX):
        changes.insert(0, ("data.target", demonstration_target(source)))
    elif data["target"] is None and not any(setting.startswith("data.target=") for setting in settings):
        require_file(source)
        raise ConfigError("no target column given, expected one to predict; add --target COLUMN")
    return make_configuration({"data": {"source": source}}, changes)


def require_file(source: str) -> None:
    """The first mistake comes first: a table that is not there, before what is to be learnt from it."""
    if not Path(source).exists():
        raise DataError(f"no file {source}, expected a table (CSV, Parquet, Arrow, DuckDB); check the path")


def _of_folder(folder: Path, changes: list[Change], resume: bool) -> Configuration:
    if changes or not resume:
        raise ArtifactError(f"{folder} is a run folder, expected --resume and no other option with it")
    return RunFolder(folder).configuration()


def _launch(configuration: Configuration, resume: bool, yes: bool, count: int, restarts: int) -> None:
    """Train by workers, each of which is this command on the same configuration."""
    if RANK in os.environ:
        raise ConfigError(f"--workers {count} in a worker that torchrun started, expected one of them; leave it out")
    with TemporaryDirectory(prefix="qloom-workers-") as folder:
        written = replace_file(Path(folder) / CONFIG, render_configuration(configuration))
        options = ["--resume"] * resume + ["--yes"] * yes
        command = [sys.executable, "-m", "qloom", "train", str(written), *options]
        code = launch(command, count, restarts, lambda line: typer.echo(line, err=True))
    if code:
        raise typer.Exit(code)


def _train_on_ray(configuration: Configuration, resume: bool, count: int, restarts: int) -> None:
    start = time.perf_counter()
    show(train_on_ray(configuration, count, restarts=restarts, resume=resume), start)


def _run(configuration: Configuration, resume: bool, yes: bool) -> None:
    """Train, alone or as one of the workers that a launcher started."""
    start = time.perf_counter()
    end_with_launcher()
    try:
        with joined() as workers:
            folder = _trained(configuration, resume, yes, workers)
    except KeyboardInterrupt:
        typer.echo(_describe_stop(configuration), err=True)
        raise typer.Exit(INTERRUPTED) from None
    except WorkerError as error:
        if MEETING not in os.environ:  # where we are the launcher, it says what happened
            typer.echo(f"qloom: {error}", err=True)
        raise typer.Exit(ABANDONED) from None
    if workers.leads:
        show(folder, start)


def show(folder: Path, start: float) -> None:
    """Write the report of a run, and print who leads."""
    report = write_report(folder)
    print_leaderboard(RunFolder(folder).metrics())
    typer.echo(f"\n{report} written after {time.perf_counter() - start:.0f} s")


def _trained(configuration: Configuration, resume: bool, yes: bool, workers: Workers) -> Path:
    if not workers.leads:
        return train_run(configuration, workers=workers)
    resume = resume or (is_started_again() and RunFolder(configuration.folder).is_begun)
    with showing_progress() as progress:
        may_buy = (lambda text: True) if yes else partial(_asked, progress)
        return train_run(configuration, resume=resume, progress=progress, may_buy=may_buy, workers=workers)


def _describe_stop(configuration: Configuration) -> str:
    if RunFolder(configuration.folder).is_begun:
        return f"stopped; go on with: qloom train {configuration.folder} --resume"
    return "stopped before anything was written"
