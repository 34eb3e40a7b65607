"""What a run is remembered by: scores over the rounds, differences and the verdict, as metrics.json has them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.data import Split
from qloom.models.tables.competitors import UNDER_TEST
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.scores import METRICS, score
from qloom.training.competitors import PARTS, Outcome, PreparedRound
from qloom.training.configuration import Configuration
from qloom.training.intervals import Estimate, estimate, plain
from qloom.training.rounds import KEPT, Plan
from qloom.training.table import RunTable
from qloom.training.verdict import Difference, judge_difference, verdict_text, why_unjudged

# Scores of classes that single rows add up to; all others need rows of every class.
_OF_ROWS = ("accuracy", "log_loss", "brier")


@dataclass(frozen=True)
class RoundResult:
    """What a round is remembered by: all but its rows and predictions.

    Attributes:
        n_rows: of every part.
        n_rarest: test rows of the class with the fewest; None for numbers.
        split_sha256: of the row numbers of the parts; the same in runs that cut the same table alike.
        records: key of a model -> what is known of its training.
        scores: key of a model -> its scores on the test rows, None where one is undefined.
    """

    number: int
    seed: int
    n_rows: dict[str, int]
    n_rarest: int | None
    split_sha256: str
    records: Mapping[str, dict[str, Any]]
    scores: Mapping[str, dict[str, float | None]]

    @property
    def test_ratio(self) -> float:
        """Rows tested over rows learnt from."""
        return self.n_rows["test"] / (self.n_rows["train"] + self.n_rows["validation"])


def result_of(each: PreparedRound, outcomes: Mapping[str, Outcome]) -> RoundResult:
    """Judge the models of a round on its test rows."""
    data, y = each.data, true_values(each.data)
    weights = data.test.scored_weights
    scores = {
        key: {name: plain(score(name, y, outcome.predictions, outcome.level, weights)) for name in data.score_names}
        for key, outcome in outcomes.items()
    }
    rarest = None if data.task == "regression" else int(np.bincount(y, minlength=len(data.coding.classes)).min())
    records = {key: outcome.record for key, outcome in outcomes.items()}
    return RoundResult(each.number, each.seed, each.n_rows, rarest, _digest(each.split), records, scores)


def make_metrics(
    configuration: Configuration, loaded: RunTable, plan: Plan, data: PreparedTable, results: Sequence[RoundResult],
    seconds: float,
) -> dict[str, Any]:  # fmt: skip
    """Scores, intervals, comparison and verdict of a run, and what they are about, as plain JSON values.

    Args:
        data: of the round that is kept.
        seconds: that all rounds took.
    """
    kept = results[KEPT - 1]
    return {
        "name": configuration.name,
        "task": data.task,
        "target": loaded.schema.target,
        "classes": list(data.coding.classes) or None,
        "n_rows": kept.n_rows,
        "split": loaded.split.kind,
        "engine": configuration.engine.seeded(configuration.seed).values(),
        "features": list(data.preprocessing.feature_names),
        "unit": "epoch" if data.windows is None else "window",
        "rounds": _describe_rounds(plan, results, seconds),
        **judge(data.score_names[0], results, configuration),
    }


def _describe_rounds(plan: Plan, results: Sequence[RoundResult], seconds: float) -> dict[str, Any]:
    fields = ("number", "seed", "n_rows", "split_sha256")
    ended_early = len(results) < plan.wanted
    return {
        "n": len(results), "kind": plan.kind, "kept": KEPT, "wanted": None if plan.is_open else plan.wanted,
        "time_limit": plan.limit if ended_early or plan.is_open else None, "seconds": seconds,
        "each": [{name: getattr(result, name) for name in fields} for result in results],
    }  # fmt: skip


def judge(metric: str, results: Sequence[RoundResult], configuration: Configuration) -> dict[str, Any]:
    """The main score, every model's scores over the rounds, the paired differences and the verdict."""
    section, n_rounds = configuration.comparison, len(results)
    ratio = float(np.mean([result.test_ratio for result in results]))
    unjudged = _why_unjudged(metric, results, section.fewest_test_rows)
    means = {key: _estimate(values_of(results, key, metric), ratio, unjudged) for key in results[0].scores}
    margin = margin_of(metric, section.margin, means[UNDER_TEST].mean)
    others = [key for key in means if key != UNDER_TEST]
    differences = {key: _difference(results, key, metric, margin, ratio, unjudged) for key in others}
    engine = None if configuration.engine.is_exact else configuration.engine.title
    return {
        "metric": metric,
        "margin": margin,
        "models": {key: _model(key, results, metric, found) for key, found in means.items()},
        "comparison": {key: difference.record() for key, difference in differences.items()},
        "unjudged": unjudged,
        "verdict": verdict_text(
            metric,
            means[UNDER_TEST],
            differences,
            results[KEPT - 1].records,
            n_rounds,
            margin,
            unjudged,
            engine,
            ("quantum layer", "hybrid model")
            if configuration.finetune is None
            else ("quantum adapter", "adapted model"),
        ),
    }


def margin_of(metric: str, margin: float, mean: float | None) -> float:
    """Up to which differences do not matter, at a mean score of the hybrid model.

    Of scores with a best value the margin as it is, but half of what is left to that value at most: at a ROC AUC of
    0.995 a margin of 0.01 would call a perfect model no better. Of errors that share of them.
    """
    if mean is None:
        return margin
    found, (least, most) = METRICS[metric], METRICS[metric].bounds
    if not found.higher_is_better and not math.isfinite(most):
        return margin * abs(mean)
    return min(margin, abs((most if found.higher_is_better else least) - mean) / 2)


def values_of(results: Sequence[RoundResult], key: str, name: str) -> list[float]:
    """A score of a model in every round, NaN where it is undefined."""
    values = [result.scores[key][name] for result in results]
    return [float("nan") if value is None else value for value in values]


def _model(key: str, results: Sequence[RoundResult], metric: str, found: Estimate) -> dict[str, Any]:
    """Its entry in metrics.json: training as in the round that is kept, scores and times as means over all rounds."""
    kept = results[KEPT - 1].records[key]
    names = list(results[0].scores[key])
    spread = {name: np.array(values_of(results, key, name)) for name in names}
    times = ("seconds_training", "seconds_prediction")
    return {
        **without_infinities(kept),
        **{name: float(np.mean([result.records[key][name] for result in results])) for name in times},
        "test": {name: plain(values.mean()) for name, values in spread.items()},
        "deviation": {name: plain(values.std(ddof=1)) if len(results) > 1 else None for name, values in spread.items()},
        "interval": _within_bounds(metric, found.interval),
        "rounds": [
            {"test": result.scores[key], "best_epoch": result.records[key]["best_epoch"],
             **{name: result.records[key][name] for name in times}}
            for result in results
        ],
    }  # fmt: skip


def _within_bounds(metric: str, interval: list[float] | None) -> list[float] | None:
    """An interval without the values that a score cannot have: the t distribution knows no bounds."""
    low, high = METRICS[metric].bounds
    return interval and [max(interval[0], low), min(interval[1], high)]


def _difference(
    results: Sequence[RoundResult], key: str, metric: str, margin: float, ratio: float, unjudged: str | None
) -> Difference:
    """By how much the hybrid model is better."""
    values = np.array(values_of(results, UNDER_TEST, metric)) - np.array(values_of(results, key, metric))
    found = _estimate(list(METRICS[metric].sign * values), ratio, unjudged)
    return Difference(found) if unjudged else judge_difference(found, margin, ratio)


def _estimate(values: list[float], ratio: float, unjudged: str | None) -> Estimate:
    """The estimate, without an interval where the rounds cannot carry one."""
    found = estimate(values, ratio)
    return found if unjudged is None else Estimate(found.mean, found.deviation)


def _why_unjudged(metric: str, results: Sequence[RoundResult], fewest: int) -> str | None:
    n_test = min(result.n_rows["test"] for result in results)
    rarest = [result.n_rarest for result in results if result.n_rarest is not None]
    why = why_unjudged(len(results), n_test, fewest, min(rarest) if rarest and metric not in _OF_ROWS else None)
    undefined = any(value is None for result in results for value in (s[metric] for s in result.scores.values()))
    return why or (f"{metric} is undefined on the test rows of a round" if undefined else None)


def without_infinities(value: Any) -> Any:
    """A record as JSON has it: None for NaN and infinite numbers, wherever they are."""
    if isinstance(value, Mapping):
        return {key: without_infinities(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinities(entry) for entry in value]
    return plain(value) if isinstance(value, float) else value


def true_values(data: PreparedTable) -> np.ndarray:
    """The test rows' class codes, or values in the target's unit.

    Shapes: (B,).
    """
    return data.test.truth


def _digest(split: Split) -> str:
    digest = hashlib.sha256()
    for part in PARTS:
        rows = np.ascontiguousarray(getattr(split, part), dtype="<i8")
        digest.update(len(rows).to_bytes(8, "little") + rows.tobytes())
    return digest.hexdigest()
