"""What a tracking system is told of a run: settings, scores over rounds, curves over epochs, files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qloom.files import strict
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST
from qloom.training.folder import CONFIG, ENVIRONMENT, LEADERBOARD, METRICS_FILE, RunFolder

REPORT = "report.html"
FILES = (REPORT, CONFIG, LEADERBOARD, METRICS_FILE, ENVIRONMENT)
_CURVES = ("train_loss", "validation_loss", "validation_metric")
_FACTS = ("n_parameters", "n_quantum_parameters", "seconds_training", "seconds_prediction", "best_epoch")


@dataclass(frozen=True)
class Point:
    """A number of a model.

    Attributes:
        step: epoch or round; 0 for what there is one of.
    """

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class TrackedModel:
    """What is told of one model of a run.

    Attributes:
        points: its numbers.
        model: its folder.
    """

    key: str
    title: str
    role: str
    points: tuple[Point, ...]
    model: Path


@dataclass(frozen=True)
class TrackedRun:
    """What is told of a run.

    Attributes:
        parameters: keys of the configuration, dotted, with their values as text.
        tags: what the run is about and came to.
        digest: sha256 of its record: the same for the same results.
        models: the one under test first.
        files: of the run itself.
    """

    name: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    digest: str
    models: tuple[TrackedModel, ...]
    files: tuple[Path, ...]


def read_tracked(path: Path) -> TrackedRun:
    """All that is told of a finished run.

    Raises:
        ArtifactError: for a folder that is no finished run.
    """
    run = RunFolder(path)
    metrics = run.metrics()
    content = json.dumps(strict(json.loads(json.dumps(metrics, default=str))), sort_keys=True)
    tags = {
        "target": metrics["target"], "task": metrics["task"], "metric": metrics["metric"],
        "verdict": metrics["verdict"], "table_sha256": run.environment().get("table_sha256"),
    }  # fmt: skip
    order = sorted(metrics["models"], key=lambda key: key != UNDER_TEST)
    return TrackedRun(
        metrics["name"], dict(_flat(run.configuration().model_dump(mode="json"))),
        {f"qloom.{name}": str(value) for name, value in tags.items() if value is not None},
        hashlib.sha256(content.encode()).hexdigest(), tuple(_model(run, metrics, key) for key in order),
        tuple(path / name for name in FILES if (path / name).is_file()),
    )  # fmt: skip


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value if isinstance(value, str) else json.dumps(value)


def _model(run: RunFolder, metrics: Mapping[str, Any], key: str) -> TrackedModel:
    found = metrics["models"][key]
    points = (*_curves(found), *_rounds(found), *_scores(found, metrics["metric"]), *_difference(metrics, key))
    place = run.model(key) if key in COMPETITORS else run.path / key
    return TrackedModel(key, found["title"], found["role"], tuple(points), place)


def _curves(found: Mapping[str, Any]) -> Iterator[Point]:
    """Of the round whose networks are kept."""
    for epoch in found["history"] or ():
        yield from (_point(f"epoch/{name}", epoch.get(name), epoch["epoch"]) for name in _CURVES if known(epoch, name))


def _rounds(found: Mapping[str, Any]) -> Iterator[Point]:
    for number, each in enumerate(found.get("rounds") or (), 1):
        yield from (_point(f"round/{name}", value, number) for name, value in each["test"].items() if value is not None)


def _scores(found: Mapping[str, Any], metric: str) -> Iterator[Point]:
    """Means over the rounds with their spread, the interval of the main score, sizes and times."""
    yield from (_point(f"test/{name}", value) for name, value in found["test"].items() if value is not None)
    deviation = found.get("deviation") or {}
    yield from (_point(f"deviation/{name}", value) for name, value in deviation.items() if value is not None)
    ends = zip(("low", "high"), found["interval"] or (), strict=False)
    yield from (_point(f"interval/{metric}/{end}", value) for end, value in ends)
    yield from (_point(name, found[name]) for name in _FACTS if known(found, name))


def _difference(metrics: Mapping[str, Any], key: str) -> Iterator[Point]:
    """By how much the hybrid model is better than this one."""
    found = metrics["comparison"].get(key, {})
    for name, title in (("difference", "mean"), ("low", "low"), ("high", "high")):
        if known(found, name):
            yield _point(f"hybrid_better_by/{title}", found[name])


def known(record: Mapping[str, Any], name: str) -> bool:
    """Whether there is a number."""
    return record.get(name) is not None


def _point(name: str, value: Any, step: int = 0) -> Point:
    return Point(name, float(value), int(step))
