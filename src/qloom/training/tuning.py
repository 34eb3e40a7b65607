"""Tuning: trials of a configuration with other settings, judged on the validation rows, never on the test rows."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from qloom.errors import ArtifactError, ConfigError, QloomError
from qloom.extras import package
from qloom.files import replace_file, write_json
from qloom.models.tables.choices import GOAL_FIELDS
from qloom.models.tables.preparation import PreparedTable, prepare_table
from qloom.models.tables.scores import score
from qloom.training.competitors import goal_of, make_model
from qloom.training.configuration import Configuration, known_keys, make_configuration, unknown_key
from qloom.training.folder import TRIALS
from qloom.training.intervals import plain
from qloom.training.lock import locked
from qloom.training.rendering import render_configuration
from qloom.training.table import load_table

Sampler = Literal["surrogate", "tpe", "random"]
SAMPLERS = ("surrogate", "tpe", "random")
TRIALS_CSV, BEST = "trials.csv", "best.yaml"
# Settings of other sections would change the rows that trials are compared on.
TUNABLE = ("model.", "training.")
# Known settings that a sampler may propose in a row.
REPEATS = 20


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


def parse_choices(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Choices by key from "key=a,b,c" each, the values read as YAML.

    Raises:
        ConfigError: for no choices, a key that is unknown, not to be tuned or there twice, or values that are not YAML.
    """
    choices: dict[str, list[Any]] = {}
    for text in texts:
        key, _, values = text.partition("=")
        try:
            read = yaml.safe_load(f"[{values}]")
        except yaml.YAMLError:
            read = None
        if not read:
            raise ConfigError(f"--over {text!r}, expected key=a,b,c such as model.n_layers=1,2,4")
        if key not in known_keys():
            raise ConfigError(unknown_key(key))
        if key.removeprefix("training.") in GOAL_FIELDS:
            raise ConfigError(f"--over {text!r} would change what trials are compared by; choose it with --set")
        if not key.startswith(TUNABLE) or key in choices:
            raise ConfigError(f"--over {text!r}, expected keys of model or training, each once; use --set for others")
        if any(value in read[:k] for k, value in enumerate(read)):
            raise ConfigError(f"--over {text!r}, expected each value once")
        choices[key] = read
    if not choices:
        raise ConfigError("nothing to tune, expected --over key=a,b,c at least once")
    return choices


def tune(
    configuration: Configuration, choices: Mapping[str, Sequence[Any]], n_trials: int = 20,
    sampler: Sampler = "surrogate", watch: Callable[[Trial], None] | None = None,
) -> list[Trial]:  # fmt: skip
    """Train the hybrid model with one choice of settings after another, on one split.

    The folder of the configuration gets the trials, after each of them, as CSV and JSON, and the configuration of the
    best. A trial whose settings do not go together is noted as failed.

    Args:
        configuration: what is not chosen; its seed is that of all trainings and of the sampler.
        choices: values of each key.
        n_trials: trainings, at least 1; fewer if there are fewer combinations.
        sampler: who proposes.
        watch: called after every trial.

    Raises:
        QloomError: for a table or values that cannot be used, or a folder that has trials.
        ExtraError: where Optuna is not installed.
    """
    if n_trials < 1 or sampler not in SAMPLERS:
        raise ConfigError(f"trials={n_trials}, sampler={sampler!r}, expected at least 1 and {', '.join(SAMPLERS)}")
    for key, values in choices.items():
        for value in values:
            changed(configuration, {key: value})
    study, folder, trials = make_study(sampler, configuration.seed), configuration.folder, list[Trial]()
    n_trials = min(n_trials, math.prod(len(values) for values in choices.values()))
    with locked(folder):
        if (folder / TRIALS).exists():
            raise ArtifactError(f"{folder} has trials already; choose another name")
        loaded = load_table(configuration)
        goal = goal_of(configuration)
        data = prepare_table(loaded.table, loaded.schema, loaded.split, None, goal, loaded.weights)
        if not len(data.validation.y):
            raise ConfigError("no validation rows, expected some to judge trials on; raise split.validation")
        for settings, tell in proposals(study, choices, n_trials):
            trial = run_trial(len(trials), configuration, settings, data)
            trials.append(trial)
            tell(trial.loss)
            write_trials(folder, configuration, trials)
            if watch:
                watch(trial)
    return trials


def proposals(
    study: Any, choices: Mapping[str, Sequence[Any]], n_trials: int
) -> Iterator[tuple[dict[str, Any], Callable[[float | None], None]]]:
    """Settings, all different, each with the function that is told its loss, or None for a failure.

    A sampler that comes back to what is known is told so; after `REPEATS` in a row a random new one is taken.
    """
    from optuna.trial import TrialState

    random, known, repeats = np.random.default_rng(0), dict[tuple[int, ...], float | None](), 0
    while len(known) < n_trials:
        asked = study.ask()
        places = tuple(asked.suggest_categorical(key, range(len(values))) for key, values in choices.items())

        def tell(loss: float | None, asked: Any = asked, places: tuple[int, ...] = places) -> None:
            loss = loss if loss is not None and math.isfinite(loss) else None
            known[places] = loss
            study.tell(asked, loss, state=TrialState.COMPLETE if loss is not None else TrialState.FAIL)

        if places in known:
            tell(known[places])
            repeats += 1
            if repeats % REPEATS == 0:
                free = [place for place in product(*map(range, map(len, choices.values()))) if place not in known]
                study.enqueue_trial(dict(zip(choices, free[random.integers(len(free))], strict=True)))
        else:
            yield {key: values[place] for (key, values), place in zip(choices.items(), places, strict=True)}, tell


def run_trial(
    number: int, configuration: Configuration, settings: Mapping[str, Any], data: PreparedTable
) -> Trial:  # fmt: skip
    """Train with these settings and judge on the validation rows."""
    start = time.perf_counter()
    try:
        own = changed(configuration, settings)
        model = make_model(own, data.task, "quantum", {})
        model.fit_prepared(data, seed=own.seed)
        y, predictions = data.validation.truth, model.predict_features(data.validation.x)
        given = model.readout_.level, data.validation.scored_weights
        names = data.score_names[0], loss_name(data)
        main, loss = (plain(score(name, y, predictions, *given)) for name in names)
    except QloomError as error:
        seconds = time.perf_counter() - start
        return Trial(number, dict(settings), None, None, seconds, " ".join(str(error).split()))
    return Trial(number, dict(settings), loss, main, time.perf_counter() - start)


def loss_name(data: PreparedTable) -> str:
    """The score that trials are ordered by, to be small: fewer of them are equal than of the main one."""
    return data.loss.metric or ("rmse" if data.task == "regression" else "log_loss")


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


def make_study(sampler: Sampler, seed: int) -> Any:
    """Optuna's study with the sampler of that name.

    Raises:
        ExtraError: where Optuna is not installed.
    """
    optuna = package("optuna", "qloom tune", "combinatorial")
    from qloom.combinatorial.sampler import QuadraticSurrogateSampler

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    made = {
        "surrogate": QuadraticSurrogateSampler,
        "tpe": optuna.samplers.TPESampler,
        "random": optuna.samplers.RandomSampler,
    }[sampler](seed=seed)
    return optuna.create_study(sampler=made)
