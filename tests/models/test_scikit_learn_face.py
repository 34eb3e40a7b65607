"""Every estimator where scikit-learn's own are used: frames as outputs, threads, weights of rows, settings within."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV

import qloom as ql
from qloom import models
from qloom.models import QuantumKernel, QuantumLandmarks
from qloom.models.published.quanvolutional import QuantumFilter

STEPS = {"max_steps": 8, "convergence_interval": None}
VARIATIONAL = [
    models.CircuitCentricClassifier(n_layers=1, **STEPS), models.DressedCircuitClassifier(1, **STEPS),
    models.IQPVariationalClassifier(n_layers=1, **STEPS), models.QCNNClassifier(**STEPS),
    models.QuantumMetricLearner(1, **STEPS), models.QuanvolutionalClassifier(n_channels=1, widths=(2, 2), **STEPS),
    models.ReuploadingClassifier(1, **STEPS), models.SeparableVariationalClassifier(**STEPS),
    models.TreeTensorClassifier(**STEPS),
]  # fmt: skip
KERNELS = [
    models.QuantumSVC(QuantumKernel(encoder="angle")), models.QuantumKernelRidge("projected"),
    models.QuantumGaussianProcess(QuantumKernel(encoder="angle", trained_layers=1, n_steps=3)),
]  # fmt: skip
SINKS, LANDMARKS = models.QuantumKitchenSinks(5), QuantumLandmarks(n_landmarks=9)
HYBRID = [models.HybridClassifier(2, 1, epochs=2), models.HybridRegressor(2, 1, epochs=2)]
ALL = [*VARIATIONAL, *KERNELS, SINKS, LANDMARKS, models.QuadraticFeatureSelector(2), *HYBRID]
WEIGHTED = [*VARIATIONAL, *KERNELS, SINKS]


def of(estimators):
    return pytest.mark.parametrize("model", estimators, ids=lambda model: type(model).__name__)


def rows(n: int = 30, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Four features, as images of two by two have; two classes as numbers."""
    x = np.random.default_rng(seed).normal(size=(n, 4))
    return pd.DataFrame(x, columns=list("abcd")), (x[:, 0] * x[:, 1] > 0).astype(float)


def answers(model, x) -> np.ndarray:
    for name in ("predict_proba", "predict", "transform"):
        if hasattr(model, name):
            return np.asarray(getattr(model, name)(x))
    raise AssertionError(model)


@of(ALL)
def test_frames_as_outputs_change_nothing(model):
    x, y = rows()
    plain = answers(clone(model).fit(x, y), x)
    with sklearn.config_context(transform_output="pandas"):
        np.testing.assert_array_equal(answers(clone(model).fit(x, y), x), plain)


@of([LANDMARKS, QuantumFilter(2)])
def test_transformers_name_their_features(model):
    x, y = rows()
    with sklearn.config_context(transform_output="pandas"):
        frame = clone(model).fit(x, y).transform(x)
    names = clone(model).fit(x, y).get_feature_names_out()
    assert list(frame.columns) == list(names)
    assert names[0] == type(model).__name__.lower() + "0"


@of(ALL)
def test_fits_in_two_threads_are_the_serial_fit(model):
    x, y = rows()
    expected, before = answers(clone(model).fit(x, y), x), torch.get_num_threads()
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda _: answers(clone(model).fit(x, y), x), range(4)):
            np.testing.assert_array_equal(found, expected)
    assert torch.get_num_threads() == before


@of(WEIGHTED)
def test_rows_without_weight_count_nothing(model):
    """Rows far away with wrong labels, weight 0: as if they were not there, in the features' ranges too."""
    x, y = rows()
    far = pd.concat([x, 50 * x.iloc[:6]], ignore_index=True)
    wrong = np.concatenate([y, 1 - y[:6]])
    weights = np.concatenate([np.full(30, 2.0), np.zeros(6)])
    expected = answers(clone(model).fit(x, y, sample_weight=np.full(30, 2.0)), x)
    np.testing.assert_allclose(answers(clone(model).fit(far, wrong, sample_weight=weights), x), expected, atol=1e-6)
    with pytest.raises(ql.errors.DataError, match="sample_weight holds -1, expected numbers of at least 0"):
        clone(model).fit(x, y, sample_weight=np.linspace(-1, 1, 30))


@of([model for model in WEIGHTED if not isinstance(model, models.QuantumMetricLearner)])
def test_weights_move_answers(model):
    """Every row once for each class; the answer is that of the heavier one.

    But for the metric learner, which compares classes by their means, whatever they weigh.
    """
    model = clone(model)
    if "max_steps" in model.get_params():
        model.set_params(max_steps=150, learning_rate=0.05)
    x, y = rows()
    both, labels = pd.concat([x, x], ignore_index=True), np.concatenate([y, 1 - y])
    weights = np.where(labels == 1, 9.0, 1.0)
    found = model.fit(both, labels, sample_weight=weights).predict(x)
    assert np.mean(found > 0.5) > 0.9


@pytest.mark.parametrize(
    "model", [models.QuantumKernelRidge("projected", 0.3), models.QuantumGaussianProcess("projected")]
)
def test_a_row_of_weight_three_is_three_rows(model):
    """Predictions alike; of a Gaussian process too, three equal measurements being one of a third of the noise."""
    x, y = rows()
    weights = np.arange(30) % 3 + 1
    once = clone(model).fit(x, y, sample_weight=weights)
    copies = clone(model).fit(x.loc[x.index.repeat(weights)], np.repeat(y, weights))
    np.testing.assert_allclose(once.predict(x), copies.predict(x), atol=1e-8)


@of([*VARIATIONAL, SINKS, KERNELS[0]])
def test_decisions_agree_with_predictions(model):
    x, y = rows()
    model = clone(model).fit(x, np.where(y > 0, "up", "down"))
    decisions = model.decision_function(x)
    assert decisions.shape == (30,)
    assert is_classifier(model)
    np.testing.assert_array_equal(model.classes_[(decisions > 0).astype(int)], model.predict(x))


def test_settings_of_a_kernel_by_name():
    x, y = rows(40)
    model = models.QuantumSVC("projected").set_params(kernel__gamma=0.25)
    twin = models.QuantumSVC(QuantumKernel("projected", gamma=0.25))
    np.testing.assert_array_equal(model.fit(x, y).decision_function(x), twin.fit(x, y).decision_function(x))
    assert model.get_params()["kernel__gamma"] == 0.25
    search = GridSearchCV(models.QuantumKernelRidge(), {"kernel": ["projected"], "kernel__gamma": [0.1, 1.0]}, cv=2)
    assert search.fit(x, y).best_params_["kernel__gamma"] in (0.1, 1.0)
    assert QuantumLandmarks("projected").set_params(kernel__gamma=2.0).kernel.gamma == 2.0
    with pytest.raises(ValueError, match="Invalid parameter 'width'"):
        models.QuantumSVC("projected").set_params(kernel__width=1)


def test_one_row_and_none():
    circuit, x = ql.encoders.angle(2), np.array([[0.1, 0.2]])
    assert models.fidelity_kernel(circuit, x) == models.projected_kernel(circuit, x) == [[1.0]]
    assert models.projected_kernel(circuit, x[:0]).shape == models.fidelity_kernel(circuit, x[:0]).shape == (0, 0)
    assert models.QuantumKernelRidge().fit(x, [3.0]).predict(x).shape == (1,)
    for call, message in (
        (lambda: models.fidelity_kernel(circuit, x[0]), r"one row is \(1, 2\)"),
        (lambda: models.projected_kernel(circuit, x, x[0]), r"one row is \(1, 2\)"),
        (lambda: models.QuantumSVC().fit(x, [1]), r"y has 1 class in 1 row\(s\), expected two classes or more"),
        (lambda: models.QuantumKernelRidge(QuantumKernel(trained_layers=1)).fit(x, [1.0]), "of at least 2 rows"),
    ):
        with pytest.raises(ql.errors.QloomError, match=message):
            call()
