"""Many circuits in one call: against the dense reference one by one, shared slots, threads, and what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import GATES, Circuit
from qloom.engines import ReferenceEngine, StatevectorEngine, make_batch
from qloom.engines.circuit_batch import CircuitBatch
from qloom.errors import CircuitError, ShapeError, UnsupportedError
from qloom.gradients import gradient, prepare_gradient
from qloom.observables import X, Y, Z

OBSERVABLES = [Z(0), X(0) @ Y(1) - 0.5 * Z(1) + 0.25]


def random_circuit(rng: np.random.Generator, n_qubits: int, n_gates: int = 14) -> Circuit:
    """Any gates of the table; angles are numbers, among them Clifford ones, or slots of blocks that circuits share."""
    circuit = Circuit(n_qubits)
    slots = list(circuit.inputs(3, name="x")) if rng.random() < 0.7 else []
    slots += list(circuit.weights(2, 2, name="w").ravel())
    if rng.random() < 0.5:
        slots += list(circuit.weights(n_qubits, name=f"w{n_qubits}"))
    gates = [gate for gate in GATES.values() if gate.is_unitary and 0 < gate.n_qubits <= n_qubits]

    def angle():
        kind = rng.integers(4)
        if kind < 2:
            return [float(rng.normal()), float(rng.integers(4)) * np.pi / 2][kind]
        slot = slots[rng.integers(len(slots))]
        return slot if kind == 2 else 0.5 * slot - 0.3

    for _ in range(n_gates):
        gate = gates[rng.integers(len(gates))]
        qubits = [int(q) for q in rng.choice(n_qubits, gate.n_qubits, replace=False)]
        circuit.append(gate, [angle() for _ in range(gate.n_angles)], qubits)
    return circuit


def encoding(features, n_qubits: int = 3) -> Circuit:
    """Numbers alone differ from one to another."""
    circuit = Circuit(n_qubits)
    w = circuit.weights(n_qubits, name="w_rest")
    for q in range(n_qubits):
        circuit.ry(features[q], q).h(q).rz(0.3, q).rz(features[q], q).crx(features[q], q, (q + 1) % n_qubits)
        circuit.rx(2 * w[q], q).cx(q, (q + 1) % n_qubits)
    return circuit


def arrays_of(batch: CircuitBatch, own: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (len(batch), batch.n_weights) if own else (batch.n_weights,)
    return rng.normal(size=(len(batch), batch.n_inputs)), rng.normal(size=shape)


def by_name(circuit: Circuit, batch: CircuitBatch, inputs: np.ndarray, weights: np.ndarray) -> tuple[dict, dict]:
    """What one circuit takes of a batch's inputs (I,) and weights (W,)."""
    x, w = batch.input_slots.named(inputs), batch.weight_slots.named(weights)
    return {block.name: x[block.name] for block in circuit.input_slots}, {
        block.name: w[block.name] for block in circuit.weight_slots
    }


def one_by_one(batch: CircuitBatch, observables: list, inputs, weights, cotangents, engine) -> tuple:
    """Values (C, O), d_inputs (C, I) and d_weights as weights, from a loop over the circuits."""
    values, d_inputs, d_weights = [], np.zeros_like(inputs), np.zeros_like(weights)
    for row in range(len(batch)):
        circuit = batch[row]
        mine = weights[row] if weights.ndim == 2 else weights
        x, w = by_name(circuit, batch, inputs[row], mine)
        values.append(ql.expectation(circuit, observables[row], x, w, engine=engine))
        d_x, d_w = gradient(circuit, observables[row], x, w, cotangents[row], engine=engine)
        for slots, slopes, out in (
            (batch.input_slots, d_x, d_inputs[row]),
            (batch.weight_slots, d_w, d_weights[row] if weights.ndim == 2 else d_weights),
        ):
            for name, part in slopes.items():
                out[slots[name].places] += part.ravel()
    return np.array(values), d_inputs, d_weights


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_equals_reference_circuit_by_circuit(seed, own):
    rng = np.random.default_rng(seed)
    circuits = [random_circuit(rng, int(rng.integers(2, 5))) for _ in range(12)]
    circuits += [encoding(rng.normal(size=3)) for _ in range(6)]
    batch = CircuitBatch([circuits[k] for k in rng.permutation(len(circuits))])
    inputs, weights = arrays_of(batch, own, seed)
    cotangents = rng.normal(size=(len(batch), 2))
    found = batch.derivatives(OBSERVABLES, cotangents, inputs, weights)
    expected = one_by_one(batch, [OBSERVABLES] * len(batch), inputs, weights, cotangents, ReferenceEngine())
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_array_equal(batch.expectation(OBSERVABLES, inputs, weights), found[0])


def test_a_circuit_of_its_own_program_gives_the_bits_that_it_gives_alone():
    """Lowered together and one by one they are the same program."""
    rng = np.random.default_rng(5)
    batch = CircuitBatch([random_circuit(rng, n, 30) for n in (2, 3, 4, 5, 6, 7)])
    inputs, weights = arrays_of(batch, False)
    values, d_inputs, _ = batch.derivatives(OBSERVABLES, None, inputs, weights)
    for row in range(len(batch)):
        circuit = batch[row]
        evaluator = prepare_gradient(circuit, OBSERVABLES, StatevectorEngine(1))
        one = make_batch(circuit, *by_name(circuit, batch, inputs[row], weights))
        np.testing.assert_array_equal(evaluator.values(one)[0], values[row])
        d_x, _ = evaluator.backward(one, np.ones((1, 2)), None, (True, True))
        np.testing.assert_array_equal(d_x[0], d_inputs[row][: d_x.shape[1]])


@pytest.mark.parametrize("count", [1, 2, 9, 70])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_circuits_equal_but_for_numbers_are_one_program(count, dtype):
    rng = np.random.default_rng(count)
    features = rng.normal(size=(count, 3))
    features[0] = 0, np.pi / 2, np.pi
    batch = CircuitBatch([encoding(row) for row in features])
    prepared = batch.prepare(OBSERVABLES)
    assert prepared.n_programs == 1
    inputs, weights = arrays_of(batch, False)
    cotangents = rng.normal(size=(count, 2))
    expected = one_by_one(batch, [OBSERVABLES] * count, inputs, weights, cotangents, StatevectorEngine())
    found = prepared.derivatives(cotangents.astype(dtype), None, weights.astype(dtype))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, theirs, atol=1e-12 if dtype == "f8" else 2e-4)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_threads_change_no_bit(dtype, own):
    rng = np.random.default_rng(1)
    circuits = [random_circuit(rng, int(rng.integers(2, 8)), 20) for _ in range(40)]
    circuits += [encoding(rng.normal(size=3)) for _ in range(70)]
    found = []
    for threads in (1, 2, 3):
        batch = CircuitBatch(circuits, threads=threads)
        inputs, weights = (array.astype(dtype) for array in arrays_of(batch, own))
        found.append(batch.derivatives(OBSERVABLES, None, inputs, weights))
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_slots_are_shared_by_name():
    one, two = Circuit(2), Circuit(3)
    a, b = one.weights(2, name="a"), one.weights(1, name="b")
    one.rx(a[0], 0).ry(a[1], 1).rz(b[0], 0).cx(0, 1)
    b, a, x = two.weights(1, name="b"), two.weights(2, name="a"), two.inputs(2, name="x")
    two.ry(b[0], 0).rx(a[1] + 1, 2).ry(x[1], 1)
    batch = CircuitBatch([one, two, one])
    assert (len(batch), batch.n_inputs, batch.n_weights) == (3, 2, 3)
    assert batch.names == {"inputs": ("x",), "weights": ("a", "b")}
    values, d_x, d_w = batch.derivatives([Z(0), Z(1)], None, {"x": [0.1, 0.2]}, {"a": [0.3, 0.4], "b": [0.5]})
    np.testing.assert_allclose(values[1], [np.cos(0.5), np.cos(0.2)], atol=1e-14)
    np.testing.assert_allclose(d_x, [[0, 0], [0, -np.sin(0.2)], [0, 0]], atol=1e-14)
    # Each of the two first: Z0 = cos a0, Z1 = cos a0 cos a1 behind the CX; the second only has b.
    slopes = [-2 * np.sin(0.3) * (1 + np.cos(0.4)), -2 * np.cos(0.3) * np.sin(0.4), -np.sin(0.5)]
    np.testing.assert_allclose(d_w, slopes, atol=1e-14)


def test_observables_of_each_circuit():
    rng = np.random.default_rng(2)
    batch = CircuitBatch([random_circuit(rng, n) for n in (2, 3, 4)])
    observables = [[Z(0), X(1)], [Z(2) @ Y(0), 0.5 * Z(1)], [X(3), Z(0) @ Z(3) + 2]]
    inputs, weights = arrays_of(batch, False)
    expected = one_by_one(batch, observables, inputs, weights, np.ones((3, 2)), ReferenceEngine())
    for ours, theirs in zip(batch.derivatives(observables, None, inputs, weights), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    # What was asked for last is kept, and not given to others.
    np.testing.assert_allclose(batch.expectation([Z(0)], inputs, weights)[:, 0][0], expected[0][0, 0], atol=1e-12)


def test_given_starts_and_wide_registers_are_in_batches_too():
    state = np.array([0.6, 0, 0, 0.8j])
    fixed = Circuit(2).prepare_amplitudes(state).h(0)
    given = Circuit(2)
    given.prepare_amplitudes(given.inputs(4, name="amplitudes"))
    given.rx(given.weights(1, name="w")[0], 1)
    wide = Circuit(70)
    wide.ry(wide.weights(1, name="w")[0], 0)
    for q in range(69):
        wide.cx(q, q + 1)
    batch = CircuitBatch([fixed, given, wide])
    inputs, weights = np.array([[0, 1, 0, 0]] * 3, float), np.array([0.4])
    values, d_inputs, d_weights = batch.derivatives([Z(0), Z(1)], None, inputs, weights)
    plus = Circuit(2).prepare_amplitudes(state)
    expected = [ql.expectation(plus, [X(0), Z(1)], engine=ReferenceEngine()), [1, -np.cos(0.4)], [np.cos(0.4)] * 2]
    np.testing.assert_allclose(values, expected, atol=1e-12)
    np.testing.assert_allclose(d_weights, [-np.sin(0.4)], atol=1e-12)
    assert not d_inputs[[0, 2]].any()
    with pytest.raises(ShapeError, match="norm"):
        batch.expectation([Z(0)], 2 * inputs, weights)


def test_states():
    rng = np.random.default_rng(3)
    batch = CircuitBatch([random_circuit(rng, 3) for _ in range(8)] + [Circuit(3).p(0.3, 0).u(0.1, 0.2, 0.3, 1)])
    inputs, weights = arrays_of(batch, True)
    states = batch.states(inputs, weights)
    for row in range(len(batch)):
        x, w = by_name(batch[row], batch, inputs[row], weights[row])
        np.testing.assert_allclose(states[row], ql.state(batch[row], x, w, engine=ReferenceEngine()), atol=1e-12)
    assert batch.states(inputs.astype("f4"), weights.astype("f4")).dtype == np.complex64


def test_parts_of_a_batch():
    rng = np.random.default_rng(4)
    circuits = [random_circuit(rng, 3) for _ in range(5)]
    batch = CircuitBatch(circuits, threads=1)
    assert batch[1] == circuits[1] == batch[-4]
    assert [batch[1:4][k] for k in range(3)] == circuits[1:4]
    chosen = batch[[4, 0]]
    assert (len(chosen), chosen.threads) == (2, 1)
    assert [chosen[k] for k in range(2)] == [circuits[4], circuits[0]]
    assert len(batch[np.array([True, False, True, False, False])]) == 2
    circuits[0].h(0)
    batch[1].h(0)
    assert batch[0] != circuits[0]
    assert batch[1] == circuits[1]
    assert list(batch) == [batch[k] for k in range(5)]
    batch.expectation([Z(0)], *arrays_of(batch, False))  # what was lowered stays here
    for copied in (copy.deepcopy(batch), pickle.loads(pickle.dumps(batch))):
        assert list(copied) == list(batch)


def test_followed_by_a_circuit():
    model = ql.ansatze.strongly_entangling(3, 1)
    batch = CircuitBatch([encoding(row) for row in np.eye(3)]).followed_by(model)
    assert batch[1] == encoding(np.eye(3)[1]) + model


def test_a_prepared_batch_is_not_pickled():
    with pytest.raises(TypeError, match="prepare them again"):
        pickle.dumps(CircuitBatch([Circuit(1).h(0)]).prepare())


def named(n: int) -> Circuit:
    circuit = Circuit(1)
    circuit.rx(circuit.weights(n, name="w")[0], 0)
    return circuit


TWO = [Circuit(2).h(0), Circuit(2).x(1)]
MISTAKES = {
    "one circuit": (lambda: CircuitBatch(TWO[0]), "give a list"),
    "no circuit": (lambda: CircuitBatch([]), "expected one Circuit or more"),
    "no circuits": (lambda: CircuitBatch([TWO[0], 3]), "a int among them"),
    "threads": (lambda: CircuitBatch(TWO, threads=0), "threads=0"),
    "shapes": (lambda: CircuitBatch([named(1), named(2)]), "weights 'w' of circuit 1 have shape"),
    "index": (lambda: CircuitBatch(TWO)[[5]], "take those that are there"),
    "nothing": (lambda: CircuitBatch(TWO)[2:], "take some"),
    "widths": (lambda: CircuitBatch([*TWO, Circuit(3)]).prepare(), "circuits of 2 to 3 qubits"),
    "states": (lambda: CircuitBatch([*TWO, Circuit(3)]).states(), "circuits of 2 to 3 qubits"),
    "observable": (lambda: CircuitBatch([*TWO, Circuit(3)]).prepare([Z(2)]), "acts on qubit 2"),
    "outputs": (lambda: CircuitBatch(TWO).prepare("probabilities"), "expected Pauli sums"),
    "numbers": (lambda: CircuitBatch(TWO).prepare([[1.0], [2.0]]), "observables are numbers"),
    "lists": (lambda: CircuitBatch(TWO).prepare([[Z(0)]]), "1 lists of observables for 2 circuits"),
    "lengths": (lambda: CircuitBatch(TWO).prepare([[Z(0)], [Z(0), Z(1)]]), "equally many"),
    "qubits": (lambda: CircuitBatch(TWO).followed_by(Circuit(3)), "expected as many"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told_in_one_sentence(make, told):
    with pytest.raises(CircuitError, match=told) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("inputs", "weights", "cotangents", "told"), [
    (None, None, None, "weights not given"),
    (None, np.zeros((3, 1)), None, "3 rows, expected 2"),
    (None, np.zeros((1, 1)), None, "1 rows, expected 2"),
    (None, np.zeros(4), None, r"shape \(4,\)"),
    (None, [np.nan], None, "finite"),
    (np.zeros((2, 1)), np.zeros(1), None, "inputs"),
    (None, np.zeros(1), np.ones(2), "cotangents has shape"),
    (None, np.zeros(1), np.full((2, 1), "a"), "real numbers"),
])  # fmt: skip
def test_arrays_that_do_not_fit(inputs, weights, cotangents, told):
    batch = CircuitBatch([named(1), named(1)])
    with pytest.raises(ShapeError, match=told):
        batch.derivatives([Z(0)], cotangents, inputs, weights)


def test_a_channel_is_refused():
    with pytest.raises(UnsupportedError, match=r"a CircuitBatch takes unitary gates only.*DensityEngine"):
        CircuitBatch([Circuit(1).h(0), Circuit(1).bit_flip(0.1, 0)]).prepare()
