"""OpenQASM written: read back it is the same, phases and controls too, in every dialect."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import GATES, Circuit, condition_on, conditional_gate
from qloom.circuits.gates import controlled_gate
from qloom.errors import UnsupportedError
from tests.circuits.qasm.test_reading import unitary

UNITARY = [gate for gate in GATES.values() if gate.is_unitary]
DIALECTS = [(2, None), (3, None), (3, "braket")]


def off(circuit: Circuit, again: Circuit, with_phase: bool) -> float:
    mine, other = unitary(circuit), unitary(again)
    phase = 1 if with_phase else np.trace(mine.conj().T @ other) / len(mine)
    return float(np.abs(mine * phase - other).max())


@pytest.mark.parametrize("gate", UNITARY, ids=lambda gate: gate.name)
def test_every_gate_and_its_controlled_one(gate):
    random = np.random.default_rng(0)
    for one in (gate, controlled_gate(gate)) if gate.n_qubits else (gate,):
        circuit = Circuit(one.n_qubits + 1)
        circuit.append(one, random.uniform(-3, 3, one.n_angles).tolist(), list(range(one.n_qubits))[::-1])
        for version, dialect in DIALECTS:
            again = ql.from_qasm(circuit.to_qasm(version, dialect))
            assert off(circuit, again, with_phase=version == 3) < 1e-12, (one.name, version, dialect)


def random_circuit(n: int, n_gates: int, random: np.random.Generator) -> Circuit:
    circuit = Circuit(n)
    for _ in range(n_gates):
        gate = UNITARY[random.integers(len(UNITARY))]
        if random.random() < 0.2 and 0 < gate.n_qubits < n:
            gate = controlled_gate(gate)
        if gate.n_qubits <= n:
            places = random.permutation(n)[: gate.n_qubits].tolist()
            circuit.append(gate, random.uniform(-4, 4, gate.n_angles).tolist(), places)
    letters = "".join(random.choice(list("XYZ"), n))
    return circuit.pauli_rotation(0.3, letters, range(n)).unitary(np.diag(np.exp(1j * random.uniform(0, 6, 2))), [0])


def check_round_trips(seeds: range) -> None:
    """With a control added, so that phases count."""
    for seed in seeds:
        random = np.random.default_rng(seed)
        circuit = random_circuit(2 + seed % 2, 8, random)
        controlled = circuit.controlled()
        for version, dialect in DIALECTS[1:]:
            again = ql.from_qasm(circuit.to_qasm(version, dialect)).controlled()
            assert off(controlled, again, with_phase=True) < 1e-10, (seed, version, dialect)
        for one in (circuit, controlled):
            assert off(one, ql.from_qasm(one.to_qasm(2)), with_phase=False) < 1e-10, seed


def test_round_trips():
    check_round_trips(range(60))


@pytest.mark.slow
def test_two_thousand_round_trips_a_format():
    check_round_trips(range(100, 2100))


def test_slots_are_inputs_and_come_back_by_name():
    circuit = Circuit(2)
    x, w = circuit.inputs(2, name="x"), circuit.weights(1, name="pi")
    circuit.rx(2 * x[0] - 0.1, 0).rzz(-x[1], 0, 1).ry(w[0], 1)
    text = circuit.to_qasm()
    assert "input float x_0;" in text
    assert "input float pi_0;" in text
    again = ql.from_qasm(text, inputs=("x_0", "x_1"))
    values = ql.expectation(again, inputs=[0.3, 0.7], weights=[1.1])
    assert values == pytest.approx(ql.expectation(circuit, inputs=[0.3, 0.7], weights=[1.1]), abs=1e-12)
    with pytest.raises(UnsupportedError, match="slots, which OpenQASM 2 has not"):
        circuit.to_qasm(2)


@pytest.mark.parametrize("version", [2, 3])
def test_bits_and_conditions_come_back(version):
    random = np.random.default_rng(3)
    for seed in range(30):
        circuit = Circuit(4)
        circuit.bits(4)
        for q in range(3):
            circuit.ry(random.uniform(0.4, 2.5), q).measure(q, q)
        for _ in range(3):
            bits = [(0, 1), (2,)][random.integers(2)] if version == 2 else tuple(random.permutation(3)[:2].tolist())
            values = set(random.integers(0, 1 << len(bits), 2).tolist())
            condition = condition_on(bits, values, bool(random.integers(2)))
            circuit.append(conditional_gate(GATES["ry"], condition), (random.uniform(0.4, 2.5),), (3,))
        circuit.reset(0).measure(3, 3)
        again = ql.from_qasm(circuit.to_qasm(version))
        assert ql.distribution(again) == pytest.approx(ql.distribution(circuit), abs=1e-12), seed


def test_a_measurement_into_the_bits_of_its_condition_ends_a_block():
    """What follows is asked anew: in one block the old value would hold."""
    circuit = Circuit(2).x(0).measure(0, 0).reset(0)
    circuit.when(0, 1, Circuit(2).measure(0, 0)).when(0, 1, Circuit(2).x(1)).measure(1, 1)
    assert ql.distribution(circuit) == {"00": pytest.approx(1)}
    assert ql.distribution(ql.from_qasm(circuit.to_qasm())) == {"00": pytest.approx(1)}


@pytest.mark.parametrize("name", ["true", "array", "b", "rzz", "im", "switch", "sin", "c", "x"])
@pytest.mark.parametrize("dialect", ["openqasm3", "braket"])
def test_slots_with_the_names_of_words(name, dialect):
    circuit = Circuit(2)
    circuit.rzz(2 * circuit.weights(1, name=name)[0], 0, 1).measure(0, 0)
    again = ql.from_qasm(circuit.to_qasm(dialect=dialect))
    assert again.n_weights == 1
    assert ql.distribution(again, weights=[0.3]) == ql.distribution(circuit, weights=[0.3])


@pytest.mark.parametrize(
    ("circuit", "version", "message"),
    [
        (Circuit(1).depolarizing(0.1, 0), 3, "depolarizing on qubit 0 is a channel"),
        (Circuit(1).prepare_amplitudes([0.6, 0.8]), 3, "starts from amplitudes"),
        (Circuit(1).measure(0), 2, "a measurement into no bit"),
        (Circuit(2).measure(0, 0).measure(1, 1).when((0, 1), 1, Circuit(2).x(0)).when(1, 1, Circuit(2).x(0)), 2,
         "overlap have no OpenQASM 2"),
        (Circuit(1).x(0), 4, "openqasm4"),
    ],
)  # fmt: skip
def test_what_has_no_text_is_refused(circuit, version, message):
    with pytest.raises(UnsupportedError, match=message):
        circuit.to_qasm(version)
