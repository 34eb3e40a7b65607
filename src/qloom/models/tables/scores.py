"""Scores of predictions, weighted, so that a bootstrap is one call with many rows of weights.

N draws, B rows, C classes. Classes come as codes (B,) with probabilities (B, C), numbers as two times (B,). Of two
classes the second one is the positive one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qloom.errors import ConfigError

Array = np.ndarray
_TOP = 0.1


@dataclass(frozen=True)
class Metric:
    """A score: its name for people, what it is of, and which way is better.

    Attributes:
        title: for people.
        of: the kinds of target it is for, of "two classes", "more classes" and "numbers".
        function: y (B,), predictions, weights (N, B) -> (N,), NaN where it is not defined. Predictions are decisions
            (B,), probabilities (B, C) or values (B,), as `takes` says; those of "level" take the level as well.
        takes: "decisions", "outputs" or "level".
        higher_is_better: else lower.
        usual: whether it is reported unless another one is asked for.
        bounds: the least and the largest value that it can have.
    """

    title: str
    of: tuple[str, ...]
    function: Callable[..., Array]
    takes: str = "outputs"
    higher_is_better: bool = True
    usual: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)

    def __call__(self, y: Array, predictions: Array, weights: Array, level: float = 0.5) -> Array:
        """One score a row of weights.

        Args:
            level: the probability above which the second of two classes is decided for, or the quantile predicted.

        Shapes: y (B,), predictions (B, C) or (B,), weights (N, B) -> (N,).
        """
        if self.takes == "decisions":
            return self.function(y, decide(predictions, level), weights)
        return self.function(y, predictions, weights, *([level] if self.takes == "level" else []))

    @property
    def sign(self) -> int:
        """1 if higher is better, else -1."""
        return 1 if self.higher_is_better else -1


def decide(probabilities: Array, threshold: float = 0.5) -> Array:
    """Codes of the classes decided for: the most probable, or of two the second one above the threshold.

    Shapes: (B, C) -> (B,).
    """
    if probabilities.shape[1] == 2 and threshold != 0.5:
        return (probabilities[:, 1] > threshold).astype(int)
    return probabilities.argmax(axis=1)


def _mean(values: Array, weights: Array) -> Array:
    return _ratio(weights @ values.astype(float), weights.sum(axis=1))


def _ratio(part: Array, whole: Array) -> Array:
    """NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _mean_over_classes(scores: list[Array]) -> Array:
    """Of those where the score is defined."""
    stacked = np.array(scores)
    return _ratio(np.nansum(stacked, axis=0), np.isfinite(stacked).sum(axis=0))


# -- of classes, by how rows are ranked


def _area(positive: Array, scores: Array, weights: Array) -> Array:
    """The chance that a positive row outranks a negative one, ties half: the area under the ROC curve."""
    above, below = _by_rank(positive, scores, weights)
    won = (above * (np.cumsum(below, axis=1) - below / 2)).sum(axis=1)
    return _ratio(won, above.sum(axis=1) * below.sum(axis=1))


def _average_precision(positive: Array, scores: Array, weights: Array) -> Array:
    """Precision at every threshold, weighted with the step in recall there."""
    above, below = (part[:, ::-1] for part in _by_rank(positive, scores, weights))
    hits = np.cumsum(above, axis=1)
    found = hits + np.cumsum(below, axis=1)
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    return _ratio((precision * above).sum(axis=1), above.sum(axis=1))


def _by_rank(positive: Array, scores: Array, weights: Array) -> tuple[Array, Array]:
    """Weights of positive and of negative rows at every distinct score, lowest first, (N, K) each."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    above = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    return above, np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)


def _lift(y: Array, probabilities: Array, weights: Array) -> Array:
    """How many times as many positives the tenth of the rows ranked first holds as a tenth at random; ties in part."""
    positive, negative = (part[:, ::-1] for part in _by_rank(y == 1, probabilities[:, 1], weights))
    both = positive + negative
    room = np.clip(_TOP * both.sum(axis=1, keepdims=True) - (np.cumsum(both, axis=1) - both), 0, both)
    share = np.divide(room, both, out=np.zeros_like(both), where=both > 0)
    return _ratio((share * positive).sum(axis=1), _TOP * positive.sum(axis=1))


def _of_second(score: Callable[..., Array]) -> Callable[..., Array]:
    return lambda y, probabilities, weights: score(y == 1, probabilities[:, 1], weights)


def _of_each(score: Callable[..., Array]) -> Callable[..., Array]:
    """Mean over the classes, each against the rest."""
    return lambda y, probabilities, weights: _mean_over_classes(
        [score(y == c, p, weights) for c, p in enumerate(probabilities.T)]
    )


# -- of classes, by what is decided


def _accuracy(y: Array, decisions: Array, weights: Array) -> Array:
    return _mean(decisions == y, weights)


def _balanced_accuracy(y: Array, decisions: Array, weights: Array) -> Array:
    """Mean over the classes present of the share of their rows that is found."""
    return _mean_over_classes([_recall(y == c, decisions == c, weights) for c in np.unique(y)])


def _recall(true: Array, decided: Array, weights: Array) -> Array:
    return _ratio(weights @ (true & decided).astype(float), weights @ true.astype(float))


def _precision(true: Array, decided: Array, weights: Array) -> Array:
    """0 of a class that is there and never decided for."""
    hits, found = weights @ (true & decided).astype(float), weights @ decided.astype(float)
    return _ratio(hits, np.where(found > 0, found, weights @ true.astype(float)))


def _f1(true: Array, decided: Array, weights: Array) -> Array:
    """Harmonic mean of precision and recall."""
    hits = weights @ (true & decided).astype(float)
    return _ratio(2 * hits, weights @ (true.astype(float) + decided))


def _decided_second(score: Callable[..., Array]) -> Callable[..., Array]:
    return lambda y, decisions, weights: score(y == 1, decisions == 1, weights)


def _decided_each(score: Callable[..., Array]) -> Callable[..., Array]:
    return lambda y, decisions, weights: _mean_over_classes(
        [score(y == c, decisions == c, weights) for c in range(1 + int(max(y.max(), decisions.max())))]
    )


# -- of probabilities


def _log_loss(y: Array, probabilities: Array, weights: Array) -> Array:
    """Mean of -log of the probability given to the true class, in nats."""
    given = np.clip(probabilities[np.arange(len(y)), y].astype(float), 1e-15, 1)
    return _mean(-np.log(given), weights)


def _brier(y: Array, probabilities: Array, weights: Array) -> Array:
    """Mean squared error of probabilities, of two classes of the second one's, of more summed over them.

    Source: Brier 1950, Monthly Weather Review 78, 1.
    """
    squares = (probabilities - np.eye(probabilities.shape[1])[y]) ** 2
    return _mean(squares[:, 1] if squares.shape[1] == 2 else squares.sum(axis=1), weights)


# -- of numbers


def _r2(y: Array, values: Array, weights: Array) -> Array:
    """Share of the target's variance that the predictions explain."""
    middle = y - y.mean()  # of a large mean the squares would lose the variance
    spread = _mean(middle**2, weights) - _mean(middle, weights) ** 2
    return _ratio(spread - _mean((y - values) ** 2, weights), spread)


def _rmse(y: Array, values: Array, weights: Array) -> Array:
    """Root of the mean squared error, in the unit of the target."""
    return np.sqrt(_mean((y - values) ** 2, weights))


def _mean_absolute_error(y: Array, values: Array, weights: Array) -> Array:
    """Mean size of the error, in the unit of the target."""
    return _mean(np.abs(y - values), weights)


def _poisson_deviance(y: Array, values: Array, weights: Array) -> Array:
    """Mean over rows of 2 (y log(y / value) - y + value); NaN where a value is not positive or y is negative."""
    if (values <= 0).any() or (y < 0).any():
        return np.full(len(weights), np.nan)
    logs = np.log(np.divide(y, values, out=np.ones(len(y)), where=y > 0))
    return _mean(2 * (y * logs - y + values), weights)


def _pinball(y: Array, values: Array, weights: Array, quantile: float) -> Array:
    """Mean of the error, times the quantile above the value and times its rest below."""
    return _mean(np.maximum(quantile * (y - values), (quantile - 1) * (y - values)), weights)


_TWO, _MORE, _NUMBERS = ("two classes",), ("more classes",), ("numbers",)
_CLASSES = _TWO + _MORE
_ERROR = (0.0, math.inf)
METRICS: dict[str, Metric] = {
    "roc_auc": Metric("ROC AUC", _TWO, _of_second(_area)),
    "accuracy": Metric("accuracy", _CLASSES, _accuracy, "decisions"),
    "macro_roc_auc": Metric("macro ROC AUC", _MORE, _of_each(_area)),
    "average_precision": Metric("average precision", _TWO, _of_second(_average_precision)),
    "macro_average_precision": Metric("macro average precision", _MORE, _of_each(_average_precision)),
    "balanced_accuracy": Metric("balanced accuracy", _CLASSES, _balanced_accuracy, "decisions"),
    "f1": Metric("F1", _TWO, _decided_second(_f1), "decisions"),
    "precision": Metric("precision", _TWO, _decided_second(_precision), "decisions"),
    "recall": Metric("recall", _TWO, _decided_second(_recall), "decisions"),
    "macro_f1": Metric("macro F1", _MORE, _decided_each(_f1), "decisions"),
    "macro_precision": Metric("macro precision", _MORE, _decided_each(_precision), "decisions"),
    "lift": Metric("lift of the top tenth", _TWO, _lift, bounds=(0.0, 1 / _TOP)),
    "log_loss": Metric("log loss", _CLASSES, _log_loss, higher_is_better=False, bounds=_ERROR),
    "brier": Metric("Brier score", _CLASSES, _brier, higher_is_better=False, bounds=(0.0, 2.0)),
    "r2": Metric("R2", _NUMBERS, _r2, bounds=(-math.inf, 1.0)),
    "rmse": Metric("RMSE", _NUMBERS, _rmse, higher_is_better=False, bounds=_ERROR),
    "mean_absolute_error": Metric(
        "mean absolute error", _NUMBERS, _mean_absolute_error, higher_is_better=False, bounds=_ERROR
    ),
    "poisson_deviance": Metric(
        "Poisson deviance", _NUMBERS, _poisson_deviance, higher_is_better=False, usual=False, bounds=_ERROR
    ),
    "pinball": Metric("pinball loss", _NUMBERS, _pinball, "level", higher_is_better=False, usual=False, bounds=_ERROR),
}
# Kept names: a metric is called as the function it holds.
SCORES: dict[str, Callable[..., Array]] = dict(METRICS)
TITLES = {name: metric.title for name, metric in METRICS.items()}


def score_names(task: str, n_classes: int, main: str | None = None) -> tuple[str, ...]:
    """The scores reported, the main one first: by default ROC AUC of two classes, accuracy of more, R2 of numbers.

    Raises:
        ConfigError: for a main one that is unknown or not for this task.
    """
    kind = "numbers" if task == "regression" else "two classes" if n_classes == 2 else "more classes"
    fitting = [name for name, metric in METRICS.items() if kind in metric.of]
    if main is not None and main not in fitting:
        raise ConfigError(f"metric is {main!r} for {kind}, expected one of {', '.join(fitting)}")
    usual = [name for name in fitting if METRICS[name].usual and name != main]
    return (*([] if main is None else [main]), *usual)


def score(name: str, y: Array, predictions: Array, level: float = 0.5, weights: Array | None = None) -> float:
    """One score, with equal weights unless (B,) of them are given.

    Shapes: y (B,), predictions (B, C) or (B,).
    """
    rows = np.ones(len(y)) if weights is None else weights
    return float(METRICS[name](y, predictions, rows[None], level)[0])
