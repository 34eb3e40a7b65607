"""The leaderboard: every model's score on the test rows with its interval, size and time, best first."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

COLUMNS = (
    "model",
    "role",
    "metric",
    "score",
    "low",
    "high",
    "n_parameters",
    "n_quantum_parameters",
    "seconds_training",
    "seconds_prediction",
)


def leaderboard_rows(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a model from the metrics of a run, highest main score first."""
    rows = [_row(key, model, metrics["metric"]) for key, model in metrics["models"].items()]
    return sorted(rows, key=lambda row: -row["score"])


def _row(key: str, model: Mapping[str, Any], metric: str) -> dict[str, Any]:
    low, high = model["interval"]
    copied = {name: model[name] for name in COLUMNS if name in model}
    return {
        "model": key,
        "metric": metric,
        "score": model["test"][metric],
        "low": low,
        "high": high,
        **copied,
    }


def leaderboard_csv(metrics: Mapping[str, Any]) -> str:
    """The leaderboard as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(leaderboard_rows(metrics))
    return text.getvalue()
