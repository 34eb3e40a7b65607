"""The scikit-learn face: the public contract of estimators, frames, and what is learnt."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from qloom.errors import ConfigError, DataError
from qloom.models import HybridClassifier, HybridRegressor

SMALL = {"n_qubits": 2, "n_layers": 1, "width": 16, "epochs": 20, "learning_rate": 0.02}
# Of scikit-learn's checks; to the others a model is as good after two epochs.
ASK_FOR_ACCURACY = {"check_classifiers_train", "check_classifiers_classes", "check_regressors_train"}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks([HybridClassifier(**SMALL), HybridRegressor(**SMALL)], expected_failed_checks=lambda _: {
    "check_sample_weight_equivalence_on_dense_data": "the rows held out and the order of batches are drawn row by row",
})  # fmt: skip
def test_scikit_learn_contract(estimator, check):
    if check.func.__name__ not in ASK_FOR_ACCURACY:
        estimator = clone(estimator).set_params(epochs=2)
    check(estimator)


def test_binary_classes_are_learnt():
    x, y = load_breast_cancer(return_X_y=True)
    model = HybridClassifier(n_qubits=4, n_layers=1, epochs=15).fit(x[:400], y[:400])
    assert model.score(x[400:], y[400:]) > 0.93


def test_three_named_classes_are_learnt():
    x, y = load_wine(return_X_y=True)
    model = HybridClassifier(n_qubits=4, n_layers=1, epochs=20).fit(x, np.array(["red", "rose", "white"])[y])
    assert model.score(x, np.array(["red", "rose", "white"])[y]) > 0.95
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, atol=1e-12)


def test_numbers_are_learnt():
    x, y = load_diabetes(return_X_y=True)
    assert HybridRegressor(n_qubits=4, n_layers=1, epochs=20).fit(x, y).score(x, y) > 0.4


def people(n=120):
    rng = np.random.default_rng(0)
    age = rng.normal(40, 10, n)
    job = rng.choice(["clerk", "smith", "none"], n)
    member = rng.random(n) > 0.5
    frame = pd.DataFrame({"age": age, "job": job, "member": member})
    frame.loc[::7, "age"] = np.nan
    frame.loc[::9, "job"] = None
    return frame, np.where((age > 40) ^ (job == "smith"), "yes", "no")


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.from_pandas, lambda f: pl.from_pandas(f).to_arrow()],
                         ids=["pandas", "polars", "arrow"])  # fmt: skip
def test_frames_with_categories_and_missing_cells(convert):
    frame, y = people()
    model = HybridClassifier(**SMALL).fit(convert(frame), y)
    assert model.score(convert(frame), y) > 0.75
    assert "job=smith" in model.preprocessing_.feature_names
    unseen = frame.assign(job="astronaut")
    assert set(model.predict(convert(unseen))) <= {"yes", "no"}


def test_same_seed_same_model():
    frame, y = people()
    first, second = (HybridClassifier(**SMALL, random_state=3).fit(frame, y).predict_proba(frame) for _ in range(2))
    assert np.array_equal(first, second)
    other = clone(HybridClassifier(**SMALL)).set_params(random_state=4).fit(frame, y).predict_proba(frame)
    assert not np.array_equal(first, other)


def test_cross_validation():
    x, y = load_wine(return_X_y=True)
    assert cross_val_score(HybridClassifier(**SMALL), x, y, cv=3).mean() > 0.8


def test_verbose_prints_a_line_an_epoch(capsys):
    frame, y = people()
    HybridClassifier(**{**SMALL, "epochs": 3}, verbose=True).fit(frame, y)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_before_fit():
    with pytest.raises(NotFittedError):
        HybridClassifier().predict(np.zeros((2, 2)))
    with pytest.raises(NotFittedError):
        HybridRegressor().save("nowhere")


@pytest.mark.parametrize("target", ["a", "b"])
def test_one_class_only(target):
    frame, _ = people()
    with pytest.raises(DataError, match="only the class"):
        HybridClassifier(**SMALL).fit(frame, [target] * len(frame))


def test_missing_column_in_prediction():
    frame, y = people()
    model = HybridClassifier(**{**SMALL, "epochs": 1}).fit(frame, y)
    with pytest.raises(DataError, match="no column 'job'"):
        model.predict_table(pl.from_pandas(frame.drop(columns="job")).to_arrow())
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.drop(columns="job"))


def test_unknown_layer():
    frame, y = people()
    with pytest.raises(ConfigError, match="expected one of quantum, separable, classical"):
        HybridClassifier(layer="tubes").fit(frame, y)
