"""Estimators under another execution: trained and evaluated from measurements, with the same weights elsewhere."""

import numpy as np
import pytest
import torch

from qloom.errors import ConfigError
from qloom.models import HybridClassifier, HybridRegressor, load_model
from qloom.models.tables.served import read_served

SMALL = {"n_qubits": 2, "n_layers": 1, "width": 8, "epochs": 2, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.where(X[:, 0] * X[:, 1] > 0, "yes", "no")


def fitted(engine, kind=HybridClassifier, y=Y, **options):
    return kind(**SMALL, engine=engine, **options).fit(X, y)


def weights(model):
    return torch.cat([tensor.flatten() for tensor in model.network_.parameters()])


def test_training_measures():
    exact, measured, again = fitted(None), fitted({"shots": 20}), fitted({"shots": 20})
    assert measured.network_.layer.engine.shots == 20
    assert not torch.equal(weights(exact), weights(measured))
    assert torch.equal(weights(measured), weights(again))
    assert not torch.equal(weights(measured), weights(fitted({"shots": 20, "seed": 4})))


def test_very_many_measurements_train_as_exact_values_do():
    """2^40 measurements leave errors of 1e-6 of values; AdamW moves weights whose derivative is 0 by chance."""
    exact, measured = fitted(None), fitted({"shots": 2**40})
    losses = [
        [epoch["validation_loss"] or epoch["train_loss"] for epoch in each.history_] for each in (exact, measured)
    ]
    assert np.allclose(*losses, atol=1e-4)
    assert not torch.equal(weights(exact), weights(measured))


def test_predictions_are_measured_anew():
    """Both predict from 1,000 measurements: equal means, not equal numbers, within errors that 1e-9 of runs exceed."""
    model = fitted({"shots": 1000})
    first, second = model.predict_proba(X), model.predict_proba(X)
    exact = model.with_engine({"shots": None}).predict_proba(X)
    assert not np.array_equal(first, second)
    assert np.array_equal(exact, model.with_engine({"shots": None}).predict_proba(X))
    assert np.abs(first - exact).max() < 0.2
    assert np.abs(first - exact).mean() > 0


def test_other_execution_same_weights(tmp_path):
    model = fitted(None, HybridRegressor, X[:, 0])
    for each in (model, read_served(model.save(tmp_path / "m"))):
        measured = each.with_engine({"shots": 10**6, "seed": 1})
        assert measured.engine_.title == "1,000,000 shots a word"
        exact, noisy = each.predict_features(X.astype(np.float32)), measured.predict_features(X.astype(np.float32))
        assert not np.array_equal(exact, noisy)
        assert np.allclose(exact, noisy, atol=0.05 * np.ptp(exact) + 1e-3)
        assert each.engine_.is_exact
    other = model.with_engine({"shots": 5}).network_.layer
    assert other.weights is model.network_.layer.weights
    assert other.engine.shots == 5


def test_saved_with_its_engine(tmp_path):
    model = fitted({"shots": 30, "seed": 7})
    loaded = load_model(model.save(tmp_path / "m"))
    assert loaded.engine == {"shots": 30, "seed": 7}
    assert loaded.engine_ == model.engine_
    assert loaded.network_.layer.engine.shots == 30
    served = [read_served(tmp_path / "m") for _ in range(3)]
    first, second = (each.predict_features(X.astype(np.float32)) for each in served[:2])
    assert np.array_equal(first, second)
    assert not np.array_equal(first, served[2].with_engine({"seed": 8}).predict_features(X.astype(np.float32)))


def test_without_a_circuit_there_is_no_engine():
    exact, measured = fitted(None, layer="classical"), fitted({"shots": 20}, layer="classical")
    assert torch.equal(weights(exact), weights(measured))
    assert measured.engine_ is None
    with pytest.raises(ConfigError, match=r"without a circuit has no engine, got engine\.shots=3; leave it out"):
        measured.with_engine({"shots": 3})


def test_an_engine_that_there_is_not():
    with pytest.raises(ConfigError, match=r"engine\.name is 'x', expected one of statevector, reference"):
        fitted({"name": "x"})
