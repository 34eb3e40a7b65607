"""Channels on states whose noisy values are known in closed form, to 1e-12."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.engines import DensityEngine
from qloom.engines.outputs import DensityMatrix
from qloom.observables import pauli

ENGINE = DensityEngine()


def mean(circuit, *words):
    return ql.expectation(circuit, list(words), engine=ENGINE)


def matrix(circuit):
    values = ENGINE.prepare(circuit, DensityMatrix(circuit.n_qubits)).values(ql.engines.make_batch(circuit))
    return values.view(complex).reshape(2**circuit.n_qubits, 2**circuit.n_qubits)


def ghz(n):
    circuit = Circuit(n).h(0)
    for q in range(n - 1):
        circuit.cx(q, q + 1)
    return circuit


def fidelity(circuit):
    """With the GHZ state."""
    rho = matrix(circuit)
    return (rho[0, 0] + rho[0, -1] + rho[-1, 0] + rho[-1, -1]).real / 2


def test_x_then_depolarizing():
    for p, z in ((0.5, -1 / 3), (0.75, 0.0), (0.0, -1.0)):
        np.testing.assert_allclose(mean(Circuit(1).x(0).depolarizing(p, 0), ql.Z(0)), [z], rtol=0, atol=1e-15)


@pytest.mark.parametrize("p", [0.01, 0.3])
def test_depolarized_bell_pair(p):
    circuit = ghz(2).depolarizing(p, 0).depolarizing(p, 1)
    words = mean(circuit, ql.Z(0) @ ql.Z(1), ql.X(0) @ ql.X(1))
    np.testing.assert_allclose(words, (1 - 4 * p / 3) ** 2, rtol=0, atol=1e-14)
    assert fidelity(circuit) == pytest.approx((1 + 3 * (1 - 4 * p / 3) ** 2) / 4, abs=1e-14)
    if p == 0.01:
        np.testing.assert_allclose([words[0], fidelity(circuit)], [0.9735111111, 0.9801333333], rtol=0, atol=1e-10)
    together = mean(ghz(2).depolarizing(p, 0, 1), ql.Z(0) @ ql.Z(1))
    np.testing.assert_allclose(together, 1 - 16 * p / 15, rtol=0, atol=1e-14)


def test_ghz_with_phase_flips():
    n, p = 5, 0.02
    circuit = ghz(n)
    for q in range(n):
        circuit.phase_flip(p, q)
    found = [mean(circuit, pauli("X" * n, range(n)))[0], fidelity(circuit)]
    np.testing.assert_allclose(found, [(1 - 2 * p) ** n, (1 + (1 - 2 * p) ** n) / 2], rtol=0, atol=1e-14)
    np.testing.assert_allclose(found, [0.8153726976, 0.9076863488], rtol=0, atol=1e-10)


def test_ghz_with_amplitude_damping():
    n, g = 4, 0.3
    circuit = ghz(n)
    for q in range(n):
        circuit.amplitude_damping(g, q)
    probabilities = ql.probabilities(circuit, engine=ENGINE)
    np.testing.assert_allclose(probabilities[[0, -1]], [0.5 + g**n / 2, (1 - g) ** n / 2], rtol=0, atol=1e-14)
    expected = 0.25 + g**n / 4 + (1 - g) ** n / 4 + (1 - g) ** (n / 2) / 2
    assert fidelity(circuit) == pytest.approx(expected, abs=1e-14)


def test_ramsey_decay():
    t1, t2, time, detuning = 50.0, 70.0, 20.0, 0.13
    circuit = Circuit(1).h(0).rz(detuning * time, 0).thermal_relaxation(t1, t2, time, 0.0, 0).h(0)
    expected = np.exp(-time / t2) * np.cos(detuning * time)
    np.testing.assert_allclose(mean(circuit, ql.Z(0)), [expected], rtol=0, atol=1e-14)
    decay = Circuit(1).x(0).thermal_relaxation(t1, t2, time, 0.1, 0)
    assert matrix(decay)[1, 1].real == pytest.approx(0.1 + 0.9 * np.exp(-time / t1), abs=1e-14)


def test_singular_channels():
    """What cannot be undone: slopes pass it all the same."""
    circuit = Circuit(2)
    w = circuit.weights(2)
    circuit.ry(w[0], 0).cx(0, 1).reset(0).ry(w[1], 0).cx(0, 1).measure(1)
    words = [ql.Z(0), ql.Z(1)]
    found = ql.expectation(circuit, words, weights=[0.7, 0.4], engine=ENGINE)
    np.testing.assert_allclose(found, [np.cos(0.4), np.cos(0.7) * np.cos(0.4)], rtol=0, atol=1e-15)
    _, slopes = ql.gradients.gradient(circuit, words, weights=[0.7, 0.4], engine=ENGINE)
    expected = [-np.sin(0.7) * np.cos(0.4), -np.sin(0.4) - np.cos(0.7) * np.sin(0.4)]
    np.testing.assert_allclose(slopes, expected, rtol=0, atol=1e-15)
