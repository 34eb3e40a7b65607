"""The record of a finished run, metrics.json: with predictions.parquet all that a report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from qloom.models.preparation import PreparedTable
from qloom.models.scores import score, score_names
from qloom.training.bootstrap import bootstrap_scores, interval_of
from qloom.training.competitors import Contest, Outcome
from qloom.training.table import RunTable
from qloom.training.verdict import paired_differences, verdict_sentence

FORMAT, VERSION = "qloom.run", 1


def make_metrics(contest: Contest, loaded: RunTable, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Scores, intervals, comparison and verdict of a run, and what they are about, as plain JSON values."""
    data, configuration = contest.data, contest.configuration
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": configuration.name,
        "task": data.task,
        "target": loaded.schema.target,
        "classes": list(data.coding.classes) or None,
        "n_rows": {part: len(getattr(loaded.split, part)) for part in ("train", "validation", "test")},
        "split": loaded.split.kind,
        "features": list(data.preprocessing.feature_names),
        "notes": list(contest.notes),
        "circuit": contest.circuit.to_json(),
        **judge(data, outcomes, configuration.seed),
    }


def judge(data: PreparedTable, outcomes: Mapping[str, Outcome], seed: int) -> dict[str, Any]:
    """The main score, every model's scores with the interval, the paired differences and the verdict."""
    names = score_names(data.task, len(data.coding.classes))
    y = true_values(data)
    draws = bootstrap_scores(names[0], y, {key: outcome.predictions for key, outcome in outcomes.items()}, seed)
    models = {
        key: {**outcome.record, "test": {name: score(name, y, outcome.predictions) for name in names},
              "interval": list(interval_of(draws[key]))}
        for key, outcome in outcomes.items()
    }  # fmt: skip
    differences = paired_differences({key: model["test"][names[0]] for key, model in models.items()}, draws)
    verdict = verdict_sentence(names[0], models["hybrid"]["test"][names[0]], differences)
    comparison = {key: difference._asdict() for key, difference in differences.items()}
    return {"metric": names[0], "models": models, "comparison": comparison, "verdict": verdict}


def true_values(data: PreparedTable) -> np.ndarray:
    """The test rows' class codes, or values in the target's unit.

    Shapes: (B,).
    """
    y = data.test.y.numpy()
    return data.coding.decode(y) if data.task == "regression" else y
