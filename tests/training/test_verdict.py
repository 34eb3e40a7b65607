"""The verdict says what the intervals say."""

import itertools

import numpy as np
import pytest

from qloom.training.verdict import Difference, paired_differences, verdict_sentence

BY_SIGN = {1: Difference(0.02, 0.01, 0.03), 0: Difference(0.02, -0.01, 0.05), -1: Difference(-0.02, -0.03, -0.01)}


def sentence(classical, separable):
    differences = {"hybrid_classical": BY_SIGN[classical], "hybrid_separable": BY_SIGN[separable]}
    return verdict_sentence("roc_auc", 0.8, {**differences, "linear": BY_SIGN[1]})


def test_signs():
    assert [BY_SIGN[sign].sign for sign in (1, 0, -1)] == [1, 0, -1]
    assert Difference(0.0, 0.0, 0.0).sign == 0


def test_helped_only_if_both_intervals_are_above_zero():
    for signs in itertools.product((-1, 0, 1), repeat=2):
        assert sentence(*signs).startswith("The quantum layer helped") == (signs == (1, 1))


def test_no_difference_if_both_intervals_hold_zero():
    for signs in itertools.product((-1, 0, 1), repeat=2):
        text = sentence(*signs)
        assert text.startswith("No difference was measured between the quantum layer") == (signs == (0, 0))
        assert ("did not help" in text) == (signs[0] < 0 or signs == (0, -1))


@pytest.mark.parametrize("signs", list(itertools.product((-1, 0, 1), repeat=2)))
def test_one_sentence_with_both_differences_and_intervals(signs):
    text = sentence(*signs)
    assert text.endswith(".")
    assert "\n" not in text
    assert "ROC AUC 0.8000" in text
    for sign in signs:
        assert f"{BY_SIGN[sign].difference:+.4f} (95% interval {BY_SIGN[sign].low:+.4f}" in text


def test_baselines_that_did_better_are_named():
    controls = {"hybrid_classical": BY_SIGN[1], "hybrid_separable": BY_SIGN[1]}
    beaten = verdict_sentence("r2", 0.8, {**controls, "linear": BY_SIGN[0], "boosting": BY_SIGN[-1]})
    assert beaten.endswith("; gradient boosting did better than the hybrid model.")
    both = verdict_sentence("r2", 0.8, {**controls, "linear": BY_SIGN[-1], "boosting": BY_SIGN[-1]})
    assert both.endswith("; a linear model and gradient boosting did better than the hybrid model.")
    assert "boosting" not in verdict_sentence("r2", 0.8, {**controls, "linear": BY_SIGN[1], "boosting": BY_SIGN[0]})


def test_difference_is_hybrid_less_the_other():
    draws = {"hybrid": np.full(10, 0.9), "a": np.full(10, 0.7)}
    assert paired_differences({"hybrid": 0.9, "a": 0.7}, draws) == {"a": pytest.approx((0.2, 0.2, 0.2))}
