"""What rounding may do: norms, angles of any size and global phases over many thousands of gates."""

from __future__ import annotations

import time

import numpy as np
import pytest

import qloom as ql
from qloom.engines import ReferenceEngine
from qloom.engines.statevector import lower

PRECISIONS = [np.float32, np.float64]


def turned(n_qubits: int, n_turns: int) -> ql.Circuit:
    """Rotations about X and Z in turn, one weight each."""
    circuit = ql.Circuit(n_qubits)
    for k, w in enumerate(circuit.weights(n_turns)):
        circuit.append(("rx", "rz")[k % 2], (w,), (k // 2 % n_qubits,))
    return circuit


def total(probabilities: np.ndarray) -> np.ndarray:
    return probabilities.astype(np.float64).sum(axis=-1)


@pytest.mark.parametrize("angle", [np.pi / 2, 0.1, 1.0, 3.0, np.pi, 1e-3, -2.5])
def test_norm_is_kept_over_10_000_equal_rotations(angle):
    """It was .99880 for pi / 2: cosines rounded alike 10,000 times."""
    weights = np.full(10_000, angle, np.float32)
    assert total(ql.probabilities(turned(1, 10_000), None, weights)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("n_qubits", [1, 6])
@pytest.mark.parametrize("n_samples", [1, 9])
def test_norm_is_kept_at_any_angle_and_by_every_output(n_qubits, n_samples):
    circuit = turned(n_qubits, 10_000)
    weights = np.random.default_rng(0).uniform(-4, 4, (n_samples, 10_000)).astype(np.float32)
    assert total(ql.probabilities(circuit, None, weights)) == pytest.approx(1, abs=1e-6)
    assert total(ql.probabilities(circuit, None, weights, qubits=[0])) == pytest.approx(1, abs=1e-6)
    states = ql.state(circuit, None, weights).astype(complex)
    np.testing.assert_allclose(np.linalg.norm(states, axis=1), 1, atol=1e-6)
    if n_qubits == 1:
        means = ql.expectation(circuit, [ql.X(0), ql.Y(0), ql.Z(0)], None, weights)
        np.testing.assert_allclose(np.linalg.norm(means.astype(float), axis=1), 1, atol=1e-6)


def test_derivatives_keep_their_length_too():
    """The derivative by the last rotation of a qubit that is otherwise in a known state: -sin(a)."""
    circuit = turned(1, 4000)
    (last,) = circuit.weights(1)
    undone = circuit.copy()
    for op in reversed(circuit.operations):
        gate, angles = op.gate.inverted(op.angles)
        undone.append(gate, angles, op.qubits)
    undone.ry(last, 0)
    weights = np.append(np.full(4000, 0.3), 0.7).astype(np.float32)
    evaluator = ql.engines.StatevectorEngine().prepare(undone, ql.Z(0))
    batch = ql.engines.make_batch(undone, None, weights)
    values, kept = evaluator.forward(batch, keep=True)
    _, slopes = evaluator.backward(batch, np.ones((1, 1), np.float32), kept, (False, True))
    assert values[0, 0] == pytest.approx(np.cos(0.7), abs=2e-4)
    assert np.hypot(values[0, 0], slopes[-1]) == pytest.approx(1, abs=2e-6)


def test_norm_of_given_amplitudes_is_kept_as_it_was_given():
    circuit = ql.Circuit(3)
    circuit.prepare_amplitudes(circuit.inputs(8))
    circuit = circuit + turned(3, 10_000)
    x = np.random.default_rng(1).normal(size=(5, 8))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    weights = np.full(10_000, np.pi / 2, np.float32)
    given = (x.astype(float) ** 2).sum(axis=1)
    np.testing.assert_allclose(total(ql.probabilities(circuit, x, weights)), given, atol=1e-6)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_many_toffolis_lower_in_time_and_keep_the_norm(dtype):
    """10,000 took seconds before the first answer, quadratic in their number, and gave 1 - 4e-4 in float32."""
    rng, circuit = np.random.default_rng(0), ql.Circuit(10)
    for q in range(10):
        circuit.h(q)
    for _ in range(10_000):
        circuit.ccx(*rng.permutation(10)[:3].tolist())
    (w,) = circuit.weights(1)
    circuit.rz(w, 0)
    start = time.process_time()
    assert total(ql.probabilities(circuit, None, np.zeros(1, dtype))) == pytest.approx(1, abs=1e-6)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("size", [1e3, 1e6, 1.5e10, 1e20, 3e38])
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_angles_of_any_size_are_the_numbers_they_are(size, dtype):
    """numpy's cosine of a double is right at any size; scales are powers of 2, so that nothing else is rounded."""
    near = 2e-6 if dtype == np.float32 else 1e-14
    x = np.array([size], dtype)
    exact = float(x[0])
    circuit = ql.Circuit(1)
    circuit.rx(2 * circuit.inputs(1)[0], 0)
    assert ql.expectation(circuit, None, x)[0] == pytest.approx(np.cos(2 * exact), abs=near)
    shared = ql.Circuit(1).h(0)
    (w,) = shared.weights(1)
    turned_on = np.cos(exact) * np.cos(0.3) - np.sin(exact) * np.sin(0.3)
    shared.rz(w, 0).rz(-0.3, 0).rz(2 * w, 0).rz(-4 * w, 0)
    assert ql.expectation(shared, ql.X(0), None, x)[0] == pytest.approx(turned_on, abs=near)
    fixed = ql.Circuit(1).rx(exact, 0)
    assert ql.expectation(fixed)[0] == pytest.approx(np.cos(exact), abs=1e-14)
    assert len(lower(fixed, [ql.Z(0)]).rotations) == 1  # and no quarter turn, though all its neighbours are far away
    phased = ql.Circuit(1)
    (w,) = phased.weights(1)
    phased.global_phase(w)
    assert ql.state(phased, None, x)[0] == pytest.approx(np.exp(1j * exact), abs=near)


@pytest.mark.parametrize("names", [["x"], ["t"], ["h"], ["y", "z", "s", "t", "h", "cx", "swap", "p"]])
def test_global_phase_of_20_000_gates(names):
    rng, circuit = np.random.default_rng(0), ql.Circuit(2).h(0).h(1)
    for name in rng.choice(names, 20_000).tolist():
        gate = ql.circuits.GATES[name]
        circuit.append(gate, rng.uniform(-3, 3, gate.n_angles), rng.permutation(2)[: gate.n_qubits])
    np.testing.assert_allclose(ql.state(circuit), ql.state(circuit, engine=ReferenceEngine()), rtol=0, atol=1e-12)


def test_global_phase_of_20_000_weighted_gates():
    circuit = ql.Circuit(1).h(0)
    w = circuit.weights(2)
    for k in range(20_000):
        circuit.p(w[k % 2], 0)
    weights = np.array([0.7, 1.9])
    truth = np.array([1, np.exp(1e4j * 2.6)]) / 2**0.5
    np.testing.assert_allclose(ql.state(circuit, None, weights), truth, rtol=0, atol=4e-12)  # 1.8e-12 are 2.6's own
