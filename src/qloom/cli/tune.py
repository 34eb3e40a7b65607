"""`qloom tune`: which settings of a configuration validate best."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from qloom.cli.kinds import KIND_HELP, TEXT_MODEL_HELP, parse_kinds
from qloom.cli.leaderboard import console_of_width, number_text
from qloom.cli.places import HERE, ON_HELP, RAY, check_place
from qloom.cli.train import configure, one_target
from qloom.errors import ConfigError
from qloom.training.on_ray import trials_on_ray
from qloom.training.trials import BEST, SAMPLERS, TRIALS_CSV, Trial, best_of
from qloom.training.tuning import one_by_one, parse_choices
from qloom.training.tuning import tune as run_tuning


def tune(
    data: Annotated[str, typer.Argument(help="Configuration (.yaml), table or demo:wine.")],
    over: Annotated[
        list[str] | None, typer.Option("--over", help="key=a,b,c to choose from, such as model.n_layers=1,2,4; repeat.")
    ] = None,
    trials: Annotated[int, typer.Option(help="Trainings at most, of all processes at one study together.")] = 20,
    sampler: Annotated[str, typer.Option(help=f"Who proposes: {', '.join(SAMPLERS)}.")] = "surrogate",
    target: Annotated[list[str] | None, typer.Option(help="Column to predict, one.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the folder of trials, by default NAME-tuning.")] = None,
    output: Annotated[str | None, typer.Option(help="Folder for run folders, by default runs.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help=KIND_HELP)] = None,
    text_model: Annotated[str | None, typer.Option(help=TEXT_MODEL_HELP)] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training rows at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Fixes everything random.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of the configuration; may be repeated.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Optuna's storage, such as sqlite:///trials.db: several processes then share the study NAME."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trials at once, with --on ray.")] = 1,
    on: Annotated[str, typer.Option("--on", help=ON_HELP)] = HERE,
) -> None:
    """Train the hybrid model with many settings, judge each on the validation rows, and keep the best configuration."""
    choices = parse_choices(over or [])
    if check_place(on) == HERE and workers > 1:
        raise ConfigError(
            f"--workers {workers} trials at once without Ray, expected --on ray with it; or start qloom tune several "
            "times with one --storage"
        )
    top = {"output": output, "seed": seed}
    chosen = {"target": one_target(target), "kinds": parse_kinds(kind or []), "text_model": text_model}
    configuration = configure(data, chosen, top, epochs, settings or [], resume=False)
    configuration = configuration.model_copy(update={"name": name or f"{configuration.name}-tuning"})
    found: list[Trial] = []

    def watch(trial: Trial) -> None:
        found.append(trial)
        typer.echo(describe_trial(trial))

    try:
        runner = trials_on_ray(workers) if on == RAY else one_by_one
        found = run_tuning(configuration, choices, trials, sampler, watch, storage=storage, runner=runner)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        typer.echo(f"stopped after {len(found)} trials", err=True)
        if not found:
            raise typer.Exit(130) from None
    best = best_of(found)
    print_trials(found)
    typer.echo(f"best: {describe_trial(best)}\nall trials in {configuration.folder / TRIALS_CSV}")
    typer.echo(f"train and compare it on the test rows with: qloom train {configuration.folder / BEST}")


def describe_trial(trial: Trial) -> str:
    """A trial in a line."""
    settings = ", ".join(f"{key}={value}" for key, value in trial.settings.items())
    if trial.loss is None:
        return f"trial {trial.number}: {settings}: failed ({trial.error})"
    return f"trial {trial.number}: {settings}: validation loss {trial.loss:.4f}, score {number_text(trial.score)}"


def print_trials(trials: list[Trial], most: int = 10) -> None:
    """The best ones as a table."""
    table = Table(title="best trials by validation loss", title_justify="left")
    for name in ("trial", *trials[0].settings, "loss", "score", "seconds"):
        table.add_column(name, justify="right", overflow="fold", no_wrap=name in ("trial", "loss", "score"))
    ended = sorted((t for t in trials if t.loss is not None), key=lambda t: t.loss or 0.0)
    for t in ended[:most]:
        values = (f"{t.loss:.4f}", number_text(t.score), f"{t.seconds:.1f}")
        table.add_row(str(t.number), *map(str, t.settings.values()), *values)
    console_of_width().print(table, markup=False)
