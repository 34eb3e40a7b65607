"""The verdict says what the intervals and the margin say, and nothing where they cannot carry it."""

import itertools

import pytest

from qloom.training.intervals import Estimate, half_width
from qloom.training.verdict import Difference, judge_difference, verdict_text, why_unjudged

MARGIN = 0.01
BY_OUTCOME = {
    "better": Estimate(0.03, 0.004, 0.02, 0.04),
    "worse": Estimate(-0.03, 0.004, -0.04, -0.02),
    "equal": Estimate(0.002, 0.002, -0.001, 0.005),
    "undecided": Estimate(0.02, 0.01, -0.005, 0.045),
}
PAIRS = list(itertools.product(BY_OUTCOME, repeat=2))


def judged(outcome, margin=MARGIN):
    return judge_difference(BY_OUTCOME[outcome], margin, 0.25)


def text(classical, separable, unjudged=None, **others):
    differences = {"hybrid_classical": judged(classical), "hybrid_separable": judged(separable)}
    differences |= {key: judged(outcome) for key, outcome in others.items()}
    return verdict_text("roc_auc", Estimate(0.8, 0.01, 0.78, 0.82), differences, 5, MARGIN, unjudged)


@pytest.mark.parametrize("outcome", BY_OUTCOME)
def test_outcomes(outcome):
    assert judged(outcome).outcome == outcome


def test_an_interval_that_excludes_zero_but_stays_within_the_margin_makes_no_difference():
    found = Estimate(0.004, 0.001, 0.002, 0.006)
    assert judge_difference(found, MARGIN, 0.25).outcome == "equal"
    assert judge_difference(found, 0.0, 0.25).outcome == "better"


def test_an_interval_across_the_margin_is_undecided_whatever_the_mean():
    for low, high in ((0.002, 0.03), (-0.03, -0.002), (-0.02, 0.02), (-0.02, 0.009)):
        found = Estimate((low + high) / 2, 0.01, low, high)
        assert judge_difference(found, MARGIN, 0.25).outcome == "undecided"


def test_without_a_margin_equal_models_stay_undecided():
    assert judge_difference(Estimate(0.0, 0.0, 0.0, 0.0), 0.0, 0.25).outcome == "undecided"


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
    # Half of the interval has to be less than the 0.01 from the mean to the margin; with rounds without end it is
    # 1.96 * sqrt(0.25) * 0.01, just less.
    assert half_width(0.01, needed, 0.25) < 0.01 <= half_width(0.01, needed - 1, 0.25)
    assert f"about {needed} would decide it" in text("equal", "undecided")
    hopeless = Difference(Estimate(0.02, 0.011, -0.01, 0.05), "undecided", None)
    assert judge_difference(hopeless.estimate, MARGIN, 0.25).rounds_needed is None
    found = verdict_text("r2", Estimate(0.8, 0.1, 0.7, 0.9), dict.fromkeys(("hybrid_classical", "hybrid_separable"),
                         hopeless), 5, MARGIN, None)  # fmt: skip
    assert "it takes more rows" in found


def test_no_words_where_rounds_cannot_carry_them():
    assert why_unjudged(5, 30, 30, 10) is None
    assert why_unjudged(5, 30, 30, None) is None
    assert why_unjudged(5, 2, 30, 1) == "2 test rows a round, expected at least 30 (comparison.fewest_test_rows)"
    assert "9 test rows of one class" in why_unjudged(5, 30, 30, 9)
    assert "trained once" in why_unjudged(1, 30, 30, 10)
    found = text("better", "better", unjudged="2 test rows a round")
    assert found == "No verdict: 2 test rows a round. ROC AUC 0.8000 (standard deviation 0.0100) over 5 rounds."
