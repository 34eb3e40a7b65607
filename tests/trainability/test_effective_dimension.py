"""Effective dimension: closed forms, and Fisher information by differences of probabilities."""

from __future__ import annotations

from functools import reduce
from importlib import import_module

import numpy as np
import pytest

import qloom as ql
from qloom.trainability import effective_dimension, fisher_information

N_DATA = 1000
KAPPA = N_DATA / (2 * np.pi * np.log(N_DATA))


def ry_layer(n: int, scale: float = 1.0) -> ql.Circuit:
    circuit = ql.Circuit(n)
    for qubit, weight in enumerate(circuit.weights(n)):
        circuit.ry(scale * weight, qubit)
    return circuit


def fisher_by_differences(probabilities, weights: np.ndarray) -> np.ndarray:
    """Of a function that gives probabilities (B, N) at weights, the mean over B."""
    step = 1e-5
    slopes = [
        (probabilities(weights + step * e) - probabilities(weights - step * e)) / (2 * step)
        for e in np.eye(len(weights))
    ]
    p = probabilities(weights)
    parts = np.divide(1.0, p, out=np.zeros_like(p), where=p > 1e-9)
    return np.array([[(a * b * parts).sum(axis=1).mean() for b in slopes] for a in slopes])


@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_product_states(gamma):
    """Fisher information 1 for every qubit, whatever the angles and their scale."""
    kappa = gamma * KAPPA
    one = np.log(1 + kappa) / np.log(kappa)
    for n in (1, 2, 4):
        assert effective_dimension(ry_layer(n), N_DATA, gamma, n_samples=3) == pytest.approx(n * one, rel=1e-9)
    assert effective_dimension(ry_layer(2, scale=3), N_DATA, gamma, n_samples=3) == pytest.approx(2 * one, rel=1e-9)


def test_two_weights_for_one_direction():
    """F = [[1, 1], [1, 1]] is its own normalized form: ln(1 + 2 kappa) / ln kappa, not twice that of one weight."""
    circuit = ql.Circuit(1)
    first, second = circuit.weights(2)
    circuit.ry(first, 0).ry(second, 0)
    expected = np.log(1 + 2 * KAPPA) / np.log(KAPPA)
    assert effective_dimension(circuit, N_DATA) == pytest.approx(expected, rel=1e-9)
    many = effective_dimension(circuit, 10**15)
    assert many == pytest.approx(1, abs=0.03)  # the rank


def test_mean_over_inputs_before_the_determinant():
    """RY(x) RX(w): p = (1 + cos x cos w) / 2, whose Fisher information has the mean |sin w| / (1 + |sin w|) over x."""
    circuit = ql.encoders.angle(1)
    circuit.rx(circuit.weights(1)[0], 0)
    sines = np.abs(np.sin(np.linspace(0, np.pi, 100_001)))
    fisher = sines / (1 + sines)
    expected = 2 * np.log(np.sqrt(1 + KAPPA * fisher / fisher.mean()).mean()) / np.log(KAPPA)
    found = effective_dimension(circuit, N_DATA, n_samples=400, n_rows=400)
    # Each draw deviates by some 20%, so that 400 of them leave 1%; a mean over inputs of determinants is 8% less.
    assert found == pytest.approx(expected, rel=0.02)
    x, w = np.random.default_rng(0).uniform(-np.pi, np.pi, (200_000, 1)), np.array([0.8])
    expected = np.sin(0.8) / (1 + np.sin(0.8))
    assert fisher_information(circuit, x, w)[0, 0] == pytest.approx(expected, rel=0.01)


def shared_and_scaled() -> ql.Circuit:
    circuit = ql.encoders.angle(3)
    a, b, c, d = circuit.weights(4)
    circuit.rx(a, 0).crz(0.5 * b, 0, 1).ry(-2 * a, 1).cx(1, 2).rxx(c, 0, 2).h(1).u(d, b, 0.3, 2)
    return circuit


@pytest.mark.parametrize("circuit", [
    ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 2), shared_and_scaled(),
    ql.encoders.amplitude(4) + ql.ansatze.hardware_efficient(2, 2),
], ids=["strongly entangling", "shared and scaled", "amplitudes"])  # fmt: skip
def test_fisher_information_by_differences(circuit, monkeypatch):
    random = np.random.default_rng(1)
    inputs, weights = random.uniform(-3, 3, (5, circuit.n_inputs)), random.uniform(-3, 3, circuit.n_weights)
    if circuit.initial is not None:
        inputs /= np.linalg.norm(inputs, axis=1, keepdims=True)
    engine = ql.engines.ReferenceEngine()
    truth = fisher_by_differences(lambda w: ql.probabilities(circuit, inputs, w, engine=engine), weights)
    found = fisher_information(circuit, inputs, weights)
    np.testing.assert_allclose(found, truth, atol=1e-7 * np.abs(truth).max() + 1e-7)
    monkeypatch.setattr(import_module("qloom.trainability.effective_dimension"), "MOST_BYTES", 1)
    np.testing.assert_allclose(fisher_information(circuit, inputs, weights), found, atol=1e-13)


def test_fisher_information_without_the_library():
    """Two qubits in matrices: RY RY, CX, RX RY; and outcomes that never come count for nothing."""
    eye, cx = np.eye(2), np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    x, y = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]])
    turn = lambda p, a: np.cos(a / 2) * eye - 1j * np.sin(a / 2) * p  # noqa: E731

    def probabilities(w):
        state = reduce(np.matmul, [np.kron(turn(x, w[2]), turn(y, w[3])), cx, np.kron(turn(y, w[0]), turn(y, w[1]))])
        return np.abs(state[:, 0])[None] ** 2

    circuit = ql.Circuit(2)
    a, b, c, d = circuit.weights(4)
    circuit.ry(a, 0).ry(b, 1).cx(0, 1).rx(c, 0).ry(d, 1)
    weights = np.array([0.4, 1.1, 2.0, -0.7])
    truth = fisher_by_differences(probabilities, weights)
    np.testing.assert_allclose(fisher_information(circuit, weights=weights), truth, atol=1e-7)
    ghz = ql.Circuit(2)
    ghz.ry(ghz.weights(1)[0], 0).cx(0, 1)
    np.testing.assert_allclose(fisher_information(ghz, weights=np.array([0.4])), [[1]], atol=1e-12)


def test_by_its_formula():
    """From determinants of Fisher matrices at the same draws."""
    circuit = ql.ansatze.strongly_entangling(3, 4)
    random = np.random.default_rng(3)
    draws = [random.uniform(-np.pi, np.pi, circuit.n_weights) for _ in range(5)]
    fisher = np.array([fisher_information(circuit, weights=weights) for weights in draws])
    normalized = circuit.n_weights * fisher / np.trace(fisher.mean(axis=0))
    roots = np.sqrt(np.linalg.det(np.eye(circuit.n_weights) + KAPPA * normalized))
    expected = 2 * np.log(roots.mean()) / np.log(KAPPA)
    assert effective_dimension(circuit, N_DATA, n_samples=5, seed=3) == pytest.approx(expected, rel=1e-9)


def test_determinants_beyond_floating_point():
    """(1 + kappa)^(n / 2) of some 10^390, at so much data that the result is n."""
    assert effective_dimension(ry_layer(10), 10**80, n_samples=2) == pytest.approx(10, rel=1e-9)


def test_nothing_to_learn():
    """A phase changes no probability."""
    circuit = ql.Circuit(2).h(0)
    circuit.rz(circuit.weights(1)[0], 0)
    assert effective_dimension(circuit) == 0


@pytest.mark.parametrize(("words", "message"), [
    ({"n_data": 10}, "n_data=10 at gamma=1 gives kappa 0.691, expected above 1; give more"),
    ({"n_data": 0.5}, "n_data=0.5, expected an integer of at least 2"),
    ({"gamma": 1.5}, "gamma=1.5, expected a number above 0 and at most 1"),
    ({"n_samples": 0}, "n_samples=0, expected an integer of at least 1"),
    ({"n_rows": 0}, "n_rows=0, expected an integer of at least 1"),
    ({"seed": "a"}, "seed='a', expected an integer of at least 0"),
])  # fmt: skip
def test_errors(words, message):
    with pytest.raises(ql.errors.CircuitError, match=message):
        effective_dimension(ry_layer(1), **words)


def test_errors_of_circuits():
    with pytest.raises(ql.errors.CircuitError, match="has no weights, expected some to train"):
        effective_dimension(ql.encoders.angle(2))
    with pytest.raises(ql.errors.CircuitError, match="circuit is a int, expected a Circuit"):
        effective_dimension(3)
    with pytest.raises(ql.errors.CircuitError, match=r"weights of shape \(3, 2\), expected at least one row"):
        fisher_information(ry_layer(2), weights=np.zeros((3, 2)))


def test_outcomes_of_all_qubits_both_ways():
    """By Jacobians of probabilities as by tangents of states; a layer's own outputs are its observables."""
    circuit = ql.encoders.angle(2) + ql.ansatze.strongly_entangling(2, 1)
    options = {"n_samples": 3, "n_rows": 5, "seed": 1}
    expected = effective_dimension(circuit, **options)
    assert effective_dimension(circuit, observables="probabilities", **options) == pytest.approx(expected, rel=1e-9)
    layer = ql.nn.QuantumLayer(circuit, "probabilities")
    assert effective_dimension(layer, **options) == pytest.approx(expected, rel=1e-9)


def test_information_of_outputs_by_hand():
    """RY(w) on two qubits, weights a and b: <Z> = cos; of one qubit measured the other's weight says nothing."""
    circuit, weights = ry_layer(2), np.array([0.4, 1.1])
    found = fisher_information(circuit, weights=weights, observables=[ql.Z(0), 2 * ql.Z(1)])
    np.testing.assert_allclose(found, np.diag([np.sin(0.4) ** 2, 4 * np.sin(1.1) ** 2]), atol=1e-12)
    # p = cos^2, sin^2 of half the angle: information 1.
    outcomes = ql.engines.Probabilities((0,))
    np.testing.assert_allclose(
        fisher_information(circuit, weights=weights, observables=outcomes), np.diag([1, 0]), atol=1e-12
    )
    assert fisher_information(ql.nn.QuantumLayer(circuit), weights=weights)[0, 0] == pytest.approx(np.sin(0.4) ** 2)
    with pytest.raises(ql.errors.CircuitError, match="a state is not measured"):
        fisher_information(circuit, weights=weights, observables="state")
