"""Tuning: trials of a configuration with other settings, judged on the validation rows, never on the test rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import yaml

from qloom.errors import ArtifactError, ConfigError, QloomError
from qloom.models.tables.choices import GOAL_FIELDS
from qloom.models.tables.preparation import PreparedTable, prepare_table
from qloom.models.tables.scores import score
from qloom.training.competition import prepared_stream
from qloom.training.competitors import goal_of, make_model
from qloom.training.configuration import Configuration, known_keys, unknown_key
from qloom.training.folder import TRIALS
from qloom.training.intervals import plain
from qloom.training.lock import locked
from qloom.training.rounds import KEPT
from qloom.training.shared_studies import SharedStudy
from qloom.training.studies import LocalStudy, Proposal
from qloom.training.table import fresh_preprocessing, load_table
from qloom.training.trials import SAMPLERS, Sampler, Trial, changed

# Takes proposals and the training of one; tells each what came of it, and gives it.
Runner = Callable[[Iterator[Proposal], Callable[[int, Mapping[str, Any]], Trial]], Iterator[Trial]]
# Settings of other sections would change the rows that trials are compared on.
TUNABLE = ("model.", "training.")


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


def one_by_one(proposals: Iterator[Proposal], run: Callable[[int, Mapping[str, Any]], Trial]) -> Iterator[Trial]:
    """Each trained here, before the next one is proposed."""
    for number, settings, tell in proposals:
        trial = run(number, settings)
        tell(trial)
        yield trial


def tune(
    configuration: Configuration, choices: Mapping[str, Sequence[Any]], n_trials: int = 20,
    sampler: Sampler = "surrogate", watch: Callable[[Trial], None] | None = None, *, storage: str | None = None,
    runner: Runner = one_by_one,
) -> list[Trial]:  # fmt: skip
    """Train the hybrid model with one choice of settings after another, on one split.

    The folder of the configuration gets the trials, after each of them, as CSV and JSON, and the configuration of the
    best. A trial whose settings do not go together is noted as failed.

    Args:
        configuration: what is not chosen; its seed is that of all trainings and of the sampler.
        choices: values of each key.
        n_trials: trainings, at least 1, of all processes together; fewer if there are fewer combinations.
        sampler: who proposes.
        watch: called after every trial of this process.
        storage: of Optuna, such as sqlite:///trials.db, where several processes share a study that has the
            configuration's name; one that is there goes on. None for a study of this call.
        runner: how trials are trained.

    Returns:
        All trials of the study.

    Raises:
        QloomError: for a table or values that cannot be used, or a folder that has trials of no storage.
        ExtraError: where Optuna is not installed.
    """
    if n_trials < 1 or sampler not in SAMPLERS:
        raise ConfigError(f"trials={n_trials}, sampler={sampler!r}, expected at least 1 and {', '.join(SAMPLERS)}")
    for key, values in choices.items():
        for value in values:
            changed(configuration, {key: value})
    folder, n_trials = configuration.folder, min(n_trials, math.prod(len(values) for values in choices.values()))
    study: LocalStudy | SharedStudy
    with locked(folder) if storage is None else nullcontext():
        if storage is None and (folder / TRIALS).exists():
            raise ArtifactError(f"{folder} has trials already; choose another name")
        local = LocalStudy(configuration, choices, sampler)
        data, fingerprint = _prepared(configuration)
        study = local if storage is None else SharedStudy(storage, configuration, choices, sampler, fingerprint)
        for trial in runner(study.proposals(n_trials), partial(run_trial, configuration=configuration, data=data)):
            study.write(folder)
            if watch:
                watch(trial)
    return study.trials()


def _prepared(configuration: Configuration) -> tuple[PreparedTable, str]:
    """The rows that trials have in common, and what tells them from others."""
    loaded, goal = load_table(configuration), goal_of(configuration)
    if loaded.streamed is not None:
        data = prepared_stream(configuration, loaded, KEPT, configuration.seed, None, goal).data
    else:
        fresh = fresh_preprocessing(configuration)
        data = prepare_table(loaded.table, loaded.schema, loaded.split, None, goal, loaded.weights, fresh)
    if not len(data.validation.y):
        raise ConfigError("no validation rows, expected some to judge trials on; raise split.validation")
    return data, loaded.fingerprint()


def run_trial(
    number: int, settings: Mapping[str, Any], *, configuration: Configuration, data: PreparedTable
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
