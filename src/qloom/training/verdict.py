"""Whether the quantum layer helped: differences over all rounds, against a margin below which they do not matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from qloom.models.tables.scores import TITLES
from qloom.training.intervals import Estimate, rounds_for

Outcome = Literal["better", "worse", "equal", "undecided"]
# Rows of either class that a ROC AUC is to rest on in every round.
FEWEST_OF_A_CLASS = 10

# Of the two that say what the quantum layer and its entangling gates are worth.
_CONTROLS = ("hybrid_classical", "hybrid_separable")
OUTCOME_WORDS: dict[str | None, str] = {
    "better": "better",
    "worse": "worse",
    "equal": "no difference that matters",
    "undecided": "undecided",
}
"""An outcome for people; there is none for None."""
_HEADS = {
    "better": "The quantum layer did better than a classical one",
    "equal": "The quantum layer made no difference that matters",
    "worse": "The quantum layer did not help, a classical one did better",
    "undecided": "It is undecided whether the quantum layer helped",
}
_TAILS = {
    "better": "its entangling gates helped it",
    "equal": "its entangling gates made no difference that matters",
    "worse": "it did better without its entangling gates",
    "undecided": "what its entangling gates do is undecided",
}


@dataclass(frozen=True)
class Difference:
    """By how much the hybrid model is better than another one, paired in every round.

    Attributes:
        estimate: over the rounds.
        outcome: None where there is none to be had.
        rounds_needed: where undecided, rounds that would decide if these are typical; None if no number would.
    """

    estimate: Estimate
    outcome: Outcome | None = None
    rounds_needed: int | None = None

    def record(self) -> dict[str, Any]:
        """Plain JSON values."""
        e = self.estimate
        return {
            "difference": e.mean, "deviation": e.deviation, "low": e.low, "high": e.high,
            "outcome": self.outcome, "rounds_needed": self.rounds_needed,
        }  # fmt: skip


def judge_difference(found: Estimate, margin: float, test_ratio: float) -> Difference:
    """What an interval says of zero, and of the differences from -margin to +margin, which do not matter.

    No difference that matters if all of it lies within the margin; else better or worse if all of it lies on one side
    of zero; else undecided.

    Source: Lakens, Scheel and Isager 2018, Advances in Methods and Practices in Psychological Science 1, 259, for a
        test of difference and one of equivalence read together; Benavoli, Corani, Demsar and Zaffalon 2017, JMLR
        18(77), for a region of practical equivalence of 0.01 on either side.
    """
    if found.mean is None or found.deviation is None or found.low is None or found.high is None:
        return Difference(found)
    if -margin <= found.low and found.high <= margin:
        return Difference(found, "equal")
    if found.low > 0:
        return Difference(found, "better")
    if found.high < 0:
        return Difference(found, "worse")
    room = max(abs(found.mean), margin - abs(found.mean))
    return Difference(found, "undecided", rounds_for(room, found.deviation, test_ratio))


def verdict_text(
    metric: str, scores: Estimate, differences: Mapping[str, Difference],
    records: Mapping[str, Mapping[str, Any]], n_rounds: int, margin: float, unjudged: str | None,
    engine: str | None = None, called: tuple[str, str] = ("quantum layer", "hybrid model"),
) -> str:  # fmt: skip
    """The verdict in a few sentences: on the quantum layer, judged by its two controls, and on the baselines.

    Args:
        metric: name of the main score.
        scores: the hybrid model's.
        differences: to each control and, where there are any, each baseline.
        records: of the models, with what verdicts call them.
        n_rounds: J.
        margin: of the differences.
        unjudged: why there is no verdict; None if there is one.
        engine: what the circuits ran on, such as "1,000 shots a word"; None for exact values.
        called: what is judged, and the model that has it.
    """
    score = _score(metric, scores, n_rounds) + ("" if engine is None else f" with {engine}")
    if unjudged is not None:
        return f"No verdict: {unjudged}. {score}."
    classical, separable = (differences[key] for key in _CONTROLS)
    parts = "; ".join(f"{_describe(differences[key])} against {records[key]['against']}" for key in _CONTROLS)
    sentences = [
        f"{_summary(classical.outcome, separable.outcome).replace('quantum layer', called[0])}.",
        f"{score}: {parts}.",
        f"Differences up to {margin:.3g} do not matter here.",
        *_more(n_rounds, classical, separable),
        *_baselines(differences, records, called[1]),
    ]
    return " ".join(sentences)


def _summary(classical: Outcome | None, separable: Outcome | None) -> str:
    if (classical, separable) == ("better", "better"):
        return "The quantum layer helped, and so did its entangling gates"
    return f"{_HEADS[str(classical)]}; {_TAILS[str(separable)]}"


def _score(metric: str, found: Estimate, n_rounds: int) -> str:
    value = "undefined" if found.mean is None else f"{found.mean:.4f}"
    if n_rounds == 1:
        return f"{TITLES[metric]} {value} in one round"
    spread = "" if found.deviation is None else f" (standard deviation {found.deviation:.4f})"
    return f"{TITLES[metric]} {value}{spread} over {n_rounds} rounds"


def _describe(difference: Difference) -> str:
    found = difference.estimate
    interval = f"95% interval {found.low:+.4f} to {found.high:+.4f}"
    return f"{found.mean:+.4f} ({interval}, {OUTCOME_WORDS[str(difference.outcome)]})"


def _more(n_rounds: int, *controls: Difference) -> list[str]:
    """What would decide what is undecided."""
    open_ = [control.rounds_needed for control in controls if control.outcome == "undecided"]
    if not open_:
        return []
    if None in open_:
        return ["If rounds go on to scatter like this, no number of them would decide it: it takes more rows."]
    return [f"If rounds go on to scatter like this, about {max(filter(None, open_))} would decide it."]


def _baselines(
    differences: Mapping[str, Difference], records: Mapping[str, Mapping[str, Any]], model: str
) -> list[str]:
    """The baselines that beat the model under test."""
    ahead = [records[key] for key, found in differences.items() if found.outcome == "worse"]
    baselines = [each["against"] for each in ahead if each["role"] == "baseline"]
    if not baselines:
        return []
    names = " and ".join(map(str, baselines))
    return [f"{names[:1].upper()}{names[1:]} did better than the {model}."]


def why_unjudged(n_rounds: int, n_test: int, fewest: int, n_of_a_class: int | None) -> str | None:
    """Why rounds cannot carry a verdict; None if they can.

    Args:
        n_rounds: J.
        n_test: test rows of the smallest round.
        fewest: that it is to have.
        n_of_a_class: test rows of the rarest class in the round with the fewest; None where the score needs none.
    """
    if n_test < fewest:
        return f"{n_test} test rows a round, expected at least {fewest} (comparison.fewest_test_rows)"
    if n_of_a_class is not None and n_of_a_class < FEWEST_OF_A_CLASS:
        return f"{n_of_a_class} test rows of one class in a round, expected at least {FEWEST_OF_A_CLASS} of either"
    if n_rounds == 1:
        return "every model was trained once, which does not say how scores scatter; ask for more (comparison.seeds)"
    return None
