"""Estimators on quantum kernels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import qloom as ql
from qloom.models import (
    QuantumGaussianProcess,
    QuantumKernel,
    QuantumKernelRidge,
    QuantumLandmarks,
    QuantumSVC,
    align_kernel,
    fidelity_kernel,
    ideal_kernel,
    kernel_alignment,
    projected_features,
)


def expected_failures(estimator) -> dict[str, str]:
    """Of scikit-learn's own SVC too: its solver stops a thousandth away from the optimum."""
    check = "check_sample_weight_equivalence_on_dense_data"
    return {check: "weights and copies agree up to the solver's tolerance"} if isinstance(estimator, QuantumSVC) else {}


@parametrize_with_checks(
    [
        QuantumSVC(QuantumKernel(encoder="angle")), QuantumSVC(QuantumKernel("projected", "angle")),
        QuantumKernelRidge(QuantumKernel(encoder="angle")),
        QuantumGaussianProcess(QuantumKernel("projected", "angle")),
        QuantumLandmarks(QuantumKernel(encoder="angle"), 20),
    ],
    expected_failed_checks=expected_failures,
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
    mine = QuantumSVC(QuantumKernel(encoder_options={"n_layers": 2}), C=3.0).fit(
        pd.DataFrame(x, columns=["a", "b"]), labels
    )
    np.testing.assert_allclose(mine.decision_function(pd.DataFrame(x_test, columns=["a", "b"])), expected, atol=1e-9)
    assert set(mine.predict(pd.DataFrame(x_test, columns=["a", "b"]))) <= {"up", "down"}


def test_gaussian_process_is_scikit_learns():
    """A Gaussian kernel on expectation values is its RBF on them."""
    (x, y), (x_test, _) = samples(40, 0), samples(15, 1)
    mine = QuantumGaussianProcess(QuantumKernel("projected", "angle", gamma=0.8), noise=0.05).fit(x, y)
    features, features_test = (
        projected_features(mine.kernel_.circuit_, mine.kernel_.inputs(part)) for part in (x, x_test)
    )
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
    model = QuantumSVC(QuantumKernel(entangled=False)).fit(x, y > 0)
    assert set(model.kernel_.circuit_.gate_counts()) == {"h", "rz"}
    assert "rzz" in QuantumSVC().fit(x, y > 0).kernel_.circuit_.gate_counts()


@pytest.mark.parametrize("kind", ["fidelity", "projected"])
def test_landmarks_approach_the_kernel(kind):
    """All rows as landmarks give the kernel itself; fewer leave more out."""
    x = samples(80, 0)[0]
    kernel = QuantumKernel(kind).fit(x)
    whole = kernel.matrix(kernel.inputs(x))
    errors = []
    for count in (2, 8, 80):
        features = QuantumLandmarks(QuantumKernel(kind), count).fit_transform(x)
        errors.append(np.abs(features @ features.T - whole).max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6  # square root of the rounding of eigenvalues that were left out


def test_landmarks_carry_a_linear_model():
    (x, y), (x_test, y_test) = samples(400, 0), samples(400, 1)
    few = make_pipeline(QuantumLandmarks(n_landmarks=60), LinearSVC(C=10)).fit(x, y > 0)
    assert few.score(x_test, y_test > 0) > 0.93
    assert few[0].inputs_.shape == (60, 3)


def test_alignment_by_hand():
    random = np.random.default_rng(0)
    kernel, y = random.normal(size=(6, 6)), np.array([0, 1, 1, 0, 1, 0])
    kernel = kernel @ kernel.T
    center = np.eye(6) - 1 / 6
    a, b = center @ kernel @ center, center @ np.where(y[:, None] == y, 1, -1) @ center
    expected = (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)
    np.testing.assert_allclose(kernel_alignment(kernel, y), expected, atol=1e-12)
    np.testing.assert_allclose(kernel_alignment(ideal_kernel(y), y), 1, atol=1e-12)
    numbers = random.normal(size=6)
    np.testing.assert_allclose(kernel_alignment(np.outer(numbers, numbers), numbers), 1, atol=1e-12)


@pytest.mark.parametrize("kind", ["fidelity", "projected"])
def test_alignment_is_trained(kind):
    """Better than the fixed kernel's, on rows that were not seen."""
    (x, y), (x_test, y_test) = samples(200, 0), samples(200, 1)
    found = []
    for n_layers in (0, 2):
        model = QuantumSVC(QuantumKernel(kind, "angle", trained_layers=n_layers)).fit(x, y > 0)
        rows = model.kernel_.inputs(x_test)
        found.append(kernel_alignment(model.kernel_.matrix(rows), y_test > 0))
        assert model.score(x_test, y_test > 0) > 0.85
    assert found[1] > found[0] + 0.1
    assert model.kernel_.alignments_.shape == (100,)


def test_alignment_errors():
    x, y = samples(10, 0)
    with pytest.raises(ql.errors.ConfigError, match="circuit has no weights, expected some between its inputs"):
        align_kernel(ql.encoders.angle(2), x, y > 0)
    with pytest.raises(ql.errors.ConfigError, match="y not given, expected targets"):
        QuantumLandmarks(QuantumKernel(trained_layers=1)).fit(x)
    with pytest.raises(ql.errors.ShapeError, match=r"kernel has shape \(3, 3\), expected \(10, 10\)"):
        kernel_alignment(np.eye(3), y)
    with pytest.raises(ql.errors.CircuitError, match="n_landmarks=0, expected an integer of at least 1"):
        QuantumLandmarks(n_landmarks=0).fit(x)


def test_errors():
    x, y = samples(10, 0)
    with pytest.raises(ql.errors.ConfigError, match="kernel='rbf', expected one of fidelity, projected"):
        QuantumSVC("rbf").fit(x, y > 0)
    with pytest.raises(ql.errors.CircuitError, match="encoder 'pauli', expected one of angle"):
        QuantumSVC(QuantumKernel(encoder="pauli")).fit(x, y > 0)
    with pytest.raises(ql.errors.ConfigError, match="noise=0, expected more than 0"):
        QuantumGaussianProcess(noise=0).fit(x, y)
