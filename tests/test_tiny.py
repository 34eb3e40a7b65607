"""Touches every layer in under ten seconds: the first thing to run after an edit."""

from __future__ import annotations

import numpy as np
import torch

import qloom as ql


def test_closed_form_through_every_layer():
    """<Z> after RY(x) RX(w) is cos(x) cos(w): circuit, program, engine, gradient and torch agree on it."""
    circuit = ql.Circuit(1)
    x, w = circuit.inputs(1), circuit.weights(1)
    circuit.ry(x[0], 0).rx(w[0], 0)
    a, b = np.array([[0.3], [1.2]]), np.array([0.7])
    np.testing.assert_allclose(ql.expectation(circuit, ql.Z(0), a, b), np.cos(a) * np.cos(b), atol=1e-14)
    np.testing.assert_allclose(ql.gradients.gradient(circuit, ql.Z(0), a, b)[0], -np.sin(a) * np.cos(b), atol=1e-14)
    layer = ql.nn.QuantumLayer(circuit, ql.Z(0), init=[0.7], dtype=torch.float64)
    inputs = torch.tensor(a, requires_grad=True)
    layer(inputs).sum().backward()
    np.testing.assert_allclose(inputs.grad, -np.sin(a) * np.cos(b), atol=1e-14)
    np.testing.assert_allclose(layer.weights.grad, (-np.cos(a) * np.sin(b)).sum(keepdims=True)[0], atol=1e-14)


def test_bell_pair_counts():
    counts = ql.counts(ql.Circuit(2).h(0).cx(0, 1), shots=1000, seed=1)
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 1000


def test_bit_order():
    """Qubit 0 is the leftmost bit of a bit string and the most significant of an index."""
    circuit = ql.Circuit(3).x(0)
    assert ql.counts(circuit, shots=1) == {"100": 1}
    assert np.argmax(np.abs(ql.state(circuit))) == 0b100
    assert ql.probabilities(circuit, qubits=[1, 0]).tolist() == [0, 1, 0, 0]


def test_hybrid_model_learns_a_table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    model = ql.models.HybridClassifier(n_qubits=2, n_layers=1, epochs=3, random_state=0).fit(x, y)
    assert model.predict_proba(x).shape == (200, 2)


def test_package_is_documented():
    assert ql.__version__.count(".") == 2
    assert all(getattr(ql, name) is not None for name in ql.__all__)
