"""Circuits from QPanda3 and to it: every gate by its own matrix, controls, daggers, oracles, conditions, channels."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.circuits.exchange import from_qpanda, to_qpanda
from qloom.circuits.parts import with_qubits_reversed
from qloom.errors import CircuitError, UnsupportedError
from tests.circuits.dense import circuit_matrix
from tests.circuits.exchange.random_circuits import (
    SEEDS,
    SLOW_SEEDS,
    TOLERANCE,
    density,
    is_farther_than_chance,
    matrix,
    random_circuit,
    random_program,
    same_distribution,
)

core = pytest.importorskip("pyqpanda3.core", reason="pyqpanda3 is not installed")


def own_matrix(program) -> np.ndarray:
    """(2^n, 2^n), qubit 0 the most significant bit."""
    circuit = core.QCircuit(program.qubits_num())
    circuit << program.to_circuit()
    return with_qubits_reversed(circuit.matrix())


def agrees(program) -> bool:
    return np.abs(circuit_matrix(from_qpanda(program)) - own_matrix(program)).max() < TOLERANCE


def check_controlled_round_trips(seeds) -> None:
    """Ours -> theirs under a control -> ours, and theirs by its own matrix: phases count."""
    for seed in seeds:
        circuit = random_circuit(seed, with_slots=False)
        n, expected = circuit.n_qubits, circuit_matrix(circuit.controlled())
        program = to_qpanda(circuit)
        again = from_qpanda(core.QProg(program.to_circuit().control(n)))
        moved = Circuit(n + 1).place(again, [*range(1, n + 1), 0])
        assert np.abs(own_matrix(program) - matrix(circuit)).max() < TOLERANCE, f"seed {seed}: the foreign circuit"
        assert np.abs(circuit_matrix(moved) - expected).max() < TOLERANCE, f"seed {seed}: what comes back"


def test_random_circuits_come_back_under_a_control():
    check_controlled_round_trips(SEEDS)


@pytest.mark.slow
def test_thousands_of_random_circuits_come_back_under_a_control():
    check_controlled_round_trips(SLOW_SEEDS)


# Of its functions that make gates: qubits, angles.
GATES = {
    "I": (1, 0), "H": (1, 0), "X": (1, 0), "Y": (1, 0), "Z": (1, 0), "S": (1, 0), "T": (1, 0), "X1": (1, 0),
    "Y1": (1, 0), "Z1": (1, 0), "P": (1, 1), "U1": (1, 1), "RX": (1, 1), "RY": (1, 1), "RZ": (1, 1), "RPHI": (1, 2),
    "U2": (1, 2), "U3": (1, 3), "U4": (1, 4), "ECHO": (1, 0), "CNOT": (2, 0), "CZ": (2, 0), "SWAP": (2, 0),
    "ISWAP": (2, 0), "SQISWAP": (2, 0), "MS": (2, 0), "CP": (2, 1), "CR": (2, 1), "CRX": (2, 1), "CRY": (2, 1),
    "CRZ": (2, 1), "RXX": (2, 1), "RYY": (2, 1), "RZZ": (2, 1), "RZX": (2, 1), "CU": (2, 4), "TOFFOLI": (3, 0),
}  # fmt: skip


def test_no_gate_of_the_package_is_left_out():
    """Its list of kinds; IDLE has a time, and those without a matrix are read elsewhere."""
    others = {"BARRIER", "GATE_NOP", "GATE_UNDEFINED", "IDLE", "ORACLE", "RESET"}
    assert set(core.GateType.__members__) - others <= set(GATES)


@pytest.mark.parametrize("name", GATES)
def test_gates_are_their_matrices(name):
    """With the phase: as they are, daggered, under controls, and both."""
    random, (width, n_angles) = np.random.default_rng(len(name)), GATES[name]
    for _ in range(5):
        places = random.permutation(5).tolist()
        made = getattr(core, name)(*places[:width], *random.uniform(-7, 7, n_angles))
        for gate in (made, made.dagger(), made.control(places[3:]), made.dagger().control(places[3]).dagger()):
            circuit = core.QCircuit(5)
            circuit << gate
            assert agrees(core.QProg(circuit))


def unitary(size: int) -> np.ndarray:
    random = np.random.default_rng(size)
    return np.linalg.qr(random.normal(size=(size, size)) + 1j * random.normal(size=(size, size)))[0]


def test_oracles_are_their_matrices():
    for places in ([2], [1, 3], [3, 0], [2, 0, 3]):
        oracle = core.Oracle(places, unitary(2 ** len(places)))
        for gate in (oracle, oracle.dagger(), oracle.control(4), oracle.dagger().control(4)):
            circuit = core.QCircuit(5)
            circuit << gate
            assert agrees(core.QProg(circuit))


def test_circuits_in_circuits_keep_their_controls_and_daggers():
    inner = core.QCircuit()
    inner << core.H(0) << core.S(1) << core.CNOT(0, 1) << core.RX(1, 0.3) << core.U4(0, 0.4, 0.1, 0.2, 0.3)
    outer = core.QCircuit(4)
    outer << core.T(2) << inner.control([3, 2]) << inner.dagger() << core.ISWAP(1, 3)
    for circuit in (inner, inner.dagger(), outer, outer.dagger()):
        assert agrees(core.QProg(circuit))
        assert from_qpanda(circuit) == from_qpanda(core.QProg(circuit))
    assert agrees(core.QProg(core.QProg(outer.dagger())))


def test_random_programs_come_back_with_their_distribution():
    for seed in range(150):
        circuit = random_program(seed)
        assert same_distribution(ql.distribution(from_qpanda(to_qpanda(circuit))), ql.distribution(circuit)), seed


def test_random_programs_are_run_the_same():
    """By its own simulator: 2,000 shots of each, bit 0 the last character."""
    for seed in range(40):
        circuit, machine = random_program(seed), core.CPUQVM()
        machine.run(to_qpanda(circuit), 2000)
        counts = {bits[::-1]: count for bits, count in machine.result().get_counts().items()}
        assert not is_farther_than_chance(counts, ql.distribution(circuit)), seed


def test_conditions_hold_where_all_bits_are_1():
    program = core.QProg(4)
    program << core.X(0) << core.X(1) << core.measure([0, 1], [2, 0])
    branches = core.qif([0, 1]).then(core.QProg() << core.X(3)).qelseif([0, 2]).then(core.QProg() << core.X(2))
    program << branches.qelse(core.QProg() << core.Y(3)) << core.measure([2, 3], [1, 3])
    assert ql.distribution(from_qpanda(program)) == {"1110": 1.0}
    machine = core.CPUQVM()
    machine.run(program, 10)
    assert machine.result().get_counts() == {"0111": 10}


def test_conditions_in_conditions():
    """By themselves and inside programs; all values of two bits, by its own simulator."""
    for value in range(4):
        inner = core.qif([1]).then(core.QProg() << core.X(2)).qelse(core.QProg() << core.X(3))
        for nested in (inner, core.QProg() << inner, core.QProg() << core.I(2) << inner << core.I(3)):
            program = core.QProg(4)
            for q in range(2):
                program << core.RX(q, np.pi * (value >> q & 1)) << core.measure(q, q)
            program << core.qif([0]).then(nested).qendif() << core.measure([2, 3], [2, 3])
            machine = core.CPUQVM()
            machine.run(program, 10)
            (bits,) = machine.result().get_counts()
            assert ql.distribution(from_qpanda(program)) == {bits[::-1]: 1.0}


def test_channels_are_run_the_same():
    """By its own density matrices; operators of more than one qubit, in any order of qubits."""
    for places in ([0], [2], [0, 1], [2, 0]):
        size = 2 ** len(places)
        operators = np.linalg.qr(np.random.default_rng(size).normal(size=(3 * size, size)))[0].reshape(3, size, size)
        circuit = Circuit(3).ry(0.5, 0).rx(0.8, 1).cx(0, 1).rxx(0.7, 1, 2).p(0.3, 2)
        circuit.kraus(operators, places)
        circuit.amplitude_damping(0.3, 1).depolarizing(0.1, 0)
        program, machine = to_qpanda(circuit), core.DensityMatrixSimulator()
        machine.run(program)
        assert np.abs(with_qubits_reversed(machine.density_matrix()) - density(circuit)).max() < TOLERANCE
        assert np.abs(density(from_qpanda(program)) - density(circuit)).max() < TOLERANCE


def test_waits_are_left_out_and_idle_qubits_stay():
    program = core.QProg(5)
    program << core.BARRIER([0, 1]) << core.IDLE(1, 20.0) << core.ECHO(1) << core.RESET(2)
    ours = from_qpanda(program)
    assert ours.n_qubits == 5
    assert [op.gate.name for op in ours.operations] == ["reset"]


def test_our_openqasm_is_read_right():
    """Up to a phase, which OpenQASM 2 has not: written flat, without what its reader takes otherwise."""
    reader = pytest.importorskip("pyqpanda3.intermediate_compiler")
    for seed in range(100):
        circuit = random_circuit(seed, with_slots=False)
        read = core.QProg(circuit.n_qubits)
        read << reader.convert_qasm_string_to_qprog(circuit.to_qasm(2))
        overlap = np.vdot(own_matrix(read), matrix(circuit)) / 2**circuit.n_qubits
        assert abs(overlap) == pytest.approx(1, abs=1e-9), seed


def test_what_is_read_is_written():
    circuit = Circuit(3).h(0).sdg(1).rx(0.3, 2).ccx(0, 2, 1).u(0.1, 0.2, 0.3, 1).reset(0).measure(2, 1)
    assert from_qpanda(to_qpanda(circuit)).gate_counts() == circuit.gate_counts()


def test_what_has_no_meaning_is_refused_by_name():
    loop = core.QProg()
    loop << core.measure(0, 0) << core.qwhile([0]).loop(core.QProg() << core.H(0) << core.measure(0, 0))
    with pytest.raises(UnsupportedError, match="QWHILE is a loop"):
        from_qpanda(loop)
    changing = core.QProg()
    changing << core.measure(0, 0)
    changing << core.qif([0]).then(core.QProg() << core.measure(1, 0)).qelse(core.QProg() << core.X(1))
    with pytest.raises(UnsupportedError, match="qif writes bit 0"):
        from_qpanda(changing)
    with pytest.raises(CircuitError, match=r"expected a pyqpanda3\.core\.QProg or QCircuit"):
        from_qpanda(Circuit(1))
    circuit = Circuit(1)
    with pytest.raises(UnsupportedError, match="with numbers alone"):
        to_qpanda(circuit.rx(circuit.weights(name="a").item(), 0))
    for other in (Circuit(1).measure(0), Circuit(1).readout_error(0.1, 0.2, 0)):
        with pytest.raises(UnsupportedError, match="no form in QPanda"):
            to_qpanda(other)
