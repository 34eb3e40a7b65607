"""The density-matrix engine against the reference engine, and what it promises beside values."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.engines import DensityEngine, Engine, Expectations, Probabilities, ReferenceEngine, make_batch
from qloom.engines.choice import choose_engine
from qloom.engines.outputs import DensityMatrix
from qloom.errors import CircuitError, MemoryLimitError, ShapeError, UnsupportedError
from qloom.gradients import prepare_gradient
from qloom.testing import EngineContract
from tests.engines.density.circuits import N_INPUTS, N_WEIGHTS, random_circuit

REFERENCE = ReferenceEngine()


class TestContract(EngineContract):
    def make_engine(self) -> Engine:
        return DensityEngine(2)


def outputs_of(n_qubits: int):
    last = n_qubits - 1
    words = (ql.Z(0), 0.5 * ql.X(0) - 0.25 * ql.Y(last) + 0.75, ql.Y(0) @ ql.X(last) if last else ql.X(0))
    return [
        Expectations((*words, ql.observables.pauli("XYZZY"[:n_qubits], range(n_qubits)))),
        Probabilities(tuple(range(n_qubits))), Probabilities((last,)), DensityMatrix(n_qubits),
    ]  # fmt: skip


def arrays_of(random, size, own, dtype="f8"):
    weights = random.uniform(-1, 1, (size, N_WEIGHTS) if own else N_WEIGHTS)
    return random.uniform(-1, 1, (size, N_INPUTS)).astype(dtype), weights.astype(dtype)


def central(circuit, outputs, batch, cotangents):
    truth = prepare_gradient(circuit, outputs, REFERENCE, "finite-difference")
    return truth.backward(batch, cotangents, None, (True, True))


@pytest.mark.parametrize("seed", range(10))
def test_random_noisy_circuits(seed):
    random = np.random.default_rng(seed)
    n, own = 1 + seed % 5, bool(seed // 5)
    circuit = random_circuit(n, 14, random, n_channels=1)
    x, w = arrays_of(random, 3, own)
    batch = make_batch(circuit, x, w)
    for outputs in outputs_of(n):
        truth = REFERENCE.prepare(circuit, outputs).values(batch)
        evaluator = DensityEngine(1).prepare(circuit, outputs)
        np.testing.assert_allclose(evaluator.values(batch), truth, rtol=0, atol=1e-11, err_msg=outputs.kind)
        single = evaluator.values(make_batch(circuit, x.astype("f4"), w.astype("f4")))
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, truth, rtol=0, atol=2e-5, err_msg=outputs.kind)


@pytest.mark.parametrize("seed", range(6))
def test_slopes_by_inputs_weights_and_rates(seed):
    random = np.random.default_rng(100 + seed)
    n, own = 1 + seed % 4, bool(seed % 2)
    circuit = random_circuit(n, 10, random, n_channels=1)
    batch = make_batch(circuit, *arrays_of(random, 2, own))
    for outputs in (outputs_of(n)[0], outputs_of(n)[-1 if n < 3 else 1]):
        cotangents = random.normal(size=(2, outputs.size))
        evaluator = DensityEngine(1).prepare(circuit, outputs)
        expected = central(circuit, outputs, batch, cotangents)
        for kept in (None, evaluator.forward(batch, keep=True)[1]):
            found = evaluator.backward(batch, cotangents, kept, (True, True))
            for mine, truth in zip(found, expected, strict=True):
                np.testing.assert_allclose(mine, truth, rtol=1e-6, atol=1e-7)


def test_both_layouts_and_any_threads_agree():
    """Samples in the lanes, other digits in the lanes, threads that share a state: bit for bit for any threads."""
    for n, size in ((5, 1), (6, 1), (6, 2), (6, 40), (7, 1), (7, 3), (8, 9)):
        random = np.random.default_rng(n)
        circuit = random_circuit(n, 30, random, n_channels=1)
        x, w = arrays_of(random, 40, own=False)
        outputs = Expectations((ql.Z(0) @ ql.X(n - 1), ql.Y(1), ql.Z(n - 1)))
        cotangents = random.normal(size=(size, 3))
        found = []
        for threads in (1, 2, 3):
            evaluator = DensityEngine(threads).prepare(circuit, outputs)
            batch = make_batch(circuit, x[:size], w)
            found.append((evaluator.values(batch), *evaluator.backward(batch, cotangents, None, (True, True))))
        for other in found[1:]:
            for mine, theirs in zip(found[0], other, strict=True):
                np.testing.assert_array_equal(mine, theirs)
        whole = evaluator.values(make_batch(circuit, x, w))[:size]  # as many samples as lanes
        np.testing.assert_allclose(found[0][0], whole, rtol=0, atol=1e-13)
        alone = [
            evaluator.backward(make_batch(circuit, x[b : b + 1], w), cotangents[b : b + 1], None, (True, True))
            for b in range(size)
        ]
        np.testing.assert_allclose(found[0][1], np.concatenate([a for a, _ in alone]), rtol=0, atol=1e-12)
        np.testing.assert_allclose(found[0][2], sum(b for _, b in alone), rtol=0, atol=1e-12)


def test_pure_states_of_many_qubits_are_the_state_vector_engines():
    circuit = ql.encoders.angle(9) + ql.ansatze.strongly_entangling(9, 2)
    random = np.random.default_rng(0)
    x, w = random.normal(size=(2, 9)), random.normal(size=circuit.n_weights)
    words = [ql.Z(0), ql.X(3) @ ql.Y(8), ql.observables.pauli("XYZXYZXYZ", range(9))]
    np.testing.assert_allclose(ql.expectation(circuit, words, x, w, engine=DensityEngine()),
                               ql.expectation(circuit, words, x, w), rtol=0, atol=1e-12)  # fmt: skip
    for mine, theirs in zip(ql.gradients.gradient(circuit, words, x, w, engine=DensityEngine()),
                            ql.gradients.gradient(circuit, words, x, w), strict=True):  # fmt: skip
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-11)


@pytest.mark.slow
def test_states_that_are_found_again():
    """11 qubits in float64: states before all sweeps are more than are kept."""
    circuit = ql.encoders.angle(11) + ql.ansatze.strongly_entangling(11, 2)
    random = np.random.default_rng(0)
    x, w = random.normal(size=(1, 11)), random.normal(size=circuit.n_weights)
    for mine, theirs in zip(ql.gradients.gradient(circuit, None, x, w, engine=DensityEngine()),
                            ql.gradients.gradient(circuit, None, x, w), strict=True):  # fmt: skip
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n", "size"), [(3, 5), (3, 0), (7, 2), (8, 9)])
def test_states_kept_from_the_way_there_change_nothing(n, size):
    """Bit for bit, for samples in lanes and for threads that share a sample; walked back twice, as a graph may be."""
    random = np.random.default_rng(n)
    circuit = random_circuit(n, 14, random, n_channels=1)
    batch = make_batch(circuit, *arrays_of(random, size, own=False))
    evaluator = DensityEngine(2).prepare(circuit, [ql.Z(0), ql.X(n - 1)])
    values, kept = evaluator.forward(batch, keep=True)
    np.testing.assert_array_equal(values, evaluator.forward(batch, keep=False)[0])
    cotangents = random.normal(size=(size, 2))
    found = evaluator.backward(batch, cotangents, None, (True, True))
    for _ in range(2):
        for mine, again in zip(evaluator.backward(batch, cotangents, kept, (True, True)), found, strict=True):
            np.testing.assert_array_equal(mine, again)


def test_words_of_many_letters_turn():
    circuit = Circuit(7)
    w = circuit.weights(1)
    for q in range(7):
        circuit.ry(0.3 * q + 0.2, q).rx(0.1 * q, q)
    circuit.pauli_rotation(w[0], "XYZIZYX", range(7)).pauli_rotation(0.7 - w[0], "ZZYXIX", (6, 4, 2, 0, 1, 3))
    words = [ql.Z(0), ql.Y(6) @ ql.X(2), ql.X(1) @ ql.X(3)]
    np.testing.assert_allclose(ql.expectation(circuit, words, weights=[0.9], engine=DensityEngine()),
                               ql.expectation(circuit, words, weights=[0.9]), rtol=0, atol=1e-13)  # fmt: skip


def test_depolarizing_of_six_qubits_together():
    circuit = Circuit(6)
    w = circuit.weights(1)
    for q in range(6):
        circuit.ry(0.3 * q + 0.2, q)
    circuit.cx(0, 5).cx(2, 3)
    pure = ql.expectation(circuit, [ql.Z(0) @ ql.Z(3), ql.X(5)], weights=[0.0])
    noisy = circuit.copy().depolarizing(w[0], *range(6))
    factor = 1 - 0.3 * 4096 / 4095
    found = ql.expectation(noisy, [ql.Z(0) @ ql.Z(3), ql.X(5)], weights=[0.3], engine=DensityEngine())
    np.testing.assert_allclose(found, factor * pure, rtol=0, atol=1e-14)
    _, slopes = ql.gradients.gradient(noisy, [ql.X(5)], weights=[0.3], engine=DensityEngine())
    np.testing.assert_allclose(slopes, [-4096 / 4095 * pure[1]], rtol=0, atol=1e-14)


def test_initial_amplitudes():
    random = np.random.default_rng(3)
    state = random.normal(size=8) + 1j * random.normal(size=8)
    state /= np.linalg.norm(state)
    fixed = Circuit(3).prepare_amplitudes(state).ry(0.4, 1).amplitude_damping(0.2, 0).cx(0, 2)
    given = Circuit(3)
    given.prepare_amplitudes(*given.inputs(2, 8)).ry(0.4, 1).amplitude_damping(0.2, 0).cx(0, 2)
    columns = np.stack([np.concatenate([state.real, state.imag])] * 2)
    columns[1] = np.eye(16)[5]
    for outputs in (Expectations((ql.Z(0), ql.Y(2))), Probabilities((1,)), DensityMatrix(3)):
        for circuit, batch in ((fixed, make_batch(fixed)), (given, make_batch(given, columns))):
            mine, truth = (e.prepare(circuit, outputs).values(batch) for e in (DensityEngine(), REFERENCE))
            np.testing.assert_allclose(mine, truth, rtol=0, atol=1e-14)
    cotangents = random.normal(size=(2, 2))
    outputs, batch = Expectations((ql.Z(0), ql.Y(2))), make_batch(given, columns)
    found, _ = DensityEngine().prepare(given, outputs).backward(batch, cotangents, None, (True, False))
    evaluator = REFERENCE.prepare(given, outputs)
    for at in ((0, 3), (0, 12), (1, 5), (1, 9)):  # the reference takes states of any norm
        ends = []
        for step in (1e-6, -1e-6):
            moved = columns.copy()
            moved[at] += step
            ends.append((cotangents * evaluator.values(type(batch)(moved, batch.weights, False))).sum())
        assert found[at] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_frozen_weights_have_no_slopes():
    circuit = random_circuit(3, 12, np.random.default_rng(1))
    outputs = Expectations((ql.Z(0), ql.X(2)))
    batch = make_batch(circuit, *arrays_of(np.random.default_rng(2), 3, own=False))
    evaluator = DensityEngine().prepare(circuit, outputs)
    cotangents = np.ones((3, 2))
    _, whole = evaluator.backward(batch, cotangents, None, (False, True))
    evaluator.trained = np.array([True, False, False, True])
    d_inputs, some = evaluator.backward(batch, cotangents, None, (False, True))
    assert d_inputs is None
    np.testing.assert_allclose(some, whole * evaluator.trained, rtol=0, atol=1e-14)


def test_only_what_is_looked_at_counts():
    """A chain of 30 qubits, of which the outputs depend on three."""
    circuit = Circuit(30)
    for q in range(30):
        circuit.ry(0.1 * q, q).depolarizing(0.05, q)
    for q in range(29):
        circuit.cx(q, q + 1)
    for q in range(30):
        circuit.amplitude_damping(0.1, q)
    found = ql.expectation(circuit, [ql.Z(1)], engine=DensityEngine())
    part = Circuit(3)
    for q in range(3):
        part.ry(0.1 * q, q).depolarizing(0.05, q)
    part.cx(0, 1).cx(1, 2)
    for q in range(3):
        part.amplitude_damping(0.1, q)
    np.testing.assert_allclose(found, ql.expectation(part, [ql.Z(1)], engine=REFERENCE), rtol=0, atol=1e-14)


def test_what_is_refused():
    wide = Circuit(14)
    for q in range(13):
        wide.cx(q, q + 1)
    with pytest.raises(MemoryLimitError, match=r"14 qubits.* 2,147,483,648 bytes.*use TrajectoryEngine"):
        DensityEngine().prepare(wide, "probabilities")
    rated = Circuit(2)
    x, w = rated.inputs(1), rated.weights(1)
    rated.depolarizing(x[0], 1).thermal_relaxation(1.0, w[0], 0.1, 0.0, 0)
    evaluator = DensityEngine().prepare(rated, [ql.Z(0), ql.Z(1)])
    with pytest.raises(ShapeError, match=r"depolarizing on qubit 1: p is 1\.2, expected 0 to 1"):
        evaluator.values(make_batch(rated, [[0.1], [1.2]], [1.0]))
    with pytest.raises(ShapeError, match=r"thermal_relaxation on qubit 0: T2 is 2\.5 and T1 1, expected T2 of at most"):
        evaluator.values(make_batch(rated, [[0.1], [0.2]], [2.5]))
    # Also of what nothing that is asked for depends on.
    with pytest.raises(ShapeError, match=r"depolarizing on qubit 1: p is 1\.2, expected 0 to 1"):
        DensityEngine().prepare(rated, [ql.Z(0)]).values(make_batch(rated, [[0.1], [1.2]], [1.0]))
    with pytest.raises(UnsupportedError, match="DensityEngine gives no state"):
        DensityEngine().prepare(rated, "state")
    with pytest.raises(CircuitError, match="threads=0, expected an integer from 1"):
        DensityEngine(0)
    assert repr(choose_engine({"name": "density"}).engine(threads=3)) == "DensityEngine(threads=3)"
