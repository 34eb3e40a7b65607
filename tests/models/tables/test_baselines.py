"""The baselines are fitted well and counted right."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from qloom.data import Preprocessing, TargetCoding, inspect_table, split_rows, table_from_array
from qloom.errors import ArtifactError
from qloom.models import load_model
from qloom.models.tables.baselines import BASELINES, Baseline, count_parameters
from qloom.models.tables.goals import Goal
from qloom.models.tables.preparation import PreparedTable, prepare_table
from qloom.models.tables.rows import Rows
from qloom.models.tables.scores import score
from qloom.models.tables.served import read_served


def prepared(load, task, goal=None, weights=None):
    x, y = load(return_X_y=True)
    table = table_from_array(np.column_stack([x, y]))
    schema = inspect_table(table, table.column_names[-1], task=task)
    return prepare_table(table, schema, split_rows(table, schema, seed=0), None, goal, weights)


@pytest.mark.parametrize("key", BASELINES)
def test_classification(key):
    data = prepared(load_breast_cancer, "classification")
    model = Baseline(key, data, 0)
    assert score("roc_auc", data.test.y.numpy(), model.predict_features(data.test.x.numpy())) > 0.97
    assert model.n_parameters > 30


@pytest.mark.parametrize("key", BASELINES)
def test_regression(key):
    data = prepared(load_diabetes, "regression")
    model = Baseline(key, data, 0)
    assert score("r2", data.test.truth, model.predict_features(data.test.x.numpy())) > 0.25


def test_linear_parameters_are_coefficients_and_intercept():
    data = prepared(load_diabetes, "regression")
    assert count_parameters(BASELINES["linear"](data, 0)) == data.n_features + 1


@pytest.mark.parametrize("key", BASELINES)
def test_a_class_that_comes_up_late_has_probability_zero(key):
    """As with rows split by time: the last class is in validation and test rows only."""
    random, rows = np.random.default_rng(0), {}
    for name, n_classes in (("train", 2), ("validation", 3), ("test", 3)):
        y = random.integers(0, n_classes, 120)
        x = random.normal(size=(120, 2)) + 3 * y[:, None]
        rows[name] = Rows(torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y))
    coding = TargetCoding("y", "classification", ("a", "b", "c"))
    data = PreparedTable(Preprocessing(), coding, **rows)
    found = Baseline(key, data, 0).predict_features(data.test.x.numpy())
    assert found.shape == (120, 3)
    assert (found[:, 2] < 1e-12).all()
    assert (found.argmax(axis=1) == data.test.y.numpy())[data.test.y.numpy() < 2].mean() > 0.9


CASES = [
    (load_breast_cancer, "classification", Goal()),
    (load_wine, "classification", Goal()),
    (load_diabetes, "regression", Goal()),
    (load_diabetes, "regression", Goal(target_transformation="log")),
    (load_diabetes, "regression", Goal(loss="poisson")),
    (load_diabetes, "regression", Goal(loss="quantile", quantile=0.8)),
    (load_diabetes, "regression", Goal(loss="absolute")),
]


@pytest.mark.parametrize("key", BASELINES)
@pytest.mark.parametrize(("load", "task", "goal"), CASES)
def test_a_saved_baseline_predicts_as_the_fitted_one(key, load, task, goal, tmp_path):
    data = prepared(load, task, goal)
    fitted = Baseline(key, data, 0)
    x = data.test.x.numpy()
    found = read_served(fitted.save(tmp_path / key)).predict_features(x)
    with pytest.raises(ArtifactError, match="holds a 'Baseline', expected an estimator"):
        load_model(tmp_path / key)
    np.testing.assert_allclose(found, fitted.predict_features(x), rtol=1e-12, atol=1e-12)
    model = fitted.fitted_
    if task == "classification":
        np.testing.assert_allclose(found, model.predict_proba(x), atol=1e-5 if key == "linear" else 1e-12)
    elif goal.target_transformation != "log":
        expected = data.coding.decode(model.predict(x))
        np.testing.assert_allclose(found, expected, rtol=1e-5 if key == "linear" else 1e-10)
    assert not list(tmp_path.rglob("*.pkl"))


@pytest.mark.parametrize("key", BASELINES)
def test_a_quantile_has_its_share_below(key):
    data = prepared(load_diabetes, "regression", Goal(loss="quantile", quantile=0.8))
    below = data.test.truth <= Baseline(key, data, 0).predict_features(data.test.x.numpy())
    assert 0.65 < below.mean() < 0.95


@pytest.mark.parametrize("key", BASELINES)
def test_weights_of_one_are_none(key):
    given = prepared(load_breast_cancer, "classification", None, np.ones(569))
    plain = prepared(load_breast_cancer, "classification")
    x = plain.test.x.numpy()
    heavy = prepared(load_breast_cancer, "classification", Goal(class_weight={"0": 50.0}))
    found, same, drawn = (Baseline(key, data, 0).predict_features(x) for data in (plain, given, heavy))
    np.testing.assert_allclose(found, same, atol=1e-6)
    assert drawn[:, 0].mean() > found[:, 0].mean()
