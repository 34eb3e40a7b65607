"""The leaderboard: every model's mean score over the rounds with spread, interval, size and time, best first."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from typing import Any

from qloom.engines.choice import choose_engine
from qloom.models.tables.scores import METRICS

COLUMNS = (
    "model",
    "role",
    "metric",
    "score",
    "deviation",
    "n_rounds",
    "low",
    "high",
    "n_parameters",
    "n_quantum_parameters",
    "seconds_training",
    "seconds_prediction",
    "engine",
)


def leaderboard_rows(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a model from the metrics of a run, best main score first, models without one last."""
    rows = [_row(key, model, metrics["metric"]) for key, model in metrics["models"].items()]
    sign = METRICS[metrics["metric"]].sign
    return sorted(rows, key=lambda row: math.inf if row["score"] is None else -sign * row["score"])


def _row(key: str, model: Mapping[str, Any], metric: str) -> dict[str, Any]:
    low, high = model["interval"] or (None, None)
    copied = {name: model[name] for name in COLUMNS if name in model}
    engine = model.get("engine")
    return {
        **copied,
        "model": key,
        "metric": metric,
        "score": model["test"][metric],
        "deviation": model["deviation"][metric],
        "n_rounds": len(model["rounds"]),
        "low": low,
        "high": high,
        "engine": engine and choose_engine(engine).title,
    }


def leaderboard_csv(metrics: Mapping[str, Any]) -> str:
    """The leaderboard as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(leaderboard_rows(metrics))
    return text.getvalue()
