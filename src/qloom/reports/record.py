"""A run folder read and checked: all a report is made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from qloom.circuits import Circuit
from qloom.engines.choice import choose_engine
from qloom.errors import ArtifactError
from qloom.training.folder import CONFIG, ENVIRONMENT, METRICS_FILE, PREDICTIONS, RunFolder, damaged


@dataclass(frozen=True)
class RefitRecord:
    """A head fitted to a trained circuit's outputs: validation losses before and after, and whether it was kept."""

    kind: str
    before: float
    after: float
    error: float
    seconds: float
    kept: bool


@dataclass(frozen=True)
class ModelRecord:
    """One trained model of a run.

    Args:
        key: its name in files, e.g. "hybrid".
        role: "hybrid", "control" or "baseline".
        explanation: what it is there for.
        engine: what ran its circuit, for people; None without one, and where values were exact.
        test: metric -> value on the test rows, the mean over the rounds; NaN where it is undefined.
        deviation: metric -> standard deviation between rounds; empty for one round.
        interval: 95% interval of the run's metric, None if there is none.
        history: one dict an epoch: epoch, train_loss, validation_loss, validation_metric, seconds.
        refit: the head fitted in the end; None without.
        started_from: the run whose weights it began with, None for a fresh start.
    """

    key: str
    title: str
    role: str
    explanation: str
    engine: str | None
    n_parameters: int | None
    n_quantum_parameters: int | None
    seconds_training: float
    seconds_prediction: float
    best_epoch: int | None
    test: dict[str, float]
    deviation: dict[str, float]
    interval: tuple[float, float] | None
    history: tuple[dict[str, Any], ...]
    refit: RefitRecord | None = None
    started_from: str | None = None


@dataclass(frozen=True)
class Difference:
    """Paired difference of the metric, hybrid minus another model, with its 95% interval, NaN if there is none.

    Args:
        outcome: "better", "worse", "equal" or "undecided"; None without a verdict, and in runs of version 1.
    """

    value: float
    low: float
    high: float
    outcome: str | None = None


@dataclass(frozen=True)
class RoundsRecord:
    """How often every model was trained.

    Args:
        kind: how the rows were cut for each; None in runs of version 1.
        kept: the round whose networks and predictions are recorded.
        wanted: rounds that there would have been without a time limit, None if only time set their number.
        time_limit: seconds that ended them; None if nothing did.
        test_rows: of the smallest and of the largest round.
    """

    n: int = 1
    kind: str | None = None
    kept: int = 1
    wanted: int | None = 1
    time_limit: float | None = None
    test_rows: tuple[int, int] | None = None


@dataclass(frozen=True)
class RunRecord:
    """What a run folder holds.

    Args:
        classes: the target's classes as text, empty for a regression.
        n_rows: "train", "validation" and "test" -> rows.
        split: how the rows were divided, None if the record does not say.
        engine: what ran the circuits, for people; None where values were exact.
        unit: what an epoch of networks is: "epoch", or the "window" of a stream.
        rounds: how often every model was trained.
        margin: differences up to this do not matter; None in runs of version 1.
        comparison: key of a model -> hybrid minus that model.
        unjudged: why there is no verdict; None if there is one.
        columns: what became of each column of the table, as `column_rows` says it; empty in older runs.
        targets: (N,) of the test rows: class indices, or numbers for a regression.
        predictions: key of a model -> (N,), of the same kind as the targets.
        probabilities: key of a model -> (N, C); empty for a regression.
        config, environment: text of config.yaml and environment.json, None where the file is missing.
        circuit: of the model under test; None of an adapter without one.
        adapted: the pretrained model and its adapter, of a fine-tuning; None of a table's own networks.
        importance: what importance.json holds, None without it.
        under_noise: what noise.json holds, None without it.
        refinement: what came of further stages of the model that is kept, None without any.
    """

    name: str
    task: Literal["classification", "regression"]
    target: str
    classes: tuple[str, ...]
    metric: str
    n_rows: dict[str, int]
    split: str | None
    engine: str | None
    features: tuple[str, ...]
    notes: tuple[str, ...]
    columns: tuple[dict[str, Any], ...]
    circuit: Circuit | None
    models: dict[str, ModelRecord]
    unit: str
    rounds: RoundsRecord
    margin: float | None
    unjudged: str | None
    comparison: dict[str, Difference]
    verdict: str
    targets: np.ndarray
    predictions: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]
    config: str | None
    environment: str | None
    adapted: dict[str, Any] | None = None
    importance: dict[str, Any] | None = None
    under_noise: dict[str, Any] | None = None
    refinement: dict[str, Any] | None = None


def read_run(folder: Path) -> RunRecord:
    """The run of a folder.

    Raises:
        ArtifactError: if the folder is not a run, or a file of it is missing, damaged or of another version.
    """
    run = RunFolder(folder)
    document = run.metrics()
    try:
        facts = _facts(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ArtifactError):
            raise
        raise damaged(run.path / METRICS_FILE, error) from None
    return RunRecord(
        **facts,
        **_outputs(run.predictions(), list(facts["models"]), facts["classes"]),
        config=run.text(CONFIG),
        environment=run.text(ENVIRONMENT),
        importance=run.importance(),
        under_noise=run.under_noise(),
    )


def _facts(document: dict[str, Any]) -> dict[str, Any]:
    models = {key: _model(key, data) for key, data in document["models"].items()}
    task, metric = document["task"], document["metric"]
    if task not in ("classification", "regression"):
        raise ValueError(f"task {task!r}, expected classification or regression")
    if "hybrid" not in models:
        raise ValueError(f"models {list(models)}, expected hybrid among them")
    for model in models.values():
        if metric not in model.test:
            raise ValueError(f"model {model.key!r} has no test {metric}")
    return {
        "name": str(document["name"]),
        "task": task,
        "target": str(document["target"]),
        "classes": tuple(map(label, document["classes"] or ())) if task == "classification" else (),
        "metric": metric,
        "n_rows": {part: int(n) for part, n in document["n_rows"].items()},
        "split": None if document["split"] is None else str(document["split"]),
        "engine": _engine_title(document["engine"]),
        "features": tuple(map(str, document["features"])),
        "notes": tuple(map(str, document["notes"])),
        "columns": tuple(map(dict, document["columns"])),
        "adapted": document.get("adapted"),
        "circuit": None if _is_without(document) else Circuit.from_json(document["circuit"]),
        "models": models,
        "unit": str(document.get("unit", "epoch")),
        "rounds": RoundsRecord() if document["rounds"] is None else _rounds(document["rounds"]),
        "margin": None if document["margin"] is None else float(document["margin"]),
        "unjudged": document["unjudged"],
        "refinement": document["refinement"],
        "comparison": {key: _difference(data) for key, data in document["comparison"].items() if key in models},
        "verdict": str(document["verdict"]),
    }


def _model(key: str, data: dict[str, Any]) -> ModelRecord:
    interval = data["interval"]
    return ModelRecord(
        key,
        str(data["title"]),
        str(data["role"]),
        str(data["explanation"]),
        _engine_title(data["engine"]),
        _count(data["n_parameters"]),
        _count(data["n_quantum_parameters"]),
        float(data["seconds_training"]),
        float(data["seconds_prediction"]),
        _count(data["best_epoch"]),
        _numbers_of(data["test"]),
        {} if data.get("deviation") is None else _numbers_of(data["deviation"]),
        None if interval is None else (float(interval[0]), float(interval[1])),
        tuple(dict(epoch) for epoch in data["history"] or ()),
        None if data.get("refit") is None else _refit(data["refit"]),
        None if data.get("started_from") is None else str(data["started_from"]),
    )


def _engine_title(data: Any) -> str | None:
    choice = choose_engine(data)
    return None if choice.is_exact else choice.title


def _refit(data: dict[str, Any]) -> RefitRecord:
    before, after, error, seconds = (_number(data[name]) for name in ("before", "after", "error", "seconds"))
    return RefitRecord(str(data["kind"]), before, after, error, seconds, bool(data["kept"]))


def _is_without(document: dict[str, Any]) -> bool:
    """Whether an adapter was trained that has no circuit."""
    return document["circuit"] is None and document.get("adapted") is not None


def _count(value: Any) -> int | None:
    return None if value is None else int(value)


def _number(value: Any) -> float:
    """NaN for the null that stands for an undefined value."""
    return math.nan if value is None else float(value)


def _numbers_of(data: dict[str, Any]) -> dict[str, float]:
    return {str(name): _number(value) for name, value in data.items()}


def _difference(data: dict[str, Any]) -> Difference:
    value, low, high = (_number(data[name]) for name in ("difference", "low", "high"))
    return Difference(value, low, high, data.get("outcome"))


def _rounds(data: dict[str, Any]) -> RoundsRecord:
    n_test = [int(each["n_rows"]["test"]) for each in data["each"]]
    limit = None if data["time_limit"] is None else float(data["time_limit"])
    ends = min(n_test), max(n_test)
    return RoundsRecord(int(data["n"]), str(data["kind"]), int(data["kept"]), _count(data["wanted"]), limit, ends)


def _outputs(table: pa.Table, keys: Sequence[str], classes: Sequence[str]) -> dict[str, Any]:
    """The arrays of predictions.parquet."""
    read = _class_indices if classes else _numbers
    return {
        "targets": read(table, "target", classes),
        "predictions": {key: read(table, f"{key}:prediction", classes) for key in keys},
        "probabilities": {
            key: np.column_stack([_numbers(table, f"{key}:probability:{name}") for name in classes])
            for key in keys if classes
        },
    }  # fmt: skip


def _column(table: pa.Table, name: str) -> list[Any]:
    if name not in table.column_names:
        raise ArtifactError(f"{PREDICTIONS} has no column {name!r}, expected it; train again")
    return table.column(name).to_pylist()


def _numbers(table: pa.Table, name: str, _: Sequence[str] = ()) -> np.ndarray:
    values = _column(table, name)
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ArtifactError(f"column {name!r} of {PREDICTIONS} is not numbers, expected them") from None


def _class_indices(table: pa.Table, name: str, classes: Sequence[str]) -> np.ndarray:
    index = {name: k for k, name in enumerate(classes)}
    labels = list(map(label, _column(table, name)))
    foreign = set(labels) - set(index)
    if foreign:
        known = ", ".join(classes)
        raise ArtifactError(f"column {name!r} of {PREDICTIONS} holds {min(foreign)!r}, expected one of {known}")
    return np.array([index[text] for text in labels], dtype=int)


def label(value: object) -> str:
    """A class as text, the same whether it was read from JSON or from Parquet: 1.0 and 1 are "1"."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
