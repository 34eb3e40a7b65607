"""Weighted scores agree with scikit-learn's, row by row of weights."""

import numpy as np
import pytest
from sklearn import metrics

from qloom.errors import ConfigError
from qloom.models.tables.scores import METRICS, score, score_names


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
    np.testing.assert_allclose(METRICS["roc_auc"](y, p, weights), expected, atol=1e-12)


def test_macro_roc_auc(weights):
    y, p = class_case(3)
    ovr = [[metrics.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in range(3)] for w in weights]
    np.testing.assert_allclose(METRICS["macro_roc_auc"](y, p, weights), np.mean(ovr, axis=1), atol=1e-12)


@pytest.mark.parametrize(("name", "theirs"), [("accuracy", metrics.accuracy_score),
                                              ("balanced_accuracy", metrics.balanced_accuracy_score)])  # fmt: skip
def test_hits(name, theirs, weights):
    y, p = class_case(3)
    expected = [theirs(y, p.argmax(axis=1), sample_weight=w) for w in weights]
    np.testing.assert_allclose(METRICS[name](y, p, weights), expected, atol=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.37])
@pytest.mark.parametrize(("name", "theirs"), [
    ("f1", metrics.f1_score), ("precision", metrics.precision_score), ("recall", metrics.recall_score),
    ("accuracy", metrics.accuracy_score),
])  # fmt: skip
def test_decisions_of_two_classes(name, theirs, level, weights):
    y, p = class_case(2)
    expected = [theirs(y, p[:, 1] > level, sample_weight=w) for w in weights]
    np.testing.assert_allclose(METRICS[name](y, p, weights, level), expected, atol=1e-12)


@pytest.mark.parametrize(("name", "theirs"), [("macro_f1", metrics.f1_score),
                                              ("macro_precision", metrics.precision_score)])  # fmt: skip
def test_decisions_of_more_classes(name, theirs, weights):
    y, p = class_case(3)
    expected = [theirs(y, p.argmax(axis=1), average="macro", sample_weight=w) for w in weights]
    np.testing.assert_allclose(METRICS[name](y, p, weights), expected, atol=1e-12)


def test_average_precision(weights):
    y, p = class_case(2)
    expected = [metrics.average_precision_score(y, p[:, 1], sample_weight=w) for w in weights]
    np.testing.assert_allclose(METRICS["average_precision"](y, p, weights), expected, atol=1e-12)
    y, p = class_case(3)
    each = [[metrics.average_precision_score(y == c, p[:, c], sample_weight=w) for c in range(3)] for w in weights]
    np.testing.assert_allclose(METRICS["macro_average_precision"](y, p, weights), np.mean(each, axis=1), atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_brier(n_classes, weights):
    y, p = class_case(n_classes)
    expected = [metrics.brier_score_loss(y, p if n_classes > 2 else p[:, 1], sample_weight=w) for w in weights]
    np.testing.assert_allclose(METRICS["brier"](y, p, weights), expected, atol=1e-12)


def test_lift_counts_positives_in_the_top_tenth():
    y = np.r_[np.ones(5, int), np.zeros(15, int)]
    ranked = np.linspace(1, 0, 20)
    assert score("lift", y, np.column_stack([1 - ranked, ranked])) == pytest.approx(4)  # 2 of 2 rows, where 1/4 are
    assert score("lift", y, np.column_stack([ranked, 1 - ranked])) == 0
    assert score("lift", y, np.full((20, 2), 0.5)) == pytest.approx(1)  # a tie of all rows is a draw at random
    doubled = np.r_[np.full(5, 2.0), np.ones(15)]
    repeated = np.repeat(np.arange(20), doubled.astype(int))
    p = np.column_stack([1 - ranked, ranked])
    assert score("lift", y, p, weights=doubled) == pytest.approx(score("lift", y[repeated], p[repeated]))


def test_precision_of_a_class_that_is_never_decided_for_is_zero_and_of_none_at_all_undefined():
    p = np.tile([0.9, 0.1], (4, 1))
    assert score("precision", np.array([0, 1, 0, 1]), p) == 0
    assert np.isnan(score("precision", np.zeros(4, int), p))
    assert np.isnan(score("recall", np.zeros(4, int), p))
    assert np.isnan(score("f1", np.zeros(4, int), p))


def test_log_loss(weights):
    y, p = class_case(3)
    expected = [metrics.log_loss(y, p, sample_weight=w, labels=[0, 1, 2]) for w in weights]
    np.testing.assert_allclose(METRICS["log_loss"](y, p, weights), expected, atol=1e-12)


def test_numbers(weights):
    rng = np.random.default_rng(0)
    y = rng.normal(100, 3, 80)
    values = y + rng.normal(size=80)
    theirs = {"r2": metrics.r2_score, "rmse": metrics.root_mean_squared_error,
              "mean_absolute_error": metrics.mean_absolute_error}  # fmt: skip
    for q in (0.1, 0.8):
        expected = [metrics.mean_pinball_loss(y, values, alpha=q, sample_weight=w) for w in weights]
        np.testing.assert_allclose(METRICS["pinball"](y, values, weights, q), expected, rtol=1e-9)
    counts = rng.poisson(2, 80)
    expected = [metrics.mean_poisson_deviance(counts, values, sample_weight=w) for w in weights]
    np.testing.assert_allclose(METRICS["poisson_deviance"](counts, values, weights), expected, rtol=1e-9)
    for name, function in theirs.items():
        expected = [function(y, values, sample_weight=w) for w in weights]
        np.testing.assert_allclose(METRICS[name](y, values, weights), expected, rtol=1e-9)


def test_roc_auc_of_one_class_is_nan():
    assert np.isnan(score("roc_auc", np.zeros(4, dtype=int), np.full((4, 2), 0.5)))


def test_every_usual_score_is_reported_and_the_main_one_comes_first():
    kinds = {("classification", 2): "roc_auc", ("classification", 5): "accuracy", ("regression", 0): "r2"}
    names = {name for kind in kinds for name in score_names(*kind)}
    assert names == {name for name, metric in METRICS.items() if metric.usual}
    for kind, main in kinds.items():
        assert score_names(*kind)[0] == main
    assert score_names("classification", 2, "f1")[:2] == ("f1", "roc_auc")
    assert score_names("regression", 0, "pinball")[0] == "pinball"


def test_a_main_score_of_another_task_is_refused():
    with pytest.raises(ConfigError, match="metric is 'rmse' for two classes, expected one of roc_auc, accuracy"):
        score_names("classification", 2, "rmse")


def test_r2_of_a_large_mean_keeps_its_digits():
    y = 1e9 + np.arange(10.0)
    assert score("r2", y, y + 0.5) == pytest.approx(metrics.r2_score(y, y + 0.5), abs=1e-9)
