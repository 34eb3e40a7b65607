"""The metric of states: closed forms, differences of the reference engine's states, an independent library's rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qloom as ql
from qloom.engines import ReferenceEngine, make_batch
from qloom.gradients.metric import Tangents
from tests.circuits.strategies import circuits, random_values


def metric_by_differences(circuit: ql.Circuit, inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Of one sample, from central differences of dense states."""
    engine, step = ReferenceEngine(), 1e-5

    def state(w: np.ndarray) -> np.ndarray:
        return engine.state(circuit, make_batch(circuit, inputs, w))[0]

    psi = state(weights)
    moved = [(state(weights + step * e) - state(weights - step * e)) / (2 * step) for e in np.eye(len(weights))]
    overlaps = np.array([[np.vdot(a, b) - np.vdot(a, psi) * np.vdot(psi, b) for b in moved] for a in moved])
    return overlaps.real


def test_two_rotations_of_a_qubit():
    circuit = ql.Circuit(1)
    first, second = circuit.weights(2)
    circuit.rx(first, 0).ry(second, 0)
    found = ql.metric_tensor(circuit, weights=np.array([0.3, 0.7]))
    np.testing.assert_allclose(found, np.diag([0.25, np.cos(0.3) ** 2 / 4]), atol=1e-15)


@settings(max_examples=60)
@given(circuits(max_qubits=4, max_gates=8, amplitudes=True), st.integers(0, 2**32 - 1))
def test_equals_differences(circuit, seed):
    inputs, weights = random_values(circuit, 2, seed)
    if not circuit.n_weights:
        return
    found = ql.metric_tensor(circuit, inputs, weights)
    truth = np.mean([metric_by_differences(circuit, row, weights) for row in inputs], axis=0)
    np.testing.assert_allclose(found, truth, atol=1e-8)
    single = ql.metric_tensor(circuit, inputs.astype("f4"), weights.astype("f4"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, truth, atol=2e-5 * max(1.0, np.abs(truth).max()))


def test_scaled_and_repeated_weights():
    """A weight t in RX(2 t) twice and RZ(t / 2): scales count, and so do all places."""
    circuit = ql.Circuit(2)
    (t,) = circuit.weights(1)
    circuit.rx(2 * t, 0).rx(2 * t, 1).rz(0.5 * t, 0)
    found = ql.metric_tensor(circuit, weights=np.array([0.4]))
    np.testing.assert_allclose(found, metric_by_differences(circuit, np.zeros(0), np.array([0.4])), atol=1e-9)
    plain = ql.Circuit(1)
    plain.rx(plain.weights(1)[0], 0)
    twice = ql.Circuit(1)
    twice.rx(2 * twice.weights(1)[0], 0)
    metrics = [ql.metric_tensor(c, weights=np.array([a]))[0, 0] for c, a in ((plain, 0.6), (twice, 0.3))]
    np.testing.assert_allclose(metrics, [0.25, 1.0], atol=1e-15)


def test_samples_are_cut_into_pieces(monkeypatch):
    circuit = ql.encoders.angle(3) + ql.ansatze.strongly_entangling(3, 1)
    inputs, weights = random_values(circuit, 7, 0)
    whole = ql.metric_tensor(circuit, inputs, weights)
    monkeypatch.setattr("qloom.gradients.metric.MOST_BYTES", 3 * 10 * 16 * 8)
    np.testing.assert_allclose(ql.metric_tensor(circuit, inputs, weights), whole, atol=1e-14)


@pytest.mark.slow
def test_pennylane_agrees():
    qml = pytest.importorskip("pennylane", reason="PennyLane is not installed")
    weights = np.random.default_rng(0).uniform(0, 6, (2, 3, 3))

    @qml.qnode(qml.device("default.qubit", wires=3))
    def node(w):
        qml.StronglyEntanglingLayers(w, wires=range(3))
        return qml.expval(qml.Z(0))

    expected = qml.adjoint_metric_tensor(node)(qml.numpy.array(weights, requires_grad=True)).reshape(18, 18)
    circuit = ql.ansatze.strongly_entangling(3, 2)
    np.testing.assert_allclose(ql.metric_tensor(circuit, weights=weights.ravel()), expected, atol=1e-10)


def test_layers_of_weights():
    circuit = ql.ansatze.hardware_efficient(3, 2, ("ry", "rz"), "linear")
    tangents = Tangents(circuit, ql.engines.StatevectorEngine())
    layers = tangents.layers_of_weights()
    assert layers.tolist() == [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3]


def test_errors():
    with pytest.raises(ql.errors.CircuitError, match=r"weights has shape \(0,\) and the circuit 0 of them"):
        ql.metric_tensor(ql.Circuit(2).h(0))
    circuit = ql.ansatze.basic_entangler(2, 1)
    with pytest.raises(ql.errors.CircuitError, match=r"weights has shape \(3, 2\)"):
        ql.metric_tensor(circuit, weights=np.zeros((3, 2)))
