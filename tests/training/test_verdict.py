"""The verdict says what the intervals and the margin say, and nothing where they cannot carry it."""

import itertools

import pytest

from qloom.models.tables.competitors import COMPETITORS
from qloom.training.intervals import Estimate, half_width
from qloom.training.record import margin_of
from qloom.training.verdict import judge_difference, verdict_text, why_unjudged

MARGIN = 0.01
RECORDS = {key: each.record() for key, each in COMPETITORS.items()}
BY_OUTCOME = {
    "better": Estimate(0.03, 0.004, 0.02, 0.04),
    "worse": Estimate(-0.03, 0.004, -0.04, -0.02),
    "equal": Estimate(0.002, 0.002, -0.001, 0.005),
    "undecided": Estimate(0.02, 0.03, -0.005, 0.045),
}
PAIRS = list(itertools.product(BY_OUTCOME, repeat=2))


def judged(outcome, margin=MARGIN):
    return judge_difference(BY_OUTCOME[outcome], margin, 0.25)


def text(classical, separable, unjudged=None, **others):
    differences = {"hybrid_classical": judged(classical), "hybrid_separable": judged(separable)}
    differences |= {key: judged(outcome) for key, outcome in others.items()}
    return verdict_text("roc_auc", Estimate(0.8, 0.01, 0.78, 0.82), differences, RECORDS, 5, MARGIN, unjudged)


@pytest.mark.parametrize("outcome", BY_OUTCOME)
def test_outcomes(outcome):
    assert judged(outcome).outcome == outcome


@pytest.mark.parametrize(("low", "high", "outcome"), [
    (0.002, 0.006, "equal"),  # not zero, yet too small to matter
    (0.002, 0.03, "better"),
    (-0.03, -0.002, "worse"),
    (-0.02, 0.02, "undecided"),
    (-0.02, 0.009, "undecided"),
    (-0.009, 0.009, "equal"),
])  # fmt: skip
def test_within_the_margin_else_beyond_zero_else_undecided(low, high, outcome):
    found = Estimate((low + high) / 2, 0.01, low, high)
    assert judge_difference(found, MARGIN, 0.25).outcome == outcome


def test_without_a_margin_only_zero_counts():
    assert judge_difference(Estimate(0.004, 0.001, 0.002, 0.006), 0.0, 0.25).outcome == "better"


def test_models_that_agree_in_every_round_make_no_difference_even_without_a_margin():
    assert judge_difference(Estimate(0.0, 0.0, 0.0, 0.0), 0.0, 0.25).outcome == "equal"


def test_helped_only_if_better_than_both_controls():
    for pair in PAIRS:
        assert text(*pair).startswith("The quantum layer helped") == (pair == ("better", "better"))


def test_every_pair_has_words_of_its_own():
    assert len({text(*pair).split(".")[0] for pair in PAIRS}) == len(PAIRS)
    for classical, separable in PAIRS:
        head = text(classical, separable).split(".")[0]
        assert ("did not help" in head) == (classical == "worse")
        assert ("undecided" in head) == ("undecided" in (classical, separable))


@pytest.mark.parametrize("pair", PAIRS)
def test_both_differences_with_intervals_rounds_and_margin(pair):
    found = text(*pair)
    assert "\n" not in found
    assert "ROC AUC 0.8000 (standard deviation 0.0100) over 5 rounds" in found
    assert "Differences up to 0.01 do not matter here." in found
    for outcome in pair:
        e = BY_OUTCOME[outcome]
        assert f"{e.mean:+.4f} (95% interval {e.low:+.4f} to {e.high:+.4f}, " in found


def test_baselines_that_did_better_are_named():
    assert "Gradient boosting did better" in text("equal", "equal", linear="equal", boosting="worse")
    both = text("equal", "equal", linear="worse", boosting="worse")
    assert both.endswith("A linear model and gradient boosting did better than the hybrid model.")
    assert "boosting" not in text("equal", "equal", linear="better", boosting="undecided")


def test_what_is_undecided_says_how_many_rounds_would_decide():
    needed = judged("undecided").rounds_needed
    # Half of the interval has to be less than the mean, 0.02, and the deviation is 0.03: with rounds without end it
    # would be 1.96 * sqrt(0.25) * 0.03 = 0.0294; with one of 0.02 it is just less.
    assert needed is None
    found = judge_difference(Estimate(0.02, 0.02, -0.005, 0.045), MARGIN, 0.25)
    assert half_width(0.02, found.rounds_needed, 0.25) < 0.02 <= half_width(0.02, found.rounds_needed - 1, 0.25)
    assert "it takes more rows" in text("equal", "undecided")
    pair = dict.fromkeys(("hybrid_classical", "hybrid_separable"), found)
    said = verdict_text("r2", Estimate(0.8, 0.1, 0.7, 0.9), pair, RECORDS, 5, MARGIN, None)
    assert f"about {found.rounds_needed} would decide it" in said


def test_near_zero_rounds_are_counted_until_the_interval_is_within_the_margin():
    found = judge_difference(Estimate(0.001, 0.008, -0.011, 0.013), MARGIN, 0.25)
    assert half_width(0.008, found.rounds_needed, 0.25) < 0.009 <= half_width(0.008, found.rounds_needed - 1, 0.25)


@pytest.mark.parametrize(("metric", "mean", "margin"), [
    ("roc_auc", 0.8, 0.01),
    ("roc_auc", 0.99, 0.005),  # half of what is left to 1
    ("roc_auc", 1.0, 0.0),
    ("r2", -0.5, 0.01),
    ("brier", 0.2, 0.01),
    ("brier", 0.01, 0.005),  # half of what is left to 0
    ("rmse", 120.0, 1.2),  # a share of it
    ("roc_auc", None, 0.01),
])  # fmt: skip
def test_margin_of_scores_near_their_best_and_of_errors(metric, mean, margin):
    assert margin_of(metric, 0.01, mean) == pytest.approx(margin)


def test_no_words_where_rounds_cannot_carry_them():
    assert why_unjudged(5, 30, 30, 10) is None
    assert why_unjudged(5, 30, 30, None) is None
    assert why_unjudged(5, 2, 30, 1) == "2 test rows a round, expected at least 30 (comparison.fewest_test_rows)"
    assert "9 test rows of one class" in why_unjudged(5, 30, 30, 9)
    assert "trained once" in why_unjudged(1, 30, 30, 10)
    found = text("better", "better", unjudged="2 test rows a round")
    assert found == "No verdict: 2 test rows a round. ROC AUC 0.8000 (standard deviation 0.0100) over 5 rounds."
