"""Registers wider than a state: what the light cone holds is run, whatever the width; the rest is refused in words."""

from __future__ import annotations

import time

import numpy as np
import pytest

import qloom as ql
from qloom.engines import FinalState, Probabilities, ReferenceEngine, StatevectorEngine
from qloom.engines.statevector import lower
from qloom.engines.statevector.register import Register
from qloom.errors import CircuitError, MemoryLimitError


def brick(n: int, depth: int, first: int = 0) -> ql.Circuit:
    """Layers of rotations and neighbouring entanglers on a register of n qubits, numbered from `first` on."""
    circuit = ql.Circuit(n + first)
    w = circuit.weights(depth, n, 2)
    for layer in range(depth):
        for q in range(n):
            circuit.ry(w[layer, q, 0], q + first).rz(w[layer, q, 1], q + first)
        for q in range(layer % 2, n - 1, 2):
            circuit.append(("cx", "cz", "iswap")[q % 3], (), (q + first, q + first + 1))
    return circuit


@pytest.mark.parametrize("width", [33, 40, 64, 65, 300])
def test_what_is_measured_is_that_of_the_cone_alone(width):
    """A brick of 2 layers: a word on two neighbours in the middle depends on 6 qubits, which stand alone elsewhere."""
    depth, cone = 2, 8
    at = width // 2 // 6 * 6  # gates repeat every sixth qubit
    wide, small = brick(width, depth), brick(cone, depth)
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(depth, width, 2))
    own = weights[:, at : at + cone]
    words = lambda q: [ql.Z(q) @ ql.Z(q + 1), ql.X(q), 0.5 * ql.Y(q) @ ql.X(q + 1) + ql.Z(q), ql.I() * 2]  # noqa: E731
    expected = ql.expectation(small, words(3), None, own, engine=ReferenceEngine())
    np.testing.assert_allclose(ql.expectation(wide, words(at + 3), None, weights), expected, atol=1e-12)
    found = ql.probabilities(wide, None, weights, qubits=[at + 4, at + 3])
    np.testing.assert_allclose(found, ql.probabilities(small, None, own, qubits=[4, 3]), atol=1e-12)
    slopes = ql.gradients.gradient(wide, words(at + 3)[2], None, weights)[1].reshape(depth, width, 2)
    truth = ql.gradients.gradient(small, words(3)[2], None, own)[1].reshape(depth, cone, 2)
    np.testing.assert_allclose(slopes[:, at : at + cone], truth, atol=1e-12)
    assert np.count_nonzero(slopes) == np.count_nonzero(truth)
    samples = ql.sample(wide, 4000, None, weights, qubits=[at + 4, at + 3], seed=0)
    shares = np.bincount(samples @ [2, 1], minlength=4) / 4000
    assert np.abs(shares - found).max() < 5 * 0.5 / 4000**0.5  # five standard deviations: false alarm 1e-5


def test_entangled_registers_of_small_rank():
    """40 qubits of a GHZ state turned by one angle: two basis states, though every qubit takes part."""
    circuit = ql.Circuit(40)
    (x,) = circuit.inputs(1)
    circuit.ry(x, 0)
    for q in range(39):
        circuit.cx(q, q + 1)
    angle = np.array([0.7])
    everywhere = ql.pauli("X" * 40, range(40))
    means = ql.expectation(circuit, [ql.Z(0) @ ql.Z(39), ql.Z(20), everywhere], angle)
    np.testing.assert_allclose(means, [1, np.cos(0.7), np.sin(0.7)], atol=1e-14)
    np.testing.assert_allclose(
        ql.probabilities(circuit, angle, qubits=[5, 31]), [np.cos(0.35) ** 2, 0, 0, np.sin(0.35) ** 2], atol=1e-14
    )
    counted = ql.counts(circuit, 100, angle, qubits=range(0, 40, 3), seed=0)
    assert set(counted) == {"0" * 14, "1" * 14}


def test_layers_run_in_the_cone():
    torch = pytest.importorskip("torch")
    circuit = brick(40, 1)
    layer = ql.nn.QuantumLayer(circuit, observables=[ql.Z(7) @ ql.Z(8)], seed=0)
    value = layer(torch.zeros(3, 0)).sum()
    value.backward()
    gradient = layer.weights.grad.reshape(40, 2)
    assert set(torch.nonzero(gradient[:, 0]).ravel().tolist()) <= {6, 7, 8, 9}
    assert gradient.abs().max() > 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_words_in_coordinates_multiply_as_before(seed):
    """Signs of products are kept: a word is a matrix on the span, up to the sign that is given."""
    rng = np.random.default_rng(seed)
    basis = [int(x) for x in rng.integers(1, 2**5, 3)]
    register = Register(basis)
    places = [0]
    for vector in register.basis:
        places += [place ^ vector for place in places]
    for _ in range(20):
        x = places[rng.integers(len(places))]
        z = int(rng.integers(2**5))
        new_x, new_z, sign = register.word(x, z)
        assert register.contains(x)
        for column, place in enumerate(places):
            assert places[column ^ new_x] == place ^ x
            own = 1j ** (x & z).bit_count() * (-1) ** (place & z).bit_count()
            new = sign * 1j ** (new_x & new_z).bit_count() * (-1) ** (column & new_z).bit_count()
            assert own == pytest.approx(new)


def test_31_qubits_answer_in_our_words(monkeypatch):
    """Every kind of output, forward and backward, before numpy is asked for anything."""
    circuit = ql.Circuit(31)
    w = circuit.weights(31)
    for q in range(31):
        circuit.ry(w[q], q)
    for q in range(30):
        circuit.crx(w[q], q, q + 1)
    weights = np.ones(31, np.float32)
    monkeypatch.setattr("qloom.engines.batch.available_memory", lambda: 1_000_000_000)
    calls = [
        lambda: ql.state(circuit, None, weights),
        lambda: ql.expectation(circuit, None, None, weights),
        lambda: ql.expectation(circuit, ql.Z(30), None, weights, shots=3),
        lambda: ql.probabilities(circuit, None, weights),
        lambda: ql.probabilities(circuit, None, weights, qubits=[30]),
        lambda: ql.sample(circuit, 3, None, weights),
        lambda: ql.counts(circuit, 3, None, weights, qubits=[30]),
        lambda: ql.gradients.gradient(circuit, ql.Z(30), None, weights),
        lambda: ql.state(circuit, None, weights, engine=ReferenceEngine()),
        lambda: ql.expectation(circuit, None, None, weights, engine=ReferenceEngine()),
    ]
    start = time.process_time()
    for call in calls:
        with pytest.raises(MemoryLimitError, match=r"31 qubits.* needs [\d,]+ bytes, 1,000,000,000 are free"):
            call()
    assert time.process_time() - start < 5
    assert ql.expectation(circuit, ql.Z(0), None, np.full(31, np.pi / 3)) == pytest.approx([0.5])


def test_bytes_of_walks_are_told_beforehand():
    """One state of 2^22 complex numbers in float64 forward, two backward; four where four threads have their own."""
    circuit = ql.Circuit(22)
    w = circuit.weights(22)
    for q in range(22):
        circuit.ry(w[q], q)
    circuit.crx(0.3, 0, 21)
    words = ql.pauli("Z" * 22, range(22))
    evaluator = StatevectorEngine(threads=4).prepare(circuit, words)
    state = 16 * 2**22
    assert evaluator.bytes_needed(1, 8, 1, 1) == pytest.approx(state, rel=1e-6)
    assert evaluator.bytes_needed(1, 8, 2, 2) == pytest.approx(2 * state, rel=1e-6)
    assert evaluator.bytes_needed(100, 4, 2, 2) == pytest.approx(4 * state, rel=1e-3)
    local = StatevectorEngine().prepare(circuit, ql.Z(3))
    assert local.bytes_needed(1, 8, 2, 2) < 1000


@pytest.mark.parametrize("outputs", [FinalState(40), Probabilities(tuple(range(40)))])
def test_too_wide_a_result_is_refused(outputs):
    circuit = brick(40, 2)
    with pytest.raises((MemoryLimitError, CircuitError), match="40 qubits"):
        StatevectorEngine().prepare(circuit, outputs)


def test_too_wide_a_cone_is_refused():
    circuit = brick(40, 2)
    with pytest.raises((MemoryLimitError, CircuitError), match="what is measured of 40 qubits"):
        ql.expectation(circuit, None, None, np.zeros(circuit.n_weights))
    assert len(lower(circuit, [ql.Z(0)]).rotations) < 20
