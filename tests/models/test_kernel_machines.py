"""Estimators on quantum kernels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import qloom as ql
from qloom.models import QuantumGaussianProcess, QuantumKernelRidge, QuantumSVC, fidelity_kernel, projected_features


@parametrize_with_checks(
    [
        QuantumSVC(encoder="angle"), QuantumSVC("projected", "angle"), QuantumKernelRidge(encoder="angle"),
        QuantumGaussianProcess("projected", "angle"),
    ]
)  # fmt: skip
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def samples(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 2))
    return x, np.sin(3 * x[:, 0]) * x[:, 1]


def test_svc_is_a_svc_on_the_kernel_of_scaled_features():
    (x, y), (x_test, _) = samples(60, 0), samples(20, 1)
    labels = np.where(y > 0, "up", "down")
    low, high = x.min(axis=0), x.max(axis=0)
    angles, angles_test = (((part - low) / (high - low) - 0.5) * np.pi for part in (x, x_test))
    with_products = lambda a: np.column_stack([a, a[:, 0] * a[:, 1]])  # noqa: E731
    circuit = ql.encoders.iqp(2, 2)
    train, test = with_products(angles), with_products(angles_test)
    by_hand = SVC(kernel="precomputed", C=3.0).fit(fidelity_kernel(circuit, train), labels)
    expected = by_hand.decision_function(fidelity_kernel(circuit, test, train))
    mine = QuantumSVC(encoder_options={"n_layers": 2}, C=3.0).fit(pd.DataFrame(x, columns=["a", "b"]), labels)
    np.testing.assert_allclose(mine.decision_function(pd.DataFrame(x_test, columns=["a", "b"])), expected, atol=1e-9)
    assert set(mine.predict(pd.DataFrame(x_test, columns=["a", "b"]))) <= {"up", "down"}


def test_gaussian_process_is_scikit_learns():
    """A Gaussian kernel on expectation values is its RBF on them."""
    (x, y), (x_test, _) = samples(40, 0), samples(15, 1)
    mine = QuantumGaussianProcess("projected", "angle", gamma=0.8, noise=0.05).fit(x, y)
    features, features_test = (projected_features(mine.circuit_, mine._inputs(part)) for part in (x, x_test))
    twin = GaussianProcessRegressor(RBF(1 / np.sqrt(1.6), "fixed"), alpha=0.05, normalize_y=True).fit(features, y)
    for a, b in zip(mine.predict(x_test, return_std=True), twin.predict(features_test, return_std=True), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


@pytest.mark.parametrize(("kernel", "least"), [("fidelity", 0.95), ("projected", 0.8)])
def test_regressions_learn_a_surface(kernel, least):
    (x, y), (x_test, y_test) = samples(200, 0), samples(100, 1)
    for model in (QuantumKernelRidge(kernel, alpha=0.01), QuantumGaussianProcess(kernel, noise=0.01)):
        assert model.fit(x, y).score(x_test, y_test) > least


def test_the_control_is_separable():
    x, y = samples(30, 0)
    model = QuantumSVC(entangled=False).fit(x, y > 0)
    assert set(model.circuit_.counts()) == {"h", "rz"}
    assert "rzz" in QuantumSVC().fit(x, y > 0).circuit_.counts()


def test_errors():
    x, y = samples(10, 0)
    with pytest.raises(ql.errors.ConfigError, match="kernel='rbf', expected one of fidelity, projected"):
        QuantumSVC("rbf").fit(x, y > 0)
    with pytest.raises(ql.errors.CircuitError, match="encoder 'pauli', expected one of angle"):
        QuantumSVC(encoder="pauli").fit(x, y > 0)
    with pytest.raises(ql.errors.ConfigError, match="noise=0, expected more than 0"):
        QuantumGaussianProcess(noise=0).fit(x, y)
