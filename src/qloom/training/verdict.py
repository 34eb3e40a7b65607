"""The one sentence on whether the quantum layer helped, and the paired differences it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from qloom.models.scores import TITLES
from qloom.training.bootstrap import interval_of

_AGAINST = {
    "hybrid_classical": "an equal-parameter classical layer in its place",
    "hybrid_separable": "the same circuit without entangling gates",
}
_BASELINES = {"linear": "a linear model", "boosting": "gradient boosting"}
_SUMMARIES = {
    (1, 1): "The quantum layer helped",
    (1, 0): "The quantum layer did better than a classical one, but not measurably through entanglement",
    (1, -1): "The quantum layer did better than a classical one, and better still without entanglement",
    (0, 1): "No difference to a classical layer was measured, though entanglement helped the quantum layer",
    (0, 0): "No difference was measured between the quantum layer and its controls",
    (0, -1): "The quantum layer did not help, and did better without entanglement",
    (-1, 1): "The quantum layer did not help, a classical one did better, though entanglement helped it",
    (-1, 0): "The quantum layer did not help, a classical one did better",
    (-1, -1): "The quantum layer did not help, both controls did better",
}


class Difference(NamedTuple):
    """The hybrid model's score less another model's on the same test rows, with its 95% interval."""

    difference: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 if the hybrid model is better, -1 if worse, 0 if the interval holds 0: no difference measured."""
        return (self.low > 0) - (self.high < 0)


def paired_differences(scores: Mapping[str, float], draws: Mapping[str, np.ndarray]) -> dict[str, Difference]:
    """Hybrid less every other model, the interval from the same redraws of the rows for both."""
    return {
        key: Difference(scores["hybrid"] - scores[key], *interval_of(draws["hybrid"] - draws[key]))
        for key in scores
        if key != "hybrid"
    }


def verdict_sentence(metric: str, score: float, differences: Mapping[str, Difference]) -> str:
    """One sentence on the quantum layer, judged by the two controls; it names the baselines that beat the hybrid model.

    Args:
        metric: name of the main score.
        score: the hybrid model's.
        differences: hybrid less each control and, where there are any, each baseline.
    """
    signs = differences["hybrid_classical"].sign, differences["hybrid_separable"].sign
    parts = " and ".join(f"{_describe(differences[key])} against {text}" for key, text in _AGAINST.items())
    ahead = [text for key, text in _BASELINES.items() if key in differences and differences[key].sign < 0]
    rest = f"; {' and '.join(ahead)} did better than the hybrid model" if ahead else ""
    return f"{_SUMMARIES[signs]}, in one training run of each: {TITLES[metric]} {score:.4f}, {parts}{rest}."


def _describe(difference: Difference) -> str:
    words = {1: "better", 0: "no difference measured", -1: "worse"}[difference.sign]
    interval = f"95% interval {difference.low:+.4f} to {difference.high:+.4f}"
    return f"{difference.difference:+.4f} ({interval}, {words})"
