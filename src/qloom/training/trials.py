"""Trials of a tuning: what they are, where they are written down, who proposes them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from qloom.errors import ConfigError
from qloom.extras import package
from qloom.files import replace_file, write_json
from qloom.training.configuration import Configuration, make_configuration
from qloom.training.folder import TRIALS
from qloom.training.rendering import render_configuration

Sampler = Literal["surrogate", "tpe", "random"]
SAMPLERS = ("surrogate", "tpe", "random")
TRIALS_CSV, BEST = "trials.csv", "best.yaml"


@dataclass(frozen=True)
class Trial:
    """One training of the hybrid model; what is undefined or infinite is None.

    Attributes:
        settings: what was chosen, by key.
        loss: on the validation rows, to be small: log loss, or root mean square error; None if the training failed.
        score: the main one, on the same rows.
        error: why it failed, in a line.
    """

    number: int
    settings: dict[str, Any]
    loss: float | None
    score: float | None
    seconds: float
    error: str | None = None


def best_of(trials: Sequence[Trial]) -> Trial:
    """The trial of lowest loss.

    Raises:
        ConfigError: if all failed.
    """
    judged = [trial for trial in trials if trial.loss is not None and math.isfinite(trial.loss)]
    if not judged:
        why = trials[0].error if trials else "none was run"
        raise ConfigError(f"no trial came to an end, the first says: {why}; choose other values")
    return min(judged, key=lambda trial: trial.loss or 0.0)


def changed(configuration: Configuration, settings: Mapping[str, Any]) -> Configuration:
    """The configuration with these settings."""
    return make_configuration(configuration.model_dump(), list(settings.items()))


def write_trials(folder: Path, configuration: Configuration, trials: Sequence[Trial]) -> None:
    """The table of trials, and the configuration of the best one."""
    rows = [{**trial.settings, **{k: v for k, v in asdict(trial).items() if k != "settings"}} for trial in trials]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_json(folder / TRIALS, [asdict(trial) for trial in trials])
    replace_file(folder / TRIALS_CSV, text.getvalue())
    if any(trial.loss is not None and math.isfinite(trial.loss) for trial in trials):
        best = changed(configuration, best_of(trials).settings).model_copy(
            update={"name": f"{configuration.name}-best"}
        )
        replace_file(folder / BEST, render_configuration(best))


def make_sampler(name: str) -> tuple[Any, Callable[[int], Any]]:
    """Optuna, and its sampler of that name as a function of a seed.

    Raises:
        ExtraError: where Optuna is not installed.
    """
    optuna = package("optuna", "qloom tune", "combinatorial")
    from qloom.combinatorial.sampler import QuadraticSurrogateSampler

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kinds = {
        "surrogate": QuadraticSurrogateSampler,
        "tpe": optuna.samplers.TPESampler,
        "random": optuna.samplers.RandomSampler,
    }
    return optuna, lambda seed: kinds[name](seed=seed)
