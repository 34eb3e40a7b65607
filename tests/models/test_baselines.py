"""The baselines are fitted well and counted right."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes

from qloom.data import inspect_table, split_rows, table_from_array
from qloom.models.baselines import BASELINES, baseline_outputs, count_parameters
from qloom.models.preparation import prepare_table
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
    assert score("roc_auc", data.test.y.numpy(), baseline_outputs(model, data.test, data.task)) > 0.97
    assert count_parameters(model) > 30


@pytest.mark.parametrize("key", BASELINES)
def test_regression(key):
    data = prepared(load_diabetes, "regression")
    model = BASELINES[key](data, 0)
    assert score("r2", data.test.y.numpy(), baseline_outputs(model, data.test, data.task)) > 0.25


def test_linear_parameters_are_coefficients_and_intercept():
    data = prepared(load_diabetes, "regression")
    assert count_parameters(BASELINES["linear"](data, 0)) == data.n_features + 1
