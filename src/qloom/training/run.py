"""One run: a table in, five models compared over several rounds, a folder out; a killed one can go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from qloom.data import Schema
from qloom.data.column_table import column_lines, column_rows
from qloom.errors import ArtifactError
from qloom.files import read_json, replace_file, write_json
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.run_files import CONFIG, ENVIRONMENT, METRICS_FILE, PREDICTIONS, START
from qloom.models.tables.starting import Start, place_of, read_start
from qloom.training.competition import compete, prepared
from qloom.training.competitors import LAYER_OF, Contest, Outcome, PreparedRound, try_circuit
from qloom.training.configuration import ComparisonSection, Configuration, load_configuration
from qloom.training.environment import describe_environment
from qloom.training.folder import locked
from qloom.training.importance import write_importance
from qloom.training.leaderboard import leaderboard_csv
from qloom.training.log import RunLog
from qloom.training.predictions import threshold_notes, write_predictions
from qloom.training.progress import Progress
from qloom.training.record import make_metrics
from qloom.training.rendering import render_configuration
from qloom.training.rounds import KEPT, Plan, describe
from qloom.training.seen_rows import keys_of, write_seen_rows
from qloom.training.table import RunTable, fingerprint, load_table


def train_run(configuration: Configuration, *, resume: bool = False, progress: Progress | None = None) -> Path:
    """Train and compare all models; the run folder.

    Everything that can be refused is refused before a file is written. With `resume`, finished models are
    kept and the one in training goes on from its last epoch, to the same weights as without the interruption.

    Raises:
        QloomError: for a table, configuration or folder that cannot be used.
    """
    folder = configuration.folder
    with locked(folder), _deterministic():
        _check_folder(folder, configuration, resume)
        loaded = load_table(configuration)
        place = _start_of(configuration)
        start = None if place is None else _checked_start(place, loaded.schema)
        plan = Plan(configuration, loaded)
        first = prepared(loaded, plan, KEPT, start)
        circuit = try_circuit(configuration, first.data, place)
        _open(folder, configuration, loaded.table)
        with RunLog(folder, progress or Progress()) as log:
            notes = _notes(loaded.schema, first.data, configuration)
            columns = column_rows(loaded.schema, first.data.preprocessing)
            for note in (*column_lines(columns), *notes, *describe(plan)):
                log.note(note)
            contest = Contest(configuration, loaded.schema.task, folder, log, _start_of(configuration))
            found = compete(contest, loaded, plan, first, start)
            metrics = {
                **make_metrics(configuration, loaded, plan, first.data, found.results, found.seconds),
                "notes": [*notes, *threshold_notes(configuration.training.threshold, first.data.coding, found.kept)],
                "columns": [asdict(row) for row in columns],
                "circuit": circuit.to_json(),
            }
            write_importance(folder, loaded, first, metrics, configuration.seed)
            _write_results(folder, loaded, first, found.kept, metrics)
            log.lines.note(metrics["verdict"])
    return folder


def resume_run(folder: str | Path, *, progress: Progress | None = None) -> Path:
    """Go on with the run in a folder, as its own configuration says."""
    return train_run(read_run_configuration(folder), resume=True, progress=progress)


def read_run_configuration(folder: str | Path) -> Configuration:
    """The configuration of the run in a folder, wherever the folder is now."""
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise ArtifactError(f"{folder} has no {CONFIG}, expected a run folder to resume; start one with qloom train")
    place = {"output": str(folder.parent), "name": folder.resolve().name}
    configuration = load_configuration(folder / CONFIG)
    # Runs were of one round before their configurations said how many.
    older = {} if "comparison" in configuration.model_fields_set else {"comparison": ComparisonSection(seeds=1)}
    return configuration.model_copy(update={**place, **older})


def _write_results(folder: Path, loaded: RunTable, first: PreparedRound, kept: Mapping[str, Outcome],
                   metrics: Mapping[str, Any]) -> None:  # fmt: skip
    predictions = {key: outcome.predictions for key, outcome in kept.items()}
    levels = {key: outcome.level for key, outcome in kept.items()}
    table = replace(loaded, split=first.split)
    learnt_from = np.concatenate([first.split.train, first.split.validation])
    keys = keys_of(first.data.preprocessing, first.data.coding, loaded.table)
    write_seen_rows(place_of(folder, "quantum"), keys, learnt_from)
    write_predictions(folder / PREDICTIONS, table, first.data.coding, predictions, levels)
    replace_file(folder / "leaderboard.csv", leaderboard_csv(metrics))
    write_json(folder / METRICS_FILE, metrics)


def _start_of(configuration: Configuration) -> Path | None:
    """The folder of the networks to begin with: once a run is begun, its own copy of them."""
    given = configuration.training.start_from
    if given is None:
        return None
    return configuration.folder / START if (configuration.folder / CONFIG).exists() else Path(given)


def _checked_start(place: Path, schema: Schema) -> Start:
    """The network under test of an earlier run, for a table with the same target.

    Raises:
        ArtifactError: for another target or task.
    """
    start = read_start(place, "quantum", schema.task)
    if start.coding.name != schema.target:
        raise ArtifactError(
            f"{place} predicts {start.coding.name!r}, got the target {schema.target!r}, expected the same; start afresh"
        )
    return start


def _notes(schema: Schema, data: PreparedTable, configuration: Configuration) -> tuple[str, ...]:
    n_qubits = configuration.model.n_qubits
    mapped = f"{data.n_features} features on {n_qubits} qubits: the classical encoder maps them to angles"
    notes = [*schema.notes, *schema.warnings, *data.notes, *([mapped] if data.n_features > n_qubits else [])]
    if configuration.training.start_from is not None:
        known = {coding.name for coding in data.preprocessing.codings}
        unknown = ", ".join(column.name for column in schema.features if column.name not in known)
        left_out = f", which does not know {unknown}" if unknown else ""
        notes.append(
            f"started from {configuration.training.start_from} and its preprocessing{left_out}; scores are fair only "
            "where it was not trained on rows that are test rows here, as it was on those of a table that it shares"
        )
    return tuple(notes)


# -- the folder


def _check_folder(folder: Path, configuration: Configuration, resume: bool) -> None:
    exists = (folder / CONFIG).exists()
    if exists and not resume:
        raise ArtifactError(f"run folder {folder} exists already; go on with resume=True or choose another name")
    if resume and not exists:
        raise ArtifactError(
            f"run folder {folder} does not exist, expected a run to resume; leave out resume to start one"
        )
    if exists:
        _check_same(read_run_configuration(folder), configuration, folder)


def _check_same(before: Configuration, now: Configuration, folder: Path) -> None:
    place = {"output": now.output, "name": now.name}
    for key, old, new in _changes(before.model_copy(update=place).model_dump(), now.model_dump()):
        raise ArtifactError(
            f"{folder} was begun with {key}={old!r}, got {new!r}; "
            "resume with the same configuration or use another name"
        )


def _changes(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    for key, old in before.items():
        if isinstance(old, dict) and key not in ("kinds", "class_weight"):
            yield from _changes(old, now[key], f"{prefix}{key}.")
        elif old != now[key]:
            yield prefix + key, old, now[key]


def _open(folder: Path, configuration: Configuration, table: pa.Table) -> None:
    """Write what a run begins with; on resume, check that the table is still the same.

    The configuration comes last: a folder without it is no run yet.
    """
    digest = fingerprint(table)
    path = folder / ENVIRONMENT
    if not (folder / CONFIG).exists():
        write_json(path, {**describe_environment(configuration.seed), "table_sha256": digest})
        if configuration.training.start_from is not None:
            for layer in LAYER_OF.values():
                read_start(configuration.training.start_from, layer).copy_to(place_of(folder / START, layer))
        replace_file(folder / CONFIG, render_configuration(configuration))
    elif read_json(path).get("table_sha256") != digest:
        raise ArtifactError(
            f"{configuration.data.source} has changed since {folder} was begun, expected the same table; "
            "put it back or start a run with another name"
        )


@contextmanager
def _deterministic() -> Iterator[None]:
    """Deterministic algorithms of torch, and the caller's setting back at the end."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
