"""One run: a table in, five models compared over several rounds, a folder out; a killed one can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from qloom.data import Schema
from qloom.data.column_table import column_lines, column_rows
from qloom.data.streams.freed import give_back_memory
from qloom.errors import ArtifactError, ConfigError
from qloom.fitting.workers import ALONE, Workers
from qloom.models.tables.competitors import COMPETITORS, NETWORKS, UNDER_TEST
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.stacking import check_exact
from qloom.models.tables.starting import Start, read_start
from qloom.models.tables.windows import Windows
from qloom.training.competition import assist, compete, prepared
from qloom.training.competitors import Contest, Outcome, PreparedRound, try_circuit
from qloom.training.configuration import Configuration, TrainingSection
from qloom.training.environment import describe_environment
from qloom.training.folder import START, RunFolder
from qloom.training.importance import find_importance
from qloom.training.lock import locked
from qloom.training.log import RunLog
from qloom.training.memory import HowHeld
from qloom.training.predictions import columns_of_test_rows, threshold_notes
from qloom.training.progress import Progress
from qloom.training.record import make_metrics
from qloom.training.reference import keep_references
from qloom.training.refinement import Refinement, check_costs, expected_costs
from qloom.training.rounds import KEPT, Plan, describe
from qloom.training.seen_rows import keys_of, write_seen_rows
from qloom.training.streaming import keep
from qloom.training.table import RunTable, load_table, text_model_digest


def train_run(
    configuration: Configuration, *, resume: bool = False, progress: Progress | None = None,
    may_buy: Callable[[str], bool] = lambda text: True, workers: Workers = ALONE,
) -> Path:  # fmt: skip
    """Train and compare all models; the run folder.

    Everything that can be refused is refused before a file is written. With `resume`, finished models are
    kept and the one in training goes on from its last epoch, to the same weights as without the interruption.

    Args:
        configuration: of the run.
        resume: whether a run that is there goes on.
        progress: is told what happens; None for nobody.
        may_buy: is told what stages of refinement will take on devices, where that is above `engine.ask_above`, and
            says whether it may be bought; budgets hold in any case.
        workers: who train the networks together, each of which calls this; the first one does all else.

    Raises:
        QloomError: for a table, configuration or folder that cannot be used.
    """
    if configuration.finetune is not None:
        raise ConfigError(
            f"{configuration.folder} is a fine-tuning of {configuration.finetune.model}, expected a run on a table; "
            "use qloom finetune"
        )
    if workers.count > 1:
        check_exact(configuration.engine.seeded(configuration.seed).engine((0,), 1), workers)
    folder = RunFolder(configuration.folder)
    if not workers.leads:
        with _deterministic():
            _assist(folder, configuration, workers)
        return folder.path
    with locked(folder.path), _deterministic():
        check_folder(folder, configuration, resume)
        loaded = load_table(configuration)
        starts = _read_starts(folder, configuration, loaded.schema)
        plan, start = Plan(configuration, loaded), starts.get("quantum")
        first = prepared(loaded, plan, KEPT, start)
        circuit = try_circuit(configuration, first.data, starts)
        expected = expected_costs(configuration, circuit, first.n_rows)
        check_costs(expected, configuration.refinement, folder.path, may_buy, resume)
        _open(folder, configuration, loaded, starts)
        give_back_memory()
        with RunLog(folder.path, progress or Progress()) as log:
            notes = _notes(loaded.schema, first.data, configuration, workers)
            columns = column_rows(loaded.schema, first.data.preprocessing)
            for note in (*column_lines(columns), *notes, *describe(plan)):
                log.note(note)
            workers.told(lambda: (loaded.fingerprint(), loaded.streamed is not None))
            contest = Contest(configuration, loaded.schema.task, folder, log, starts, workers)
            found = compete(contest, loaded, plan, first, start)
            metrics = {
                **make_metrics(configuration, loaded, plan, first.data, found.results, found.seconds),
                "notes": [*notes, *threshold_notes(configuration.training.threshold, first.data.coding, found.kept)],
                "columns": [asdict(row) for row in columns],
                "circuit": circuit.to_json(),
            }
            _keep_seen_rows(loaded, first, folder.model(UNDER_TEST))
            keep_references(folder.path, loaded.table.take(pa.array(first.split.train)), first.data)
            importance = find_importance(folder, loaded, first, metrics, configuration.seed)
            metrics["refinement"] = None  # what is known by now is kept, whatever happens on a device
            folder.write_results(metrics, predictions_of(loaded, first, found.kept), importance)
            if configuration.refinement:
                test = loaded.table.take(pa.array(first.split.test))
                refinement = Refinement(configuration, folder, first.data, test, metrics["metric"], expected, log)
                folder.write_metrics({**metrics, "refinement": refinement.run()})
                _keep_seen_rows(loaded, first, folder.refined)
                keep_references(folder.path, loaded.table.take(pa.array(first.split.train)), first.data)
            log.lines.note(metrics["verdict"])
    return folder.path


def resume_run(folder: str | Path, *, progress: Progress | None = None) -> Path:
    """Go on with the run in a folder, as its own configuration says.

    Args:
        folder: of the run.
        progress: is told what happens; None for nobody.

    Raises:
        ArtifactError: for what is no run folder.
    """
    return train_run(RunFolder(folder).configuration(), resume=True, progress=progress)


def _assist(folder: RunFolder, configuration: Configuration, workers: Workers) -> None:
    """What workers but the first do in a run.

    Raises:
        ArtifactError: for another table than the first one's.
    """
    # The folder is there from now on, with what was learnt of rows that stay on disk.
    digest, is_streamed = workers.told(tuple)
    loaded = load_table(configuration, HowHeld(is_streamed))
    if loaded.fingerprint() != digest:
        raise ArtifactError(
            f"worker {workers.rank + 1} reads another table at {configuration.data.source} than the first one, "
            "expected the same on all machines"
        )
    starts = _read_starts(folder, configuration, loaded.schema)
    plan, start = Plan(configuration, loaded), starts.get("quantum")
    contest = Contest(configuration, loaded.schema.task, folder, Progress(), starts, workers)
    assist(contest, loaded, plan, prepared(loaded, plan, KEPT, start), start)


def predictions_of(loaded: RunTable, first: PreparedRound, kept: Mapping[str, Outcome]) -> dict[str, Any]:
    """Columns of what the models of round 1 predict for its test rows."""
    predictions = {key: outcome.predictions for key, outcome in kept.items()}
    levels = {key: outcome.level for key, outcome in kept.items()}
    return columns_of_test_rows(replace(loaded, split=first.split), first.data.coding, predictions, levels)


def _keep_seen_rows(loaded: RunTable, first: PreparedRound, model: Path) -> None:
    if loaded.streamed is not None:  # of rows on disk only a sample is held, which would pass for all of them
        return
    learnt_from = np.concatenate([first.split.train, first.split.validation])
    keys = keys_of(first.data.preprocessing, first.data.coding, loaded.table)
    write_seen_rows(model, keys, learnt_from)


def _read_starts(folder: RunFolder, configuration: Configuration, schema: Schema) -> dict[str, Start]:
    """The networks to begin with, by kind of middle layer; those of a run that is begun are its own copies.

    Raises:
        ArtifactError: for another target or task, or a folder without all of them.
    """
    given = configuration.training.start_from
    if given is None:
        return {}
    place = folder.path / START if folder.is_begun else Path(given)
    layers = [str(COMPETITORS[key].layer) for key in NETWORKS]
    starts = {layer: read_start(place, layer, schema.task) for layer in layers}
    coding = next(iter(starts.values())).coding
    if coding.name != schema.target:
        raise ArtifactError(
            f"{place} predicts {coding.name!r}, got the target {schema.target!r}, expected the same; start afresh"
        )
    return starts


def _notes(
    schema: Schema, data: PreparedTable, configuration: Configuration, workers: Workers
) -> tuple[str, ...]:  # fmt: skip
    n_qubits = configuration.model.n_qubits
    mapped = f"{data.n_features} features on {n_qubits} qubits: the classical encoder maps them to angles"
    notes = [*schema.notes, *schema.warnings, *data.notes, *data.preprocessing.notes]
    notes += [mapped] if data.n_features > n_qubits else []
    notes += [] if data.windows is None else [_passes(data.windows, configuration.training)]
    if workers.count > 1:
        notes.append(str(workers))
    if not configuration.engine.is_exact:
        how = ", by parameter shift," if configuration.engine.shots is not None else ""
        notes.append(
            f"circuits run with {configuration.engine.title}, in training{how} as in scores; classical models do not"
        )
    if configuration.training.start_from is not None:
        known = {coding.name for coding in data.preprocessing.codings}
        unknown = ", ".join(column.name for column in schema.features if column.name not in known)
        left_out = f", which does not know {unknown}" if unknown else ""
        notes.append(
            f"started from {configuration.training.start_from} and its preprocessing{left_out}; scores are fair only "
            "where it was not trained on rows that are test rows here, as it was on those of a table that it shares"
        )
    return tuple(notes)


def _passes(windows: Windows, section: TrainingSection) -> str:
    patience = windows.patience(section.patience)
    return (
        f"a pass over the training rows is {windows.per_pass} windows, each judged and kept as a checkpoint; "
        f"training.epochs={section.epochs} passes at most, {patience} windows without a better validation loss end it"
    )


# -- the folder


def check_folder(folder: RunFolder, configuration: Configuration, resume: bool) -> None:
    """Raise ArtifactError for a folder that a run cannot begin in, or go on in."""
    path = folder.path
    if folder.is_begun and not resume:
        raise ArtifactError(f"run folder {path} exists already; go on with resume=True or choose another name")
    if resume and not folder.is_begun:
        raise ArtifactError(
            f"run folder {path} does not exist, expected a run to resume; leave out resume to start one"
        )
    digest = text_model_digest(configuration)
    if folder.is_begun:
        _check_same(folder.configuration(), configuration, path)
        if digest != folder.environment().get("text_model_sha256"):
            raise ArtifactError(
                f"the text model in {configuration.data.text_model} has changed since {path} was begun, expected the "
                "same; put it back or start a run with another name"
            )


def _check_same(before: Configuration, now: Configuration, folder: Path) -> None:
    place = {"output": now.output, "name": now.name}
    for key, old, new in _changes(before.model_copy(update=place).model_dump(), now.model_dump()):
        raise ArtifactError(
            f"{folder} was begun with {key}={old!r}, got {new!r}; "
            "resume with the same configuration or use another name"
        )


def _changes(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    for key, old in before.items():
        new: Any = now.get(key)
        if key == "refinement" and len(old) == len(new):
            old, new = (dict(enumerate(stages)) for stages in (old, new))
        if isinstance(old, dict) and isinstance(new, dict) and key not in ("kinds", "class_weight"):
            yield from _changes(old, new, f"{prefix}{key}.")
        elif old != new and key not in MAY_CHANGE:
            yield f"{prefix}{key}", old, new


# Of engines, what a run may go on with otherwise: what is bought stays the same.
MAY_CHANGE = ("budget_shots", "budget_money", "budget_minutes", "ask_above", "timeout")


def _open(folder: RunFolder, configuration: Configuration, loaded: RunTable, starts: Mapping[str, Start]) -> None:
    """Write what a run begins with; on resume, check that the table is still the same.

    The configuration comes last: a folder without it is no run yet.
    """
    digest = loaded.fingerprint()
    if not folder.is_begun:
        model = text_model_digest(configuration)
        known = {"table_sha256": digest} | ({} if model is None else {"text_model_sha256": model})
        folder.write_environment({**describe_environment(configuration.seed), **known})
        for layer, start in starts.items():
            start.copy_to(folder.start(layer))
        keep(loaded, folder, KEPT)
        folder.write_configuration(configuration)
    else:
        check_same_table(folder, configuration, digest)
        folder.write_configuration(configuration)


def check_same_table(folder: RunFolder, configuration: Configuration, digest: str) -> None:
    """Raise ArtifactError for a run that was begun on another table."""
    if folder.environment().get("table_sha256") != digest:
        raise ArtifactError(
            f"{configuration.data.source} has changed since {folder.path} was begun, expected the same table; "
            "put it back or start a run with another name"
        )


@contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic algorithms of torch, and the caller's setting back at the end."""
    # `torch.use_deterministic_algorithms` tells torch's compiler too, which nothing here uses: a second, and 75 MB.
    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("error")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
