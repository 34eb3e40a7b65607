"""Kernels of states and of expectation values."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.engines import ReferenceEngine
from qloom.models import fidelity_kernel, projected_features, projected_kernel
from qloom.models.kernels import kernels

CIRCUIT = ql.encoders.angle(3, "x") + ql.ansatze.strongly_entangling(3, 1)
W = np.random.default_rng(0).uniform(-3, 3, 9)


def samples(n: int, seed: int = 0, n_features: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, n_features))


@pytest.mark.parametrize("most_bytes", [1 << 28, 3 * 16 * 8])  # all at once; three states at a time
def test_fidelities_are_squared_overlaps(monkeypatch, most_bytes):
    monkeypatch.setattr(kernels, "MOST_BYTES", most_bytes)
    circuit = ql.encoders.reuploading(3, 2, lambda n: ql.ansatze.strongly_entangling(n, 1))
    w = np.random.default_rng(0).uniform(-3, 3, circuit.n_weights)
    x, y = samples(8), samples(5, 1)
    states, others = (ql.state(circuit, part, w, engine=ReferenceEngine()) for part in (x, y))
    np.testing.assert_allclose(fidelity_kernel(circuit, x, y, w), abs(states @ others.conj().T) ** 2, atol=1e-13)
    symmetric = fidelity_kernel(circuit, x, weights=w)
    np.testing.assert_allclose(symmetric, abs(states @ states.conj().T) ** 2, atol=1e-13)
    np.testing.assert_array_equal(symmetric, symmetric.T)
    np.testing.assert_array_equal(np.diag(symmetric), 1)


def test_unconnected_qubits_are_taken_apart():
    """Twenty-four qubits without entangling gates: a product of cosines, in little memory."""
    x, y = samples(50, n_features=24), samples(40, 1, 24)
    truth = (np.cos((x[:, None] - y[None]) / 2) ** 2).prod(axis=2)
    np.testing.assert_allclose(fidelity_kernel(ql.encoders.angle(24), x, y), truth, atol=1e-14)
    circuit = ql.Circuit(5).h(0).cx(0, 3).rx(0.3, 1).cz(4, 2).ry(0.2, 3)
    parts = circuit.components()
    assert [part.n_qubits for part in parts] == [2, 1, 2]
    assert [part.gate_counts() for part in parts] == [{"h": 1, "cx": 1, "ry": 1}, {"rx": 1}, {"cz": 1}]
    assert [op.qubits for op in parts[2].operations] == [(1, 0)]
    whole = ql.state(circuit).reshape([2] * 5)
    a, b, c = (ql.state(part) for part in parts)
    product = np.einsum("ad,b,ce->abcde", a.reshape(2, 2), b, c.reshape(2, 2))
    np.testing.assert_allclose(product, whole, atol=1e-14)
    assert len(ql.encoders.amplitude(4).components()) == 1


def test_kernels_are_positive_and_keep_their_dtype():
    x = samples(30).astype("f4")
    matrix = fidelity_kernel(CIRCUIT, x, weights=W.astype("f4"))
    assert matrix.dtype == np.float32
    assert np.linalg.eigvalsh(matrix.astype("f8")).min() > -1e-5


def test_projected_kernel_compares_expectation_values():
    x, y = samples(6), samples(4, 1)
    words = [letter(q) for q in range(3) for letter in (ql.X, ql.Y, ql.Z)]
    f, g = (ql.expectation(CIRCUIT, words, part, W) for part in (x, y))
    np.testing.assert_allclose(projected_features(CIRCUIT, x, W), f, atol=1e-14)
    truth = np.exp(-0.7 * ((f[:, None] - g[None]) ** 2).sum(-1))
    np.testing.assert_allclose(projected_kernel(CIRCUIT, x, y, W, gamma=0.7), truth, atol=1e-13)
    np.testing.assert_array_equal(np.diag(projected_kernel(CIRCUIT, x, None, W)), 1)


def test_errors():
    with pytest.raises(ql.errors.ShapeError, match=r"inputs has shape \(3,\) .* expected \(N, 3\)"):
        fidelity_kernel(CIRCUIT, np.zeros(3), weights=W)
    with pytest.raises(ql.errors.ShapeError, match="weights not given"):
        fidelity_kernel(CIRCUIT, samples(2))


def test_unconnected_qubits_are_compared_whatever_their_number():
    """RX(x) leaves <X> = 0, <Y> = -sin x, <Z> = cos x; CX of qubits 0 and 39 joins two of the 40."""
    circuit = ql.encoders.angle(40, "x")
    x = np.random.default_rng(0).uniform(-3, 3, (5, 40))
    expected = np.stack([np.zeros_like(x), -np.sin(x), np.cos(x)], axis=2)
    np.testing.assert_allclose(projected_features(circuit, x), expected.reshape(5, -1), atol=1e-12)
    joined = projected_features(circuit.copy().cx(0, 39), x).reshape(5, 40, 3)
    np.testing.assert_allclose(joined[:, 39, 2], np.cos(x[:, 0]) * np.cos(x[:, 39]), atol=1e-12)
    np.testing.assert_allclose(joined[:, 1:39], expected[:, 1:39], atol=1e-12)
