"""The baselines are fitted well and counted right."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes

from qloom.data import Preprocessing, TargetCoding, inspect_table, split_rows, table_from_array
from qloom.models.baselines import BASELINES, baseline_outputs, count_parameters
from qloom.models.fitting import Rows
from qloom.models.preparation import PreparedTable, prepare_table
from qloom.models.scores import score


def prepared(load, task):
    x, y = load(return_X_y=True)
    table = table_from_array(np.column_stack([x, y]))
    schema = inspect_table(table, table.column_names[-1], task=task)
    return prepare_table(table, schema, split_rows(table, schema, seed=0))


@pytest.mark.parametrize("key", BASELINES)
def test_classification(key):
    data = prepared(load_breast_cancer, "classification")
    model = BASELINES[key](data, 0)
    assert score("roc_auc", data.test.y.numpy(), baseline_outputs(model, data.test, data.coding)) > 0.97
    assert count_parameters(model) > 30


@pytest.mark.parametrize("key", BASELINES)
def test_regression(key):
    data = prepared(load_diabetes, "regression")
    model = BASELINES[key](data, 0)
    assert score("r2", data.test.y.numpy(), baseline_outputs(model, data.test, data.coding)) > 0.25


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
    found = baseline_outputs(BASELINES[key](data, 0), data.test, coding)
    assert found.shape == (120, 3)
    assert (found[:, 2] == 0).all()
    assert (found.argmax(axis=1) == data.test.y.numpy())[data.test.y.numpy() < 2].mean() > 0.9
