"""Circuits from Qiskit and to it: every gate, parameters by name, control flow, noise."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit, condition_on
from qloom.circuits.exchange import from_qiskit, to_qiskit
from qloom.errors import CircuitError, UnsupportedError
from tests.circuits.dense import circuit_matrix
from tests.circuits.exchange.random_circuits import (
    SEEDS,
    SLOW_SEEDS,
    TOLERANCE,
    check_round_trips,
    density,
    is_farther_than_chance,
    matrix,
    random_circuit,
    random_program,
    same_distribution,
)

qiskit = pytest.importorskip("qiskit", reason="the extra 'exchange' is not installed")
library = pytest.importorskip("qiskit.circuit.library")
info = pytest.importorskip("qiskit.quantum_info")
expr = pytest.importorskip("qiskit.circuit.classical.expr")
Parameter, ParameterVector = qiskit.circuit.Parameter, qiskit.circuit.ParameterVector
QuantumCircuit = qiskit.QuantumCircuit
STANDARD = {
    name: gate
    for name, gate in library.get_standard_gate_name_mapping().items()
    if name not in ("measure", "reset", "delay")
}


def own_matrix(circuit, numbers=None, n_qubits=None):
    """Qiskit's matrix with qubit 0 the most significant bit, parameters bound by name."""
    bound = {p: numbers[(p.vector.name, p.index) if hasattr(p, "vector") else (p.name, 0)] for p in circuit.parameters}
    return info.Operator(circuit.assign_parameters(bound)).reverse_qargs().data


def back(circuit, inputs, ours):
    return from_qiskit(circuit, inputs)


def agrees(circuit) -> bool:
    return np.abs(circuit_matrix(from_qiskit(circuit)) - own_matrix(circuit)).max() < TOLERANCE


def test_random_circuits_come_back_with_their_phase():
    check_round_trips(to_qiskit, back, own_matrix, SEEDS)


@pytest.mark.slow
def test_thousands_of_random_circuits_come_back_with_their_phase():
    check_round_trips(to_qiskit, back, own_matrix, SLOW_SEEDS)


def test_phases_are_kept_under_a_control():
    for seed in range(60):
        circuit = random_circuit(seed, max_qubits=3, max_gates=4, with_slots=False).controlled()
        gate = to_qiskit(random_circuit(seed, max_qubits=3, max_gates=4, with_slots=False)).to_gate().control(1)
        foreign = QuantumCircuit(circuit.n_qubits)
        foreign.append(gate, range(circuit.n_qubits))
        assert np.abs(circuit_matrix(from_qiskit(foreign)) - circuit_matrix(circuit)).max() < TOLERANCE, seed


@pytest.mark.parametrize("name", STANDARD)
def test_a_standard_gate_is_its_matrix(name):
    gate, random = STANDARD[name], np.random.default_rng(1)
    width = max(1, gate.num_qubits)
    for _ in range(3):
        circuit = QuantumCircuit(width)
        values = random.uniform(-7, 7, len(gate.params))
        circuit.append(
            gate.base_class(*values) if len(values) else gate, random.permutation(width)[: gate.num_qubits].tolist()
        )
        assert agrees(circuit)


@pytest.mark.parametrize("name", [name for name, gate in STANDARD.items() if gate.num_qubits in (1, 2)])
def test_a_standard_gate_under_open_controls_inverse_and_powers(name):
    gate, random = STANDARD[name], np.random.default_rng(2)
    one = gate.base_class(*random.uniform(-3, 3, len(gate.params))) if gate.params else gate
    for annotated in (False, True):
        circuit = QuantumCircuit(gate.num_qubits + 2)
        circuit.append(
            one.control(2, ctrl_state=1, annotated=annotated), random.permutation(gate.num_qubits + 2).tolist()
        )
        circuit.append(one.inverse(annotated=annotated), random.permutation(gate.num_qubits).tolist())
        circuit.append(one.power(2, annotated=annotated), random.permutation(gate.num_qubits).tolist())
        circuit.append(one.power(0.5, annotated=annotated), random.permutation(gate.num_qubits).tolist())
        assert agrees(circuit)


def test_random_circuits_of_qiskit():
    random_of_qiskit = pytest.importorskip("qiskit.circuit.random")
    for seed in range(150):
        circuit = random_of_qiskit.random_circuit(4, 4, max_operands=4, seed=seed)
        circuit.global_phase = seed / 10
        assert agrees(circuit), seed


@pytest.mark.slow
def test_thousands_of_random_circuits_of_qiskit():
    random_of_qiskit = pytest.importorskip("qiskit.circuit.random")
    for seed in range(2000):
        circuit = random_of_qiskit.random_circuit(4, 4, max_operands=4, seed=1000 + seed)
        circuit.global_phase = seed / 10
        assert agrees(circuit), seed


@pytest.mark.parametrize("make", [
    lambda: library.QFTGate(3),
    lambda: library.MCXGate(3, ctrl_state=5),
    lambda: library.MCPhaseGate(0.3, 3),
    lambda: library.RVGate(0.1, 0.2, 0.3),
    lambda: library.MSGate(3, 0.4),
    lambda: library.PauliGate("XIZY"),
    lambda: library.PermutationGate([2, 0, 1]),
    lambda: library.DiagonalGate(list(np.exp(1j * np.arange(8)))),
    lambda: library.UnitaryGate(info.random_unitary(8, seed=1)),
    lambda: library.UCRYGate([0.1, 0.2, 0.3, 0.4]),
    lambda: library.GlobalPhaseGate(0.7).control(1),
    lambda: library.QFTGate(2).control(1, ctrl_state=0),
    lambda: info.random_clifford(3, seed=2).to_instruction(),
    lambda: info.random_clifford(3, seed=3),
    lambda: library.PauliEvolutionGate(info.SparsePauliOp(["XX", "ZZ"], [0.3, -0.2]), 0.7),
    lambda: library.PauliEvolutionGate(info.SparsePauliOp(["XI", "ZZ"], [0.3, -0.2]), 0.7),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # of Qiskit's own matrix of an evolution
def test_gates_of_the_library(make):
    op = make()
    circuit = QuantumCircuit(op.num_qubits)
    circuit.append(op, range(op.num_qubits)[::-1])
    assert agrees(circuit)


def test_a_gate_of_ones_own_is_what_it_does_and_not_what_it_is_called():
    inner = QuantumCircuit(1, global_phase=0.3)
    inner.rz(0.4, 0)
    gate = qiskit.circuit.Gate("rx", 1, [0.9])
    gate.definition = inner
    circuit = QuantumCircuit(1)
    circuit.append(gate, [0])
    assert agrees(circuit)
    # Qiskit's own control of it is one of the standard gate of that name.
    circuit = QuantumCircuit(2)
    circuit.append(gate.control(1), [0, 1])
    expected = np.kron(np.diag([1, 0]), np.eye(2)) + np.kron(np.diag([0, 1]), info.Operator(inner).data)
    assert np.abs(circuit_matrix(from_qiskit(circuit)) - expected).max() < TOLERANCE
    assert not agrees(circuit)


# -- parameters


def test_elements_of_a_vector_are_bound_in_the_order_of_their_indices():
    x, w = ParameterVector("x", 12), ParameterVector("w", 3)
    circuit = QuantumCircuit(1)
    for k in range(12):
        circuit.rx(x[k], 0)
        circuit.rz(2 * w[k % 3] - 0.5, 0)
    ours = from_qiskit(circuit, inputs=["x"])
    assert [(b.name, b.shape) for b in ours.input_slots] == [("x", (12,))]
    assert [(b.name, b.shape) for b in ours.weight_slots] == [("w", (3,))]
    values = np.arange(12) / 7, np.array([0.3, -1.0, 2.0])
    bound = circuit.assign_parameters({x: values[0], w: values[1]})
    assert np.abs(circuit_matrix(ours, *values) - own_matrix(bound)).max() < TOLERANCE


def test_a_vector_keeps_the_elements_that_do_not_occur():
    circuit = QuantumCircuit(1)
    circuit.rx(ParameterVector("w", 5)[3], 0)
    ours = from_qiskit(circuit)
    assert (ours.n_weights, ours.operations[0].angles[0].index) == (5, 3)


def test_scalars_that_openqasm_made_of_a_vector_are_bound_by_name():
    pytest.importorskip("qiskit_qasm3_import", reason="qiskit_qasm3_import is not installed")
    x = ParameterVector("x", 12)
    circuit = QuantumCircuit(1)
    for k in range(12):
        circuit.rx((k + 1) * x[k], 0)
        circuit.h(0)
    ours = from_qiskit(qiskit.qasm3.loads(qiskit.qasm3.dumps(circuit)))
    values = {f"x_{k}": np.array(0.1 * k + 0.3) for k in range(12)}
    expected = own_matrix(circuit.assign_parameters({x: [values[f"x_{k}"].item() for k in range(12)]}))
    weights = [values[block.name].item() for block in ours.weight_slots]
    assert np.abs(np.vdot(circuit_matrix(ours, (), weights), expected)) == pytest.approx(2, abs=1e-9)


def test_parameters_stand_in_qiskits_order_and_in_linear_expressions():
    b, a, theta = Parameter("b"), Parameter("a"), Parameter("$\\theta$")
    circuit = QuantumCircuit(1, global_phase=a)
    circuit.u(b / 2 + b, (theta + 1) ** 2 - theta**2, 1 - a, 0)
    ours = from_qiskit(circuit)
    assert [block.name for block in ours.weight_slots] == ["theta", "a", "b"]
    values = {theta: 0.3, a: 0.7, b: -1.1}
    expected = own_matrix(circuit.assign_parameters(values))
    assert np.abs(circuit_matrix(ours, (), list(values.values())) - expected).max() < TOLERANCE


def test_the_parameter_that_is_left_where_others_cancel():
    """Of 20 such pairs Qiskit's own sympy form names the wrong one in half, by the hashes of the process."""
    pairs = [(Parameter(f"gone{k}"), Parameter(f"stays{k}")) for k in range(20)]
    circuit = QuantumCircuit(1, global_phase=pairs[0][0] * 0 + pairs[0][1])
    for gone, stays in pairs:
        circuit.rx(gone - gone + stays, 0)
    ours = from_qiskit(circuit)
    names = [block.name for block in ours.weight_slots]
    read = [names[angle.index] for op in ours.operations for angle in op.angles]
    assert read == ["stays0", *(f"stays{k}" for k in range(20))]


def test_parameters_go_through_definitions_and_controls():
    a = Parameter("a")
    inner = QuantumCircuit(2, global_phase=2 * a)
    inner.rzz(a, 0, 1)
    inner.append(library.PauliEvolutionGate(info.SparsePauliOp(["XX", "ZZ"], [0.3, -0.2]), a), [0, 1])
    circuit = QuantumCircuit(3)
    circuit.append(inner.to_gate().control(1), [2, 0, 1])
    ours = from_qiskit(circuit)
    expected = own_matrix(circuit.assign_parameters({a: 0.7}))
    assert np.abs(circuit_matrix(ours, (), [0.7]) - expected).max() < TOLERANCE


@pytest.mark.parametrize("expression", ["a * a", "a + b", "a.sin()", "a * b"])
def test_what_is_not_linear_in_one_parameter_is_refused(expression):
    names = {"a": Parameter("a"), "b": Parameter("b")}
    circuit = QuantumCircuit(1)
    circuit.rx(eval(expression, names), 0)
    with pytest.raises(CircuitError, match="a \\* x \\+ b of one parameter"):
        from_qiskit(circuit)


def test_inputs_that_do_not_occur_and_names_that_become_one_are_refused():
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a.b"), 0)
    with pytest.raises(CircuitError, match="inputs names 'x'"):
        from_qiskit(circuit, inputs=["x"])
    with pytest.raises(CircuitError, match="list of names"):
        from_qiskit(circuit, inputs="x")
    circuit.rx(Parameter("a_b"), 0)
    with pytest.raises(CircuitError, match="both become 'a_b'"):
        from_qiskit(circuit)


def test_slots_become_parameters_of_their_names():
    ours = Circuit(1)
    x, w = ours.inputs(2, 2, name="x"), ours.weights(name="w")
    ours.rx(x[1, 0], 0).ry(2 * w + 1, 0)
    circuit = to_qiskit(ours)
    assert [p.name for p in circuit.parameters] == ["w", "x[2]"]
    assert len(circuit.parameters[1].vector) == 4
    clash = Circuit(1)
    clash.rx(clash.inputs(name="x"), 0).rx(clash.weights(name="x"), 0)
    with pytest.raises(CircuitError, match="both have a block 'x'"):
        to_qiskit(clash)


# -- bits


def test_bit_0_is_leftmost():
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.measure([0, 1, 2], [0, 1, 2])
    assert ql.distribution(from_qiskit(circuit)) == {"100": 1.0}
    registers = QuantumCircuit(
        qiskit.QuantumRegister(1, "z"), qiskit.QuantumRegister(1, "a"), qiskit.ClassicalRegister(1, "y"),
        qiskit.ClassicalRegister(1, "b"),
    )  # fmt: skip
    registers.x(0)
    registers.measure([0, 1], [0, 1])
    assert ql.distribution(from_qiskit(registers)) == {"10": 1.0}


def test_random_programs_come_back_with_their_distribution():
    for seed in range(150):
        circuit = random_program(seed)
        assert same_distribution(ql.distribution(from_qiskit(to_qiskit(circuit))), ql.distribution(circuit)), seed


def test_random_programs_are_what_aer_samples():
    aer = pytest.importorskip("qiskit_aer", reason="qiskit_aer is not installed")
    simulator = aer.AerSimulator(seed_simulator=7)
    for seed in range(20):
        circuit = random_program(seed)
        counts = simulator.run(qiskit.transpile(to_qiskit(circuit), simulator), shots=4000).result().get_counts()
        found = {key[::-1]: n for key, n in counts.items()}
        assert not is_farther_than_chance(found, ql.distribution(circuit)), seed


def control_flow() -> QuantumCircuit:
    q, c, d = qiskit.QuantumRegister(3, "q"), qiskit.ClassicalRegister(2, "c"), qiskit.ClassicalRegister(3, "d")
    circuit = QuantumCircuit(q, c, d)
    circuit.ry(1.0, 0)
    circuit.ry(2.0, 1)
    circuit.measure([0, 1], c)
    with circuit.if_test((c, 2)) as otherwise:
        circuit.x(2)
        with circuit.if_test((c[0], 0)):
            circuit.ry(0.4, 2)
    with otherwise:
        circuit.ry(0.3, 2)
    with circuit.if_test(expr.logic_or(expr.logic_not(c[0]), expr.less(c, 3))):
        circuit.ry(0.2, 2)
    with circuit.switch(c) as case:
        with case(0, 3):
            circuit.x(0)
        with case(1):
            circuit.h(0)
        with case(case.DEFAULT):
            circuit.ry(0.9, 0)
    with circuit.for_loop(range(3)) as k:
        circuit.ry(0.3 * k, 1)
    circuit.reset(1)
    with circuit.if_test(expr.equal(expr.bit_xor(c, 1), 3)):
        circuit.x(1)
    circuit.measure(q, d)
    return circuit


def test_control_flow_is_what_aer_samples():
    aer = pytest.importorskip("qiskit_aer", reason="qiskit_aer is not installed")
    circuit = control_flow()
    simulator = aer.AerSimulator(seed_simulator=3)
    counts = simulator.run(qiskit.transpile(circuit, simulator), shots=20000).result().get_counts()
    found = {key.replace(" ", "")[::-1]: n for key, n in counts.items()}
    assert not is_farther_than_chance(found, ql.distribution(from_qiskit(circuit)))


def test_control_flow_is_read_by_hand():
    a, b = np.sin(0.5) ** 2, np.sin(1.0) ** 2  # probabilities of 1 in c[0], c[1]
    found = ql.distribution(from_qiskit(control_flow()))
    # c = 2: q2 is turned by pi + 0.4 + 0.2, q0 by 0.9, q1 is reset and flipped (2 ^ 1 = 3).
    p = (1 - a) * b
    assert sum(value for key, value in found.items() if key[:2] == "01") == pytest.approx(p)
    one = np.sin((np.pi + 0.6) / 2) ** 2
    assert found["01111"] == pytest.approx(p * np.sin(0.45) ** 2 * one)
    assert not any(key[:2] == "01" and key[3] == "0" for key in found)


def test_a_condition_on_what_its_own_body_measures_is_refused():
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.measure(1, 0)
        circuit.x(1)
    with pytest.raises(UnsupportedError, match="its own condition reads"):
        from_qiskit(circuit)


def test_a_measurement_without_a_bit_has_one_of_its_own():
    circuit = Circuit(1).h(0).measure(0).h(0).measure(0, 0)
    foreign = to_qiskit(circuit)
    assert [register.name for register in foreign.cregs] == ["c", "unread"]
    assert ql.distribution(from_qiskit(foreign))["00"] == pytest.approx(0.25)


# -- noise and the rest


def test_channels_come_back():
    for name, rates in (("amplitude_damping", (0.3,)), ("bit_flip", (0.2,)), ("thermal_relaxation", (2, 3, 0.5, 0.1))):
        circuit = Circuit(2).h(0).cx(0, 1)
        circuit.append(name, rates, (1,))
        circuit.depolarizing(0.1, 1, 0).reset(0)
        again = from_qiskit(to_qiskit(circuit))
        assert np.abs(density(circuit) - density(again)).max() < 1e-9
        start = info.DensityMatrix(np.diag([1, 0, 0, 0]))
        assert np.abs(density(circuit) - start.evolve(to_qiskit(circuit)).reverse_qargs().data).max() < 1e-9


def test_superoperators_are_read():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.append(info.SuperOp(info.Kraus([np.diag([1, 0.6]), [[0, 0.8], [0, 0]]])).to_instruction(), [0])
    assert np.abs(density(from_qiskit(circuit)) - info.DensityMatrix(np.diag([1, 0])).evolve(circuit).data).max() < 1e-9


def test_errors_of_aer_are_read():
    noise = pytest.importorskip("qiskit_aer.noise", reason="qiskit_aer is not installed")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.append(noise.depolarizing_error(0.3, 1), [0])
    circuit.append(noise.pauli_error([("XY", 0.2), ("ZI", 0.3), ("II", 0.5)]), [0, 1])
    bell = np.array([1, 0, 0, 1]) / 2**0.5
    start = info.DensityMatrix(np.outer(bell, bell))
    mixed = start.evolve(info.SuperOp(noise.depolarizing_error(0.3, 1).to_quantumchannel()), [0])
    pauli = noise.pauli_error([("XY", 0.2), ("ZI", 0.3), ("II", 0.5)]).to_quantumchannel()
    expected = mixed.evolve(info.SuperOp(pauli), [0, 1]).reverse_qargs().data
    assert np.abs(density(from_qiskit(circuit)) - expected).max() < 1e-9


def test_states_that_are_prepared_and_given():
    state = info.random_statevector(4, seed=5)
    circuit = QuantumCircuit(2)
    circuit.prepare_state(state, [1, 0])
    ours = from_qiskit(circuit)
    assert np.abs(ql.state(ours) - info.Statevector(circuit).reverse_qargs().data).max() < TOLERANCE
    given = Circuit(2)
    given.prepare_amplitudes(ql.state(ours))
    given.h(1)
    assert np.abs(info.Statevector(to_qiskit(given)).reverse_qargs().data - ql.state(given)).max() < TOLERANCE
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.initialize(state, [0, 1])
    assert from_qiskit(circuit).gate_counts()["reset"] == 2


def test_what_has_no_meaning_is_refused_by_name():
    circuit = QuantumCircuit(1, 1)
    circuit.append(qiskit.circuit.Gate("mystery", 1, []), [0])
    with pytest.raises(UnsupportedError, match="'mystery'"):
        from_qiskit(circuit)
    loop = QuantumCircuit(1, 1)
    with loop.while_loop((loop.clbits[0], 0)):
        loop.h(0)
        loop.measure(0, 0)
    with pytest.raises(UnsupportedError, match="while_loop"):
        from_qiskit(loop)
    evolution = QuantumCircuit(1)
    evolution.append(library.PauliEvolutionGate(info.SparsePauliOp(["X", "Z"]), Parameter("t")), [0])
    with pytest.raises(UnsupportedError, match="do not commute"):
        from_qiskit(evolution)
    with pytest.raises(CircuitError, match="expected a qiskit"):
        from_qiskit(Circuit(1))
    with pytest.raises(CircuitError, match="expected a qloom Circuit"):
        to_qiskit(QuantumCircuit(1))
    with pytest.raises(UnsupportedError, match="readout_error"):
        to_qiskit(Circuit(1).readout_error(0.1, 0.2, 0))
    noisy = Circuit(1)
    noisy.bit_flip(noisy.weights(name="p"), 0)
    with pytest.raises(UnsupportedError, match="bit_flip with numbers alone"):
        to_qiskit(noisy)


def test_barriers_and_delays_are_left_out_and_boxes_are_opened():
    circuit = QuantumCircuit(2)
    circuit.barrier()
    circuit.delay(100, 0)
    with circuit.box():
        circuit.cx(1, 0)
    assert from_qiskit(circuit) == Circuit(2).cx(1, 0)


def test_conditions_of_many_values_and_nested_ones_are_kept():
    body = Circuit(2)
    body.bits(2)
    body.when(1, 0, Circuit(2).x(1))
    circuit = Circuit(2).h(0).measure(0, 0).h(0).measure(0, 1).when(0, 1, body)
    circuit.when([0, 1], [1, 2], Circuit(2).x(0)).when([1, 0], 0, Circuit(2).h(0), negated=True)
    circuit.measure(0, 2).measure(1, 3)
    again = from_qiskit(to_qiskit(circuit))
    assert same_distribution(ql.distribution(again), ql.distribution(circuit))
    assert condition_on([0, 1], [1, 2]).holds(1)
    assert np.allclose(matrix(from_qiskit(to_qiskit(Circuit(1).h(0)))), matrix(Circuit(1).h(0)))
