"""Curves and tables of classifiers against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score, roc_curve

from qloom.reports.curves import area, class_scores, confusion, reliability, roc


@pytest.mark.parametrize("n_values", [3, 10_000])
def test_roc(n_values: int) -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(500) < 0.3
    score = np.round((rng.normal(size=500) + positive) * n_values) / n_values
    x, y = roc(positive, score)
    expected_x, expected_y, _ = roc_curve(positive, score, drop_intermediate=False)
    np.testing.assert_allclose(x, expected_x)
    np.testing.assert_allclose(y, expected_y)
    assert area(x, y) == pytest.approx(roc_auc_score(positive, score))


def test_roc_of_scores_all_alike_is_the_diagonal() -> None:
    x, y = roc(np.array([True, False, True]), np.zeros(3))
    assert (x.tolist(), y.tolist()) == ([0, 1], [0, 1])


def test_reliability() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(1000)
    positive = rng.random(1000) < probability
    bins = reliability(positive, probability)
    assert bins.n_rows.tolist() == [100] * 10
    hits = np.round(bins.observed * bins.n_rows).astype(int)
    assert hits.sum() == positive.sum()
    for k in range(10):
        interval = binomtest(int(hits[k]), 100).proportion_ci(0.95, method="wilson")
        assert (bins.low[k], bins.high[k]) == pytest.approx((interval.low, interval.high))
    tenths = np.sort(probability).reshape(10, 100)
    np.testing.assert_allclose(bins.predicted, tenths.mean(axis=1))


@pytest.mark.parametrize("probability", [np.full(50, 0.5), np.repeat([0.0, 1.0], 25), np.array([0.3])])
def test_reliability_of_few_distinct_values(probability: np.ndarray) -> None:
    bins = reliability(np.ones(len(probability), bool), probability)
    assert bins.n_rows.sum() == len(probability)
    np.testing.assert_array_equal(bins.predicted, np.unique(probability))


def test_confusion_and_class_scores() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 4, 300), rng.integers(0, 4, 300)
    counts = confusion(truth, predicted, 4)
    np.testing.assert_array_equal(counts, confusion_matrix(truth, predicted))
    expected = precision_recall_fscore_support(truth, predicted)
    np.testing.assert_allclose(class_scores(counts), np.column_stack(expected[:3]))


def test_class_that_never_occurs_has_no_scores() -> None:
    scores = class_scores(confusion(np.array([0, 0]), np.array([0, 1]), 3))
    np.testing.assert_allclose(scores[0], [1, 0.5, 2 / 3])
    assert np.isnan(scores[2]).all()
