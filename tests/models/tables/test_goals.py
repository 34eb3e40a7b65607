"""Skewed numbers, counts, quantiles, weights and thresholds, as a user asks for them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, mean_absolute_error, r2_score
from sklearn.utils.class_weight import compute_class_weight

from qloom.data import TargetCoding, inspect_table, split_rows
from qloom.errors import ConfigError, DataError
from qloom.models import HybridClassifier, HybridRegressor, load_model
from qloom.models.tables.calibration import choose_threshold
from qloom.models.tables.goals import Goal
from qloom.models.tables.preparation import prepare_table

SMALL = {"n_qubits": 2, "n_layers": 1, "width": 16, "epochs": 12, "learning_rate": 0.02}


def skewed(n=500):
    random = np.random.default_rng(0)
    x = random.normal(size=(n, 3))
    return pd.DataFrame(x, columns=list("abc")), np.exp(1.2 * x[:, 0] + 0.9 * x[:, 1] + 0.2 * random.normal(size=n) + 6)


def test_a_log_normal_target_is_learnt_as_its_logarithm_and_predicted_in_its_own_unit(tmp_path):
    x, y = skewed(2400)
    model = HybridRegressor(**SMALL).fit(x[:400], y[:400])
    plain = HybridRegressor(**SMALL, target_transformation="none").fit(x[:400], y[:400]).predict(x[400:])
    assert model.coding_.transformation.kind == "log"
    assert any("learnt as its logarithm" in note for note in model.notes_)
    found = model.predict(x[400:])
    assert (found > 0).all()
    # R2 of so heavy a tail is that of its few largest rows, by which both are about alike.
    assert mean_absolute_error(y[400:], found) < 0.95 * mean_absolute_error(y[400:], plain)
    assert r2_score(np.log(y[400:]), np.log(found)) > 0.9
    again = load_model(model.save(tmp_path / "model")).predict(x[400:])
    assert np.array_equal(again, found)


def test_a_target_that_is_not_skewed_stays_as_it_is():
    x, y = skewed()
    table = pa.table({**{name: x[name] for name in x}, "t": np.log(y)})
    schema = inspect_table(table, "t", task="regression")
    data = prepare_table(table, schema, split_rows(table, schema))
    assert data.coding.transformation.kind == "none"
    assert data.notes == ()


def test_counts_and_quantiles():
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 2))
    counts = random.poisson(np.exp(0.8 * x[:, 0] + 0.5))
    model = HybridRegressor(**SMALL, loss="poisson").fit(x, counts)
    assert (model.predict(x) > 0).all()
    assert model.predict(x).mean() == pytest.approx(counts.mean(), rel=0.15)
    high = HybridRegressor(**SMALL, loss="quantile", quantile=0.9).fit(x, counts).predict(x)
    assert 0.82 < (counts <= high).mean() < 0.97


def imbalanced(n=400):
    random = np.random.default_rng(1)
    x = random.normal(size=(n, 2))
    return x, np.where(x[:, 0] + random.normal(size=n) > 1.8, "yes", "no")


def test_balanced_classes_find_the_rare_one():
    x, y = imbalanced()
    plain, balanced = (HybridClassifier(**SMALL, class_weight=w).fit(x, y).predict(x) for w in (None, "balanced"))
    assert balanced_accuracy_score(y, balanced) > balanced_accuracy_score(y, plain) + 0.1


def test_balanced_weights_are_scikit_learns():
    coding, codes = TargetCoding("t", "classification", ("a", "b", "c")), np.array([0, 0, 0, 1, 1, 2])
    found = Goal(class_weight="balanced").weights_of_classes(coding, codes)
    np.testing.assert_allclose(found, compute_class_weight("balanced", classes=np.arange(3), y=codes))
    assert Goal(class_weight={"b": 3}).weights_of_classes(coding, codes).tolist() == [1, 3, 1]
    with pytest.raises(ConfigError, match="names the class 'd', expected one of a, b, c"):
        Goal(class_weight={"d": 3}).weights_of_classes(coding, codes)


def test_rows_of_weight_zero_are_left_out():
    x, y = imbalanced(150)
    weights = np.r_[np.ones(120), np.zeros(30)]
    kept = HybridClassifier(**SMALL).fit(x[:120], y[:120], sample_weight=np.ones(120)).predict_proba(x)
    assert np.array_equal(HybridClassifier(**SMALL).fit(x, y, sample_weight=weights).predict_proba(x), kept)
    with pytest.raises(DataError, match="-1 among them, expected finite numbers from 0 on"):
        HybridClassifier(**SMALL).fit(x, y, sample_weight=np.full(150, -1.0))


def test_weights_draw_a_fit_to_the_heavier_rows():
    x, y = imbalanced()
    heavy = HybridClassifier(**SMALL).fit(x, y, sample_weight=np.where(y == "yes", 20.0, 1.0)).predict(x)
    assert (heavy == "yes").mean() > 2 * (HybridClassifier(**SMALL).fit(x, y).predict(x) == "yes").mean()


def test_a_threshold_by_f1_is_the_best_one():
    random = np.random.default_rng(3)
    y = (random.random(60) < 0.2).astype(int)
    p = np.clip(0.25 * y + 0.5 * random.random(60), 0, 1)
    found = choose_threshold("f1", y, np.column_stack([1 - p, p]), np.ones(60))
    assert f1_score(y, p > found) == max(f1_score(y, p > t) for t in np.r_[p - 1e-9, 0.5])


def test_the_threshold_decides_and_is_saved(tmp_path):
    x, y = imbalanced()
    model = HybridClassifier(**SMALL, threshold="f1").fit(x, y)
    level = model.readout_.threshold
    assert level < 0.5
    p = model.predict_proba(x)[:, 1]
    assert np.array_equal(model.predict(x) == "yes", p > level)
    assert load_model(model.save(tmp_path / "model")).readout_ == model.readout_


@pytest.mark.parametrize(
    ("options", "message"),
    [({"threshold": "roc"}, "threshold is 'roc', expected a number between 0 and 1 or one of accuracy"),
     ({"threshold": 1.5}, "threshold is 1.5"), ({"loss": "poisson"}, "loss is 'poisson' for classification"),
     ({"target_transformation": "log"}, "expected none for classes"), ({"class_weight": "heavy"}, "expected balanced")],
)  # fmt: skip
def test_what_does_not_fit_classes_is_refused(options, message):
    x, y = imbalanced(60)
    with pytest.raises(ConfigError, match=message):
        HybridClassifier(**SMALL, **options).fit(x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"threshold": "f1"}, "expected a target of two classes"),
     ({"class_weight": "balanced"}, "expected None for numbers"),
     ({"target_transformation": "root"}, "expected one of auto, none, log"),
     ({"loss": "poisson", "target_transformation": "log"}, "expected none for loss='poisson'")],
)  # fmt: skip
def test_what_does_not_fit_numbers_is_refused(options, message):
    x, y = skewed(60)
    with pytest.raises(ConfigError, match=message):
        HybridRegressor(**SMALL, **options).fit(x, y)
