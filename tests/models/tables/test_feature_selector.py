"""The selector: scikit-learn's contract, features that are known to matter, and the optimum of its problem."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from qloom.combinatorial import SimulatedAnnealing
from qloom.errors import ConfigError, ProblemError
from qloom.models import QuadraticFeatureSelector

QUICK = {"solver": SimulatedAnnealing(n_sweeps=20, n_restarts=4), "n_rounds": 1}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([QuadraticFeatureSelector(**QUICK)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def table(task: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns 0 and 1 carry the target, 2 is a noisy copy of 0, the others are noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(300, 6))
    X[:, 2] = X[:, 0] + 0.1 * random.normal(size=300)
    y = X[:, 0] + X[:, 1]
    return X, y if task == "regression" else np.where(y > 0, "up", "down")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_copy_is_not_selected_beside_what_it_copies(task):
    X, y = table(task)
    selector = QuadraticFeatureSelector(2).fit(X, y)
    assert selector.support_[1]
    assert selector.support_[[0, 2]].sum() == 1
    assert selector.transform(X).shape == (300, 2)
    relevant = QuadraticFeatureSelector(3, balance=0.0).fit(X, y)
    assert relevant.get_support(indices=True).tolist() == [0, 1, 2]


def test_the_best_of_all_selections_is_found():
    X, y = load_wine(return_X_y=True)
    selector = QuadraticFeatureSelector(5).fit(X, y)
    best = selector.problem_.objective(selector.problem_.brute_force())
    assert selector.objective_ == pytest.approx(best, rel=1e-12)
    again = QuadraticFeatureSelector(5).fit(X, y)
    assert (again.support_ == selector.support_).all()


def test_in_a_pipeline_with_half_of_the_features():
    X, y = load_wine(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), QuadraticFeatureSelector(0.5), LogisticRegression())
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.85


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_features_to_select": 0}, "n_features_to_select=0, expected 1 to 6, or a share"),
        ({"n_features_to_select": 1.5}, r"n_features_to_select=1\.5"),
        ({"n_features_to_select": "2"}, "n_features_to_select='2', expected 1 to 6"),
        ({"n_rounds": 0}, "n_rounds=0, expected an integer from 1"),
        ({"n_rounds": 1.5}, r"n_rounds=1\.5, expected an integer from 1"),
        ({"discrete_features": [True] * 3}, r"discrete_features=\[True, True, True\], expected a bool or 6 of them"),
        ({"discrete_features": [0, 2]}, r"discrete_features=\[0, 2\], expected a bool or 6 of them"),
        ({"discrete_features": True}, "feature 0 has a class of its own for each row"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises((ConfigError, ProblemError), match=message):
        QuadraticFeatureSelector(**options).fit(*table("classification"))


def test_classes_of_one_row_each():
    with pytest.raises(ConfigError, match="y has a class of its own for each row, expected classes of two rows"):
        QuadraticFeatureSelector(2).fit(table("classification")[0][:3], ["a", "b", "c"])
