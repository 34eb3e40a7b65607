"""Weighted scores agree with scikit-learn's, row by row of weights."""

import numpy as np
import pytest
from sklearn import metrics

from qloom.models.scores import SCORES, TITLES, score, score_names


@pytest.fixture
def weights():
    return np.random.default_rng(1).multinomial(80, np.full(80, 1 / 80), size=5).astype(float)


def class_case(n_classes):
    rng = np.random.default_rng(n_classes)
    y = rng.integers(0, n_classes, 80)
    # One decimal gives many ties.
    raw = np.round(rng.random((80, n_classes)) + 0.5 * np.eye(n_classes)[y], 1) + 0.05
    return y, raw / raw.sum(axis=1, keepdims=True)


def test_roc_auc(weights):
    y, p = class_case(2)
    expected = [metrics.roc_auc_score(y, p[:, 1], sample_weight=w) for w in weights]
    np.testing.assert_allclose(SCORES["roc_auc"](y, p, weights), expected, atol=1e-12)


def test_macro_roc_auc(weights):
    y, p = class_case(3)
    ovr = [[metrics.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in range(3)] for w in weights]
    np.testing.assert_allclose(SCORES["macro_roc_auc"](y, p, weights), np.mean(ovr, axis=1), atol=1e-12)


@pytest.mark.parametrize(("name", "theirs"), [("accuracy", metrics.accuracy_score),
                                              ("balanced_accuracy", metrics.balanced_accuracy_score)])  # fmt: skip
def test_hits(name, theirs, weights):
    y, p = class_case(3)
    expected = [theirs(y, p.argmax(axis=1), sample_weight=w) for w in weights]
    np.testing.assert_allclose(SCORES[name](y, p, weights), expected, atol=1e-12)


def test_log_loss(weights):
    y, p = class_case(3)
    expected = [metrics.log_loss(y, p, sample_weight=w, labels=[0, 1, 2]) for w in weights]
    np.testing.assert_allclose(SCORES["log_loss"](y, p, weights), expected, atol=1e-12)


def test_numbers(weights):
    rng = np.random.default_rng(0)
    y = rng.normal(100, 3, 80)
    values = y + rng.normal(size=80)
    theirs = {"r2": metrics.r2_score, "rmse": metrics.root_mean_squared_error,
              "mean_absolute_error": metrics.mean_absolute_error}  # fmt: skip
    for name, function in theirs.items():
        expected = [function(y, values, sample_weight=w) for w in weights]
        np.testing.assert_allclose(SCORES[name](y, values, weights), expected, rtol=1e-9)


def test_roc_auc_of_one_class_is_nan():
    assert np.isnan(score("roc_auc", np.zeros(4, dtype=int), np.full((4, 2), 0.5)))


def test_every_reported_score_exists_and_has_a_title():
    names = {name for task, n in (("regression", 0), ("classification", 2), ("classification", 5))
             for name in score_names(task, n)}  # fmt: skip
    assert names == set(SCORES) == set(TITLES)
