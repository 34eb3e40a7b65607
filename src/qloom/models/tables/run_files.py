"""What the files of a run folder are called, and the record of a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qloom.errors import ArtifactError
from qloom.files import read_json

CONFIG, ENVIRONMENT, METRICS_FILE = "config.yaml", "environment.json", "metrics.json"
PREDICTIONS, IMPORTANCE = "predictions.parquet", "importance.json"
# `start` holds copies of the networks that a run begins with, so that it can go on without the earlier run.
CHECKPOINTS, START = "checkpoints", "start"
# The formats of metrics.json and importance.json.
FORMAT, VERSION = "qloom.run", 2
IMPORTANCE_FORMAT, IMPORTANCE_VERSION = "qloom.importance", 1


def read_metrics(folder: Path) -> dict[str, Any]:
    """The record of a finished run, of whatever version.

    Raises:
        ArtifactError: if the folder is no finished run, or its record is damaged.
    """
    path = folder / METRICS_FILE
    if not path.is_file():
        state = f"has no {METRICS_FILE}" if folder.is_dir() else "is not a folder"
        raise ArtifactError(f"{folder} {state}, expected the folder of a finished run such as runs/NAME")
    metrics = read_json(path)
    if not isinstance(metrics, dict) or metrics.get("format") != FORMAT:
        raise ArtifactError(f"{path} is not the record of a run, expected JSON with format {FORMAT!r}")
    return metrics
