"""`qloom finetune`: a pretrained model with an adapter, beside its controls, LoRA and classical models."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from qloom.cli.bars import showing_progress
from qloom.cli.train import configure, one_target, show
from qloom.errors import ConfigError
from qloom.training.configuration import Configuration
from qloom.training.folder import RunFolder
from qloom.training.launching import INTERRUPTED

_DATA = "Table with a column of texts or of paths of images, configuration (.yaml) or run to resume."


def finetune(
    data: Annotated[str, typer.Argument(help=_DATA)],
    model: Annotated[str | None, typer.Option(help="Folder of the pretrained model; nothing is downloaded.")] = None,
    text: Annotated[str | None, typer.Option(help="Column of texts.")] = None,
    image: Annotated[str | None, typer.Option(help="Column of paths of images, from the table's folder.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict, one.")] = None,
    adapter: Annotated[str | None, typer.Option(help="pauli, two_axis, givens or generated.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run; by default the table's.")] = None,
    output: Annotated[str | None, typer.Option(help="Folder for run folders, by default runs.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL on the file; it sees the table `data`.")] = None,
    group: Annotated[
        str | None, typer.Option(help="Column with one value a person, machine, ...: its rows stay together.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training rows at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Fixes everything random.")] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Trainings of every model, each on a split of its own; by default 5.")
    ] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds for all trainings; by default 600.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of the configuration; may be repeated.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
) -> None:
    """Fine-tune a pretrained model by a quantum adapter, its controls and LoRA, compare them, and write a report."""
    given: dict[str, Any] = {"target": one_target(target), "query": query, "group": group}
    section = {"model": model, "text": text, "image": image, "adapter": adapter, "epochs": epochs}
    top: dict[str, Any] = {"name": name, "output": output, "seed": seed, "comparison.seeds": seeds}
    top |= {"comparison.time_limit": time_limit, **{f"finetune.{key}": value for key, value in section.items()}}
    configuration = configure(data, given, top, None, settings or [], resume)
    if configuration.finetune is None:
        raise ConfigError(f"no pretrained model for {data}, expected a folder; add --model FOLDER and --text COLUMN")
    start = time.perf_counter()
    try:
        folder = _finetuned(configuration, resume)
    except KeyboardInterrupt:
        typer.echo(_describe_stop(configuration), err=True)
        raise typer.Exit(INTERRUPTED) from None
    show(folder, start)


def _finetuned(configuration: Configuration, resume: bool) -> Path:
    from qloom.training.finetuning.run import finetune_run

    with showing_progress() as progress:
        return finetune_run(configuration, resume=resume, progress=progress)


def _describe_stop(configuration: Configuration) -> str:
    if RunFolder(configuration.folder).is_begun:
        return f"stopped; go on with: qloom finetune {configuration.folder} --resume"
    return "stopped before anything was written"
