"""Circuits from Braket and to it: every gate with its modifiers, parameters, bits, noise."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.circuits.exchange import from_braket, to_braket
from qloom.errors import CircuitError, UnsupportedError
from tests.circuits.dense import circuit_matrix, word_matrix
from tests.circuits.exchange.random_circuits import (
    SEEDS,
    SLOW_SEEDS,
    TOLERANCE,
    check_round_trips,
    density,
    random_circuit,
    same_distribution,
)

braket = pytest.importorskip("braket.circuits", reason="the extra 'exchange' is not installed")
parametric = pytest.importorskip("braket.parametric")
gates = pytest.importorskip("braket.circuits.gates")
noises = pytest.importorskip("braket.circuits.noises")
GATES = {
    name: kind for name, kind in inspect.getmembers(gates, inspect.isclass)
    if issubclass(kind, braket.Gate) and kind.__module__ == gates.__name__ and name not in ("PulseGate", "Unitary")
}  # fmt: skip


def own_matrix(circuit, numbers=None, n_qubits=None):
    values = {f"{name}_{k}": v for (name, k), v in (numbers or {}).items() if name != "a"}
    values |= {name: v for (name, _), v in (numbers or {}).items() if name == "a"}
    names = {parameter.name for parameter in circuit.parameters}
    bound = circuit.make_bound_circuit({name: values[name] for name in names}) if names else circuit
    return bound.to_unitary()


def renamed(circuit: Circuit, ours: Circuit) -> Circuit:
    """What came back with the blocks of what was written: Braket's parameters are "x_0", "x_1", ... of no block."""
    out = ours.copy()
    places = {("input", b.start): _place(ours, b.name) for b in circuit.input_slots}
    places |= {("weight", b.start): _place(ours, b.name) for b in circuit.weight_slots}
    out.operations = []
    for op in circuit.operations:
        angles = [a if a.is_number else a.scale * places[a.source, a.index] + a.offset for a in op.angles]
        out.append(op.gate, angles, op.qubits)
    return out


def _place(ours: Circuit, name: str):
    for slots in (ours.input_slots, ours.weight_slots):
        for block in slots:
            for k in range(block.size):
                if name == (f"{block.name}_{k}" if block.shape else block.name):
                    return ql.circuits.Angle(slots.source, block.start + k)
    raise AssertionError(name)


def back(circuit, inputs, ours):
    return renamed(from_braket(circuit), ours)


def test_random_circuits_come_back_with_their_phase():
    check_round_trips(to_braket, back, own_matrix, SEEDS)


@pytest.mark.slow
def test_thousands_of_random_circuits_come_back_with_their_phase():
    check_round_trips(to_braket, back, own_matrix, SLOW_SEEDS)


def test_phases_are_kept_under_a_control():
    for seed in range(60):
        circuit = random_circuit(seed, max_qubits=3, max_gates=4, with_slots=False)
        n = circuit.n_qubits
        foreign = braket.Circuit().i(range(n + 1))
        for one in to_braket(circuit).instructions:
            target, control = [int(q) + 1 for q in one.target], [0, *(int(q) + 1 for q in one.control)]
            foreign.add_instruction(braket.Instruction(one.operator, target, control=control))
        expected = circuit_matrix(circuit.controlled())
        assert np.abs(circuit_matrix(from_braket(foreign)) - expected).max() < TOLERANCE, seed


@pytest.mark.parametrize("name", GATES)
@pytest.mark.parametrize(("controls", "power"), [(0, 1), (0, 2), (0, -1), (0, 0.5), (1, 1), (2, 3), (1, 0.3)])
def test_gates_with_modifiers_are_their_matrices(name, controls, power):
    kind, random = GATES[name], np.random.default_rng(3)
    gate = kind(*random.uniform(-3, 3, len(inspect.signature(kind.__init__).parameters) - 1))
    width = gate.qubit_count + controls
    if power != 1 and not gate.qubit_count:
        return
    order = random.permutation(width).tolist()
    state = [0] * controls
    circuit = braket.Circuit().i(range(max(1, width)))
    circuit.add_instruction(
        braket.Instruction(gate, order[controls:], control=order[:controls], control_state=state, power=power)
    )
    assert np.abs(circuit_matrix(from_braket(circuit)) - circuit.to_unitary()).max() < TOLERANCE


def test_values_of_controls_are_those_of_the_simulator_and_not_of_to_unitary():
    devices = pytest.importorskip("braket.devices")
    circuit = braket.Circuit().h(range(3)).rx(2, 0.7).t(2).x(2, control=[0, 1], control_state=[0, 1])
    circuit.rx(0, 0.3).rx(1, 0.8)
    ours = ql.state(from_braket(circuit))
    simulated = devices.LocalSimulator().run(circuit.copy().state_vector(), shots=0).result().values[0]
    assert np.abs(ours - simulated).max() < TOLERANCE
    assert np.abs(ours - circuit.to_unitary()[:, 0]).max() > 0.1  # it takes the values in the other order


def test_global_phases_add_up():
    circuit = Circuit(2)
    a, b = circuit.weights(2, name="w")
    circuit.x(0).global_phase(0.3).z(1).global_phase(0.5).global_phase(a).global_phase(2 * b)
    foreign = to_braket(circuit)
    assert [one.operator.name for one in foreign.instructions].count("GPhase") == 1
    bound = foreign.make_bound_circuit({"w_0": 0.1, "w_1": 0.2})
    assert np.abs(bound.to_unitary() - circuit_matrix(circuit, (), [0.1, 0.2])).max() < TOLERANCE
    assert np.abs(circuit_matrix(from_braket(foreign), (), [0.1, 0.2]) - bound.to_unitary()).max() < TOLERANCE
    lost = braket.Circuit().x(0).gphase(0.3).z(1).gphase(0.5)  # Braket keeps the second of these alone
    assert lost.global_phase == 0.5


def test_a_qubit_that_only_controls_a_phase_is_there():
    circuit = braket.Circuit().x(0)
    circuit.add_instruction(braket.Instruction(braket.Gate.GPhase(0.3), [], control=[1]))
    assert from_braket(circuit) == Circuit(2).x(0).p(0.3, 1)
    written = to_braket(Circuit(1).x(0).global_phase(0.3).controlled())
    assert len(written.qubits) == 2


def test_bound_parameters_keep_their_controls():
    circuit = Circuit(3)
    circuit.crx(circuit.weights(name="a"), 2, 0)
    foreign = to_braket(circuit)
    assert not any(len(one.control) for one in foreign.instructions)
    a = parametric.FreeParameter("a")
    lost = braket.Circuit().i(0).rx(1, a, control=0).make_bound_circuit({"a": 0.5})
    assert not any(len(one.control) for one in lost.instructions)  # Braket's make_bound_circuit
    assert from_braket(braket.Circuit().rx(1, a, control=0)).operations[0].gate.name == "crx"


def test_unitaries_are_read_and_qubits_that_do_not_occur_do_not_exist():
    matrix = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    circuit = braket.Circuit().unitary(matrix=matrix, targets=[7, 2])
    swapped = matrix.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)
    assert np.abs(circuit_matrix(from_braket(circuit)) - swapped).max() < TOLERANCE


# -- parameters


def test_parameters_stand_in_the_order_in_which_they_occur():
    b, a, x = (parametric.FreeParameter(name) for name in ("c", "a", "x"))
    circuit = braket.Circuit().rx(0, 2 * b + 1).gphase(a / 2).u(0, x, -x, a)
    ours = from_braket(circuit, inputs=["x"])
    assert [block.name for block in ours.weight_slots] == ["c", "a"]
    expected = circuit.make_bound_circuit({"c": 0.3, "a": 0.4, "x": 0.5}).to_unitary()
    assert np.abs(circuit_matrix(ours, [0.5], [0.3, 0.4]) - expected).max() < TOLERANCE


def test_what_is_not_linear_in_one_parameter_is_refused():
    a, b = parametric.FreeParameter("a"), parametric.FreeParameter("c")
    for angle in (a * b, a + b, a**2):
        with pytest.raises(CircuitError, match="a \\* x \\+ b of one parameter"):
            from_braket(braket.Circuit().rx(0, angle))


def test_slots_that_become_one_name_are_refused():
    circuit = Circuit(1)
    circuit.rx(circuit.weights(2, name="w")[0], 0).rx(circuit.weights(name="w_0"), 0)
    with pytest.raises(UnsupportedError, match="'w_0'"):
        to_braket(circuit)


# -- bits


def test_measured_qubits_have_bits_in_the_order_of_results():
    circuit = braket.Circuit().x(0).i(1).i(2).measure([2, 0])
    assert ql.distribution(from_braket(circuit)) == {"01": 1.0}
    devices = pytest.importorskip("braket.devices")
    counts = devices.LocalSimulator().run(circuit, shots=10).result().measurement_counts
    assert dict(counts) == {"01": 10}


def test_measurements_are_written_in_the_order_of_their_bits():
    circuit = Circuit(3).x(0).cx(0, 2).ry(1.0, 1).measure(1, 2).measure(0, 0).x(2).measure(2, 1)
    again = from_braket(to_braket(circuit))
    assert same_distribution(ql.distribution(again), ql.distribution(circuit))
    devices = pytest.importorskip("braket.devices")
    counts = devices.LocalSimulator().run(to_braket(circuit), shots=500).result().measurement_counts
    assert set(counts) == set(ql.distribution(circuit))


@pytest.mark.parametrize("circuit", [
    Circuit(1).measure(0, 0).x(0),
    Circuit(1).measure(0, 0).reset(0),
    Circuit(1).reset(0),
    Circuit(2).measure(0, 0).when(0, 1, Circuit(2).x(1)),
    Circuit(1).readout_error(0.1, 0.2, 0),
], ids=["gate", "reset after", "reset", "condition", "readout"])  # fmt: skip
def test_what_braket_has_not_is_refused(circuit):
    with pytest.raises(UnsupportedError, match="Braket"):
        to_braket(circuit)


# -- noise and the rest


def channels():
    noise = braket.Noise
    return [
        (noise.BitFlip(0.1), 1), (noise.PhaseFlip(0.2), 1), (noise.Depolarizing(0.3), 1),
        (noise.AmplitudeDamping(0.3), 1), (noise.PhaseDamping(0.2), 1),
        (noise.GeneralizedAmplitudeDamping(0.3, 0.2), 1), (noise.PauliChannel(0.1, 0.2, 0.3), 1),
        (noise.TwoQubitDepolarizing(0.2), 2), (noise.TwoQubitDephasing(0.2), 2),
        
        (noise.Kraus([np.diag([1, 0.6]), np.array([[0, 0.8], [0, 0]])]), 1),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(10))
def test_channels_are_theirs(number):
    devices = pytest.importorskip("braket.devices")
    channel, width = channels()[number]
    circuit = braket.Circuit().ry(0, 1.0).cnot(0, 1).rx(1, 0.4)
    circuit.add_instruction(braket.Instruction(channel, [1, 0][:width]))
    ours = from_braket(circuit)
    for one in (circuit, to_braket(ours)):
        measured = one.copy().density_matrix()
        expected = devices.LocalSimulator("braket_dm").run(measured, shots=0).result().values[0]
        assert np.abs(density(ours) - expected).max() < 1e-6  # Braket's density matrices are in single precision


def test_pauli_channels_of_two_qubits():
    # Braket's simulator has none.
    channel = braket.Noise.TwoQubitPauliChannel({"XY": 0.1, "ZI": 0.2})
    circuit = braket.Circuit().ry(0, 1.0).cnot(0, 1)
    circuit.add_instruction(braket.Instruction(channel, [1, 0]))
    rho = density(from_braket(braket.Circuit().ry(0, 1.0).cnot(0, 1)))
    i, x, y, z = (word_matrix(letter) for letter in "IXYZ")
    expected = 0.7 * rho + sum(p * w @ rho @ w.conj().T for p, w in ((0.1, np.kron(y, x)), (0.2, np.kron(i, z))))
    assert np.abs(density(from_braket(circuit)) - expected).max() < 1e-9


def test_what_has_no_meaning_is_refused_by_name():
    with pytest.raises(CircuitError, match="expected a braket"):
        from_braket(Circuit(1))
    circuit = braket.Circuit().add_verbatim_box(braket.Circuit().x(0)).h(0)
    assert from_braket(circuit) == Circuit(1).x(0).h(0)
    noisy = Circuit(1)
    noisy.bit_flip(noisy.weights(name="p"), 0)
    with pytest.raises(UnsupportedError, match="bit_flip with numbers alone"):
        to_braket(noisy)
