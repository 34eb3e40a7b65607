"""Fitted estimators under another execution: the same weights, run by another engine."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

import qloom as ql
from qloom import models
from qloom.engines import ReferenceEngine, Shots, StatevectorEngine
from qloom.models import QuantumKernel
from qloom.models.artifact import DESCRIPTION

STEPS = {"max_steps": 3, "convergence_interval": None}
MEASURED = [
    models.CircuitCentricClassifier(n_layers=1, n_copies=1, **STEPS), models.DressedCircuitClassifier(1, **STEPS),
    models.IQPVariationalClassifier(n_layers=1, **STEPS), models.QCNNClassifier(**STEPS),
    models.ReuploadingClassifier(1, **STEPS), models.SeparableVariationalClassifier(**STEPS),
    models.TreeTensorClassifier(**STEPS), models.QuantumKitchenSinks(3), models.QuantumSVC("projected"),
    models.QuantumKernelRidge("projected"), models.QuantumGaussianProcess("projected"),
    models.QuantumLandmarks("projected", n_landmarks=5),
]  # fmt: skip
OF_STATES = [models.QuantumMetricLearner(1, **STEPS), models.QuantumSVC(QuantumKernel(encoder="angle"))]
FILTERS = [models.QuanvolutionalClassifier(n_channels=1, widths=(2, 2), **STEPS), models.QuantumFilter(1)]
X = np.random.default_rng(0).normal(size=(20, 4))
Y = np.arange(20) % 3


def of(estimators):
    return pytest.mark.parametrize("model", estimators, ids=lambda model: type(model).__name__)


def answers(model) -> np.ndarray:
    names = ("predict_proba", "decision_function", "transform", "predict")
    return next(np.asarray(getattr(model, name)(X)) for name in names if hasattr(model, name))


@of([*MEASURED, *OF_STATES, *FILTERS])
def test_the_reference_engine_gives_the_same_answers(model):
    fitted = clone(model).fit(X, Y)
    expected = answers(fitted)
    for engine in (ReferenceEngine(), {"name": "reference"}):
        other = fitted.with_engine(engine)
        assert type(other) is type(fitted)
        np.testing.assert_allclose(answers(other), expected, atol=2e-5)
    np.testing.assert_array_equal(answers(fitted), expected)


@of(MEASURED)
def test_measurements_are_seeded_and_vary(model):
    """Values from 10 shots are others than exact ones; from 10^12 they are near; the model itself stays exact."""
    fitted = clone(model).fit(X, Y)
    exact = answers(fitted)
    few = [answers(fitted.with_engine({"shots": 10, "seed": seed})) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(few[0], few[1])
    assert not np.array_equal(few[0], few[2])
    assert not np.array_equal(few[0], exact)
    # Errors are 1e-6 a value; models stretch them by less than a thousand.
    np.testing.assert_allclose(answers(fitted.with_engine(Shots(StatevectorEngine(), 10**12, 0))), exact, atol=1e-3)
    np.testing.assert_array_equal(answers(fitted), exact)


@of(MEASURED)
def test_the_choice_is_saved(model, tmp_path):
    fitted = clone(model).fit(X, Y)
    chosen = {"shots": 10, "seed": 3}
    back = ql.load_model(fitted.with_engine(chosen).save(tmp_path / "model"))
    np.testing.assert_array_equal(answers(back), answers(fitted.with_engine(chosen)))
    assert back.engine_.shots == 10
    np.testing.assert_allclose(answers(back.with_engine({"shots": None})), answers(fitted), atol=1e-6)


@of(FILTERS)
def test_filters_are_measured_once(model, tmp_path):
    """One shot gives another likeliest outcome for most patches; what was found is kept and saved."""
    fitted = clone(model).fit(X, Y)
    measured = fitted.with_engine({"shots": 1, "seed": 0})
    assert not np.array_equal(answers(measured), answers(fitted))
    np.testing.assert_array_equal(answers(measured), answers(measured))
    np.testing.assert_array_equal(answers(ql.load_model(measured.save(tmp_path / "m"))), answers(measured))


def test_what_cannot_be_is_said(tmp_path):
    fitted = models.QuantumKitchenSinks(3).fit(X, Y)
    with pytest.raises(ql.errors.UnsupportedError, match="engine_ is a ReferenceEngine, which cannot be saved"):
        fitted.with_engine(ReferenceEngine()).save(tmp_path / "m")
    assert not (tmp_path / "m" / DESCRIPTION).exists()
    with pytest.raises(ql.errors.ConfigError, match="is 'gpu', expected one of"):
        fitted.with_engine({"name": "gpu"})
    with pytest.raises(Exception, match="not fitted yet"):
        models.QuantumKitchenSinks(3).with_engine({"shots": 3})
    with pytest.raises(ql.errors.ConfigError, match="quantum=False: a model without a circuit has no engine"):
        models.QuanvolutionalClassifier(quantum=False, widths=(2, 2), **STEPS).fit(X, Y).with_engine({"shots": 3})
    for model in OF_STATES:
        with pytest.raises(ql.errors.UnsupportedError, match="state"):
            answers(clone(model).fit(X, Y).with_engine({"shots": 3}))
