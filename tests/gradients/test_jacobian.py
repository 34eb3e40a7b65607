"""Whole Jacobians beside closed forms and gradients output by output."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.gradients import DIFFERENTIATORS, gradient


def test_a_rotation_by_hand():
    """RX(x) RX(2 w): <Z> = cos(x + 2 w), <Y> = -sin(x + 2 w)."""
    circuit = ql.Circuit(1)
    (x,), (w,) = circuit.inputs(1), circuit.weights(1)
    circuit.rx(x, 0).rx(2 * w, 0)
    by_inputs, by_weights = ql.jacobian(circuit, [ql.Z(0), ql.Y(0)], [[0.3], [0.5]], [0.1])
    angles = np.array([0.5, 0.7])
    slopes = np.stack([-np.sin(angles), -np.cos(angles)], axis=1)[..., None]
    np.testing.assert_allclose(by_inputs, slopes, atol=1e-12)
    np.testing.assert_allclose(by_weights, 2 * slopes, atol=1e-12)
    single = ql.jacobian(circuit, [ql.Z(0), ql.Y(0)], [0.3], [0.1])
    assert [part.shape for part in single] == [(2, 1), (2, 1)]


@pytest.mark.parametrize("differentiator", [name for name, kind in DIFFERENTIATORS.items() if kind.is_exact])
@pytest.mark.parametrize("own", [False, True])
def test_rows_are_gradients(differentiator, own, monkeypatch):
    """Of each sample and output by itself; in walks of a few rows too, and of weights of a sample's own."""
    monkeypatch.setattr("qloom.gradients.derivatives.MOST_NUMBERS", 60)
    random = np.random.default_rng(0)
    circuit = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 1)
    words = [ql.Z(0), ql.X(1) @ ql.Z(2) + 0.5, ql.Y(2)]
    x, w = random.normal(size=(4, 3)), random.normal(size=(4, 9) if own else 9)
    found = ql.jacobian(circuit, words, x, w, differentiator=differentiator)
    for row, (b, o) in enumerate(np.ndindex(4, 3)):
        weights = w[b] if own else w
        expected = gradient(circuit, words, x[b], weights, np.eye(3)[o])
        tolerance = 1e-7 if differentiator == "finite-difference" else 1e-12
        for part, whole in zip(expected, found, strict=True):
            np.testing.assert_allclose(whole.reshape(12, -1)[row], part, atol=tolerance)
