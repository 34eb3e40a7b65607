"""Finished runs side by side: scores with their spread, and what each run gained over the first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qloom.errors import ArtifactError, ConfigError
from qloom.models.tables.scores import METRICS
from qloom.training.folder import METRICS_FILE, VERSION, RunFolder
from qloom.training.intervals import Estimate, estimate, quantile
from qloom.training.verdict import Difference, judge_difference

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class FinishedRun:
    """What a run folder says of its scores.

    Attributes:
        label: its folder's name, or its path where names are not different.
        table: sha256 of the table it was trained on, None if the folder does not say.
        splits: sha256 of each round's split.
    """

    label: str
    metrics: Metrics
    table: str | None
    splits: tuple[str, ...]

    @property
    def test_ratio(self) -> float:
        """Rows tested over rows learnt from, on average over the rounds."""
        rows = [each["n_rows"] for each in self.metrics["rounds"]["each"]]
        return float(np.mean([n["test"] / (n["train"] + n["validation"]) for n in rows]))

    def scores(self, key: str) -> list[float]:
        """A model's main score in every round, NaN where it is undefined."""
        values = [each["test"][self.metrics["metric"]] for each in self.metrics["models"][key]["rounds"]]
        return [math.nan if value is None else value for value in values]


def compare_runs(folders: Sequence[Path]) -> dict[str, Any]:
    """The runs of some folders and the differences of each to the first, as plain JSON values.

    Rounds that cut the same table alike are paired, and only those are compared; runs without two such rounds are
    compared as they are, which shows less.

    Raises:
        ConfigError: for fewer than two runs, or runs of another target, task or main score.
        ArtifactError: for a folder that is no finished run, or one of an older version.
    """
    if len(folders) < 2:
        raise ConfigError(f"{len(folders)} run, expected at least two to compare; give more run folders")
    runs = [read_finished(folder, label) for folder, label in zip(folders, _labels(folders), strict=True)]
    for run in runs[1:]:
        _check_alike(runs[0], run)
    first = runs[0].metrics
    return {
        "target": first["target"], "task": first["task"], "metric": first["metric"],
        "runs": [_describe(run) for run in runs],
        "differences": [
            _compare(runs[0], run, key) for run in runs[1:] for key in first["models"] if key in run.metrics["models"]
        ],
    }  # fmt: skip


def read_finished(folder: Path, label: str) -> FinishedRun:
    """The scores of a run folder.

    Raises:
        ArtifactError: if it is no finished run, or one from before there were rounds.
    """
    run = RunFolder(folder)
    metrics = run.metrics()
    if metrics["version"] != VERSION:
        path = folder / METRICS_FILE
        raise ArtifactError(
            f"{path} has version {metrics['version']!r}, expected {VERSION}, which holds scores of every "
            f"round; write it anew with: qloom train {folder} --resume"
        )
    splits = tuple(each["split_sha256"] for each in metrics["rounds"]["each"])
    return FinishedRun(label, metrics, run.environment().get("table_sha256"), splits)


def _labels(folders: Sequence[Path]) -> list[str]:
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]


def _check_alike(first: FinishedRun, other: FinishedRun) -> None:
    for entry in ("target", "task", "metric"):
        before, now = first.metrics[entry], other.metrics[entry]
        if before != now:
            raise ConfigError(
                f"{first.label} has {entry} {before!r} and {other.label} has {now!r}, "
                "expected the same to compare runs; leave one out"
            )


def _describe(run: FinishedRun) -> dict[str, Any]:
    metrics, name = run.metrics, run.metrics["metric"]
    models = {
        key: {"title": model["title"], "score": model["test"][name], "deviation": model["deviation"][name],
              "interval": model["interval"]}
        for key, model in metrics["models"].items()
    }  # fmt: skip
    rounds = {name: metrics["rounds"][name] for name in ("n", "kind")}
    copied = {name: metrics[name] for name in ("engine", "n_rows", "verdict")}
    return {"run": run.label, "rounds": rounds, **copied, "models": models}


def _compare(first: FinishedRun, other: FinishedRun, key: str) -> dict[str, Any]:
    """By how much a model is better in another run than in the first."""
    pairs, metric = paired_rounds(first, other), first.metrics["metric"]
    sign, before, now = METRICS[metric].sign, first.scores(key), other.scores(key)
    if len(pairs) > 1:
        found = estimate([sign * (now[j] - before[i]) for i, j in pairs], first.test_ratio)
    else:
        found = _unpaired(sign, first, other, key)
    why = first.metrics["unjudged"] or other.metrics["unjudged"]
    difference = Difference(Estimate(found.mean, found.deviation))
    if not why:
        difference = judge_difference(found, first.metrics["margin"], first.test_ratio)
    n_pairs = len(pairs) if len(pairs) > 1 else 0
    names = {"run": other.label, "against": first.label, "model": key, "paired_rounds": n_pairs}
    return {**names, **difference.record(), "rounds_needed": None, "unjudged": why}


def paired_rounds(first: FinishedRun, other: FinishedRun) -> list[tuple[int, int]]:
    """Places of the rounds that cut the same table alike."""
    if first.table is None or first.table != other.table:
        return []
    places = {split: place for place, split in enumerate(other.splits)}
    return [(place, places[split]) for place, split in enumerate(first.splits) if split in places]


def _unpaired(sign: int, first: FinishedRun, other: FinishedRun, key: str) -> Estimate:
    """The difference of two means with an interval, their variances corrected as those of one run.

    Source: for the degrees of freedom Welch 1947, Biometrika 34, 28.
    """
    before, now = (estimate(run.scores(key), run.test_ratio) for run in (first, other))
    if before.mean is None or now.mean is None:
        return Estimate(None)
    mean = sign * (now.mean - before.mean)
    if before.deviation is None or now.deviation is None:
        return Estimate(mean)
    variances = [
        (deviation**2 * (1 / len(run.splits) + run.test_ratio), len(run.splits) - 1)
        for deviation, run in ((before.deviation, first), (now.deviation, other))
    ]
    variance = sum(part for part, _ in variances)
    freedom = variance**2 / sum(part**2 / n for part, n in variances) if variance else 1.0
    half = quantile(freedom) * math.sqrt(variance)
    return Estimate(mean, math.hypot(before.deviation, now.deviation), mean - half, mean + half)
