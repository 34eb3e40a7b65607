"""A finished run in MLflow: the hybrid model is the run, its controls and baselines are runs nested in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from qloom.tracking.stores import artifact_place, quietly, reaching, scheme_of
from qloom.tracking.tracked_run import Point, TrackedModel, TrackedRun, read_tracked

EXPERIMENT = "qloom"
_PARENT, _NOTE, _RECORD = "mlflow.parentRunId", "mlflow.note.content", "qloom.record"
# What one request may hold, and the longest value of a parameter.
_METRICS, _PARAMETERS, _LONGEST = 1000, 100, 6000


def log_run(path: Path, store: str, experiment: str = EXPERIMENT) -> str:
    """Log a finished run; what came of it in words. One whose record is in the store already is not logged again.

    Args:
        path: of the run's folder.
        store: MLflow's tracking URI.
        experiment: made if it is not there.

    Raises:
        ArtifactError: for a folder that is no finished run.
        ConfigError: for a store that cannot be used or reached; what was logged by then is a run that failed.
        ExtraError: where MLflow is not installed.
    """
    record = read_tracked(path)
    scheme_of(store)
    with quietly() as tracking, reaching(store):
        client = tracking.MlflowClient(tracking_uri=store)
        place = _experiment(client, experiment, store)
        if known := _logged(client, place, record.digest):
            return f"{path} is in {store} already: experiment {experiment}, run {known}"
        number = _log(client, place, record)
    nested = len(record.models) - 1
    return f"{path} logged to {store}: experiment {experiment}, run {number} with {nested} nested ones"


def _experiment(client: Any, name: str, store: str) -> str:
    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=artifact_place(store)))


def _logged(client: Any, experiment: str, digest: str) -> str | None:
    """The run that holds a record whole."""
    asked = f"tags.`{_RECORD}` = '{digest}' and attributes.status = 'FINISHED'"
    found = client.search_runs([experiment], filter_string=asked, max_results=1)
    return str(found[0].info.run_id) if found else None


def _log(client: Any, experiment: str, record: TrackedRun) -> str:
    """The parent ends last, so that only a run that is all there is finished."""
    first, *others = record.models
    tags = {**record.tags, _RECORD: record.digest, _NOTE: record.tags["qloom.verdict"]}
    parent = _begin(client, experiment, record.name, {**tags, **_tags(first)})
    try:
        for parameters in _in_parts(_parameters(record.parameters), _PARAMETERS):
            client.log_batch(parent, params=parameters)
        _fill(client, parent, first)
        for file in record.files:
            client.log_artifact(parent, str(file))
        for model in others:
            _nest(client, experiment, parent, model)
    except BaseException:
        with suppress(Exception):  # the store may be what failed
            client.set_terminated(parent, "FAILED")
        raise
    client.set_terminated(parent, "FINISHED")
    return parent


def _begin(client: Any, experiment: str, name: str, tags: Mapping[str, str]) -> str:
    return str(client.create_run(experiment, tags=dict(tags), run_name=name).info.run_id)


def _nest(client: Any, experiment: str, parent: str, model: TrackedModel) -> None:
    number = _begin(client, experiment, model.title, {_PARENT: parent, **_tags(model)})
    _fill(client, number, model)
    client.set_terminated(number, "FINISHED")


def _tags(model: TrackedModel) -> dict[str, str]:
    return {"qloom.model": model.key, "qloom.role": model.role}


def _fill(client: Any, number: str, model: TrackedModel) -> None:
    for points in _in_parts(_metrics(model.points), _METRICS):
        client.log_batch(number, metrics=points)
    if model.model.is_dir():
        client.log_artifacts(number, str(model.model), "model")


def _metrics(points: Sequence[Point]) -> list[Any]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(point.name, point.value, now, point.step) for point in points]


def _parameters(values: Mapping[str, str]) -> list[Any]:
    from mlflow.entities import Param

    return [Param(name, _held(value)) for name, value in values.items()]


def _held(value: str) -> str:
    """As much of a value as MLflow takes; the file of the configuration is logged whole."""
    end = " ... all of it is in config.yaml"
    return value if len(value) <= _LONGEST else value[: _LONGEST - len(end)] + end


def _in_parts(values: list[Any], most: int) -> Iterator[list[Any]]:
    for start in range(0, len(values), most):
        yield values[start : start + most]
