"""Circuits from Cirq and to it: powers with their phases, symbols, keys and conditions, channels."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.circuits.exchange import from_cirq, to_cirq
from qloom.errors import CircuitError, UnsupportedError
from tests.circuits.dense import circuit_matrix
from tests.circuits.exchange.random_circuits import (
    SEEDS,
    SLOW_SEEDS,
    TOLERANCE,
    check_round_trips,
    density,
    is_farther_than_chance,
    random_circuit,
    random_program,
    reordered,
    same_distribution,
)

cirq = pytest.importorskip("cirq", reason="the extra 'exchange' is not installed")
sympy = pytest.importorskip("sympy")
Q = cirq.LineQubit.range(4)


def own_matrix(circuit, numbers=None, n_qubits=None):
    values = {name if k is None else f"{name}[{k}]": v for (name, k), v in (numbers or {}).items()}
    values |= {name: v for (name, k), v in (numbers or {}).items() if name == "a"}
    return cirq.unitary(cirq.resolve_parameters(circuit, values))


def back(circuit, inputs, ours):
    return from_cirq(circuit, inputs)


def agrees(gate, *values) -> bool:
    """Whether a gate is its matrix, on qubits in another order."""
    width = cirq.num_qubits(gate)
    order = np.random.default_rng(width).permutation(width).tolist()
    circuit = cirq.Circuit(cirq.I.on_each(*Q[:width]), gate.on(*(Q[k] for k in order)))
    return np.abs(circuit_matrix(from_cirq(circuit)) - cirq.unitary(circuit)).max() < TOLERANCE


def test_random_circuits_come_back_with_their_phase():
    check_round_trips(to_cirq, back, own_matrix, SEEDS)


@pytest.mark.slow
def test_thousands_of_random_circuits_come_back_with_their_phase():
    check_round_trips(to_cirq, back, own_matrix, SLOW_SEEDS)


def test_phases_are_kept_under_a_control():
    for seed in range(60):
        circuit = random_circuit(seed, max_qubits=3, max_gates=4, with_slots=False)
        inner = cirq.CircuitOperation(to_cirq(circuit).freeze()).mapped_circuit()
        operations = [op.with_qubits(*(q + 1 for q in op.qubits)) for op in inner.all_operations()]
        foreign = cirq.Circuit(op.controlled_by(Q[0]) for op in operations)
        found = from_cirq(foreign, qubits=cirq.LineQubit.range(circuit.n_qubits + 1))
        assert np.abs(circuit_matrix(found) - circuit_matrix(circuit.controlled())).max() < TOLERANCE, seed


POWERS = [
    "XPowGate", "YPowGate", "ZPowGate", "HPowGate", "CXPowGate", "CYPowGate", "CZPowGate", "CCXPowGate", "CCYPowGate",
    "CCZPowGate", "XXPowGate", "YYPowGate", "ZZPowGate", "SwapPowGate", "ISwapPowGate",
]  # fmt: skip


@pytest.mark.parametrize("name", POWERS)
def test_powers_have_their_phases(name):
    kind, t = getattr(cirq, name), sympy.Symbol("t")
    for shift in (0.0, -0.5, 0.3):
        for exponent in (1.0, 0.5, -0.5, 0.25, 0.37, 2.2, -1.0):
            assert agrees(kind(exponent=exponent, global_shift=shift))
        gate = kind(exponent=2 * t - 0.1, global_shift=shift)
        circuit = cirq.Circuit(gate.on(*Q[: cirq.num_qubits(gate)]))
        expected = cirq.unitary(cirq.resolve_parameters(circuit, {"t": 0.7}))
        assert np.abs(circuit_matrix(from_cirq(circuit), (), [0.7]) - expected).max() < TOLERANCE


@pytest.mark.parametrize("gate", [
    cirq.X, cirq.Y, cirq.Z, cirq.I, cirq.S**-1, cirq.rx(0.3), cirq.ry(0.2), cirq.rz(5), cirq.ms(0.3),
    cirq.PhasedXPowGate(phase_exponent=0.3, exponent=0.7, global_shift=0.1),
    cirq.PhasedXZGate(x_exponent=0.3, z_exponent=0.8, axis_phase_exponent=0.4),
    cirq.PhasedISwapPowGate(phase_exponent=0.3, exponent=0.6), cirq.FSimGate(0.3, 0.7),
    cirq.PhasedFSimGate(0.3, 0.1, 0.2, 0.4, 0.5), cirq.givens(0.3), cirq.riswap(0.3), cirq.CSWAP,
    cirq.QuantumFourierTransformGate(3), cirq.PhaseGradientGate(num_qubits=2, exponent=0.3),
    cirq.DiagonalGate([0.1, 0.2, 0.3, 0.4]), cirq.QubitPermutationGate([2, 0, 1]),
    cirq.DensePauliString("XYZ", coefficient=1j), cirq.ControlledGate(cirq.rx(0.3), control_values=[0]),
    cirq.ControlledGate(cirq.X, num_controls=2, control_values=cirq.SumOfProducts([(0, 1), (1, 0)])),
    cirq.ParallelGate(cirq.X**0.3, 3), cirq.SingleQubitCliffordGate.X_sqrt, cirq.IdentityGate(2),
    cirq.PauliInteractionGate(cirq.X, True, cirq.Y, False, exponent=0.3), cirq.CX.controlled(),
    cirq.ControlledGate(cirq.GlobalPhaseGate(1j)), cirq.QuantumFourierTransformGate(2).controlled(),
    cirq.MatrixGate(cirq.testing.random_unitary(8, random_state=1)), cirq.PauliStringPhasorGate(
        cirq.DensePauliString("XZ"), exponent_neg=0.3, exponent_pos=0.1),
], ids=str)  # fmt: skip
def test_gates_are_their_matrices(gate):
    assert agrees(gate)


def test_random_circuits_of_cirq():
    for seed in range(150):
        circuit = cirq.testing.random_circuit(4, 6, 0.7, random_state=seed)
        if len(circuit.all_qubits()):
            found = circuit_matrix(from_cirq(circuit))
            assert np.abs(found - cirq.unitary(circuit)).max() < TOLERANCE, seed


@pytest.mark.slow
def test_thousands_of_random_circuits_of_cirq():
    for seed in range(2000):
        circuit = cirq.testing.random_circuit(4, 6, 0.7, random_state=1000 + seed)
        if len(circuit.all_qubits()):
            found = circuit_matrix(from_cirq(circuit))
            assert np.abs(found - cirq.unitary(circuit)).max() < TOLERANCE, seed


# -- symbols


@pytest.mark.parametrize("gate", [
    lambda t: cirq.FSimGate(t, 1 - t), lambda t: cirq.PhasedXPowGate(phase_exponent=t, exponent=2 * t),
    lambda t: cirq.PhasedXZGate(x_exponent=t, z_exponent=0.3 * t, axis_phase_exponent=t),
    lambda t: cirq.PhasedISwapPowGate(phase_exponent=t, exponent=t), lambda t: cirq.rx(t).controlled(2),
    lambda t: cirq.ParallelGate(cirq.X**t, 2), lambda t: (cirq.Y**t).controlled(),
    lambda t: cirq.PhaseGradientGate(num_qubits=2, exponent=t),
])  # fmt: skip
def test_symbols_are_kept_in_gates(gate):
    made = gate(sympy.Symbol("t"))
    circuit = cirq.Circuit(made.on(*Q[: cirq.num_qubits(made)]))
    expected = cirq.unitary(cirq.resolve_parameters(circuit, {"t": 0.7}))
    assert np.abs(circuit_matrix(from_cirq(circuit), (), [0.7]) - expected).max() < TOLERANCE


def test_symbols_stand_in_the_order_in_which_they_occur():
    b, a, x0, x10 = sympy.symbols("b a x[0] x[10]")
    circuit = cirq.Circuit(cirq.rx(x10)(Q[0]), cirq.rz(b)(Q[0]), cirq.rx(a / 2 + 1)(Q[0]), cirq.rz(x0)(Q[0]))
    ours = from_cirq(circuit, inputs=["x"])
    assert [(block.name, block.shape) for block in ours.weight_slots] == [("b", ()), ("a", ())]
    assert [(block.name, block.shape) for block in ours.input_slots] == [("x", (11,))]
    expected = cirq.unitary(cirq.resolve_parameters(circuit, {"b": 0.3, "a": 0.4, "x[0]": 0.5, "x[10]": 0.6}))
    inputs = [0.5, *[0.0] * 9, 0.6]
    assert np.abs(circuit_matrix(ours, inputs, [0.3, 0.4]) - expected).max() < TOLERANCE


def test_rotations_by_a_symbol_have_factor_one():
    ours = from_cirq(cirq.Circuit(cirq.rx(sympy.Symbol("a"))(Q[0])))
    assert ours.operations[0].angles[0].scale == 1.0


def test_what_is_not_linear_in_one_symbol_is_refused():
    a, b = sympy.symbols("a b")
    for angle in (a * b, a + b, sympy.sin(a), a**2):
        with pytest.raises(CircuitError, match="a \\* x \\+ b of one parameter"):
            from_cirq(cirq.Circuit(cirq.rx(angle)(Q[0])))


# -- qubits and bits


def test_qubits_stand_in_cirqs_order_and_those_that_wait_can_be_named():
    z, a = cirq.NamedQubit("z"), cirq.NamedQubit("a")
    circuit = cirq.Circuit(cirq.X(z), cirq.I(a), cirq.measure(z, a, key="m"))
    assert ql.distribution(from_cirq(circuit)) == {"10": 1.0}
    assert from_cirq(cirq.Circuit(cirq.X(z), cirq.I(a))).operations[0].qubits == (1,)
    assert from_cirq(cirq.Circuit(cirq.X(Q[2])), qubits=Q).operations[0].qubits == (2,)
    assert to_cirq(Circuit(3).x(1)).all_qubits() == frozenset(Q[:3])


def test_random_programs_come_back_with_their_distribution():
    for seed in range(150):
        circuit = random_program(seed)
        foreign = to_cirq(circuit)
        again = from_cirq(foreign, qubits=Q[:3])
        names = [key for op in foreign.all_operations() if (key := cirq.measurement_key_name(op, None))]
        last = {name: k for k, name in enumerate(names)}  # a key that is measured again has new bits
        order = [last[f"b{bit}"] for bit in range(3)]
        assert same_distribution(reordered(ql.distribution(again), order), ql.distribution(circuit)), seed


def test_random_programs_are_what_cirq_samples():
    simulator = cirq.Simulator(seed=5)
    for seed in range(10):
        circuit = random_program(seed)
        counts: dict[str, int] = {}
        records = simulator.run(to_cirq(circuit), repetitions=400).records
        for row in range(400):
            key = "".join(str(records[f"b{bit}"][row, -1, 0]) for bit in range(3))
            counts[key] = counts.get(key, 0) + 1
        assert not is_farther_than_chance(counts, ql.distribution(circuit)), seed


def test_conditions_keys_and_inverted_measurements():
    m, k = sympy.symbols("m k")
    circuit = cirq.Circuit(
        cirq.X(Q[0]), cirq.measure(Q[0], Q[1], key="m", invert_mask=(False, True)), cirq.measure(Q[0], key="k"),
        cirq.X(Q[2]).with_classical_controls(sympy.Eq(m, 3)), cirq.measure(Q[2], key="a"),
        cirq.X(Q[3]).with_classical_controls("m", k < 1), cirq.measure(Q[3], key="b"),
        cirq.X(Q[3]).with_classical_controls(cirq.BitMaskKeyCondition("m", bitmask=2)), cirq.measure(Q[3], key="c"),
    )  # fmt: skip
    assert ql.distribution(from_cirq(circuit)) == {"111101": 1.0}


def test_a_key_that_is_measured_again_is_read_as_its_last():
    circuit = cirq.Circuit(
        cirq.measure(Q[0], key="m"), cirq.X(Q[0]), cirq.measure(Q[0], key="m"),
        cirq.X(Q[1]).with_classical_controls("m"), cirq.measure(Q[1], key="k"),
    )  # fmt: skip
    assert ql.distribution(from_cirq(circuit)) == {"011": 1.0}


def test_repeated_parts_are_written_out():
    part = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(Q[0]) ** 0.5, cirq.measure(Q[1], key="m")), repetitions=2)
    ours = from_cirq(cirq.Circuit(part, cirq.measure(Q[0], key="k")))
    assert (ours.n_bits, ours.gate_counts()["sx"]) == (3, 2)
    rounds, key = cirq.FrozenCircuit(cirq.H(Q[0]), cirq.measure(Q[0], key="m")), cirq.MeasurementKey("m")
    until = cirq.CircuitOperation(rounds, repeat_until=cirq.KeyCondition(key), use_repetition_ids=False)
    with pytest.raises(UnsupportedError, match="repeat_until"):
        from_cirq(cirq.Circuit(until))


def test_products_of_paulis_are_measured_and_parts_are_under_conditions():
    word = cirq.X(Q[0]) * cirq.Z(Q[1]) * -1
    circuit = cirq.Circuit(cirq.H(Q[0]), cirq.measure_single_paulistring(word, key="m"), cirq.measure(Q[0], key="k"))
    found = ql.distribution(from_cirq(circuit))
    assert same_distribution(found, {"10": 0.5, "11": 0.5})
    part = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(Q[1]), cirq.CX(Q[1], Q[2])))
    circuit = cirq.Circuit(
        cirq.X(Q[0]), cirq.measure(Q[0], key="m"), part.with_classical_controls("m"), cirq.measure(Q[1], Q[2], key="k")
    )
    assert ql.distribution(from_cirq(circuit)) == {"111": 1.0}


def test_conditional_measurements_are_refused():
    circuit = Circuit(2).measure(0, 0).when(0, 1, Circuit(2).measure(1, 1))
    with pytest.raises(UnsupportedError, match="measurement under a condition"):
        to_cirq(circuit)


# -- noise and the rest


def channels():
    return [
        cirq.bit_flip(0.1), cirq.bit_flip(), cirq.phase_flip(0.2), cirq.depolarize(0.3),
        cirq.depolarize(0.2, n_qubits=2), cirq.amplitude_damp(0.3), cirq.phase_damp(0.4),
        cirq.generalized_amplitude_damp(0.2, 0.3), cirq.asymmetric_depolarize(0.1, 0.2, 0.3), cirq.reset_each(Q[0])[0],
        cirq.MixedUnitaryChannel([(0.3, cirq.unitary(cirq.H)), (0.7, np.eye(2))]), cirq.X.with_probability(0.3),
        cirq.KrausChannel(cirq.kraus(cirq.amplitude_damp(0.2))),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(len(channels())))
def test_channels_are_theirs(number):
    channel = channels()[number]
    op = channel if isinstance(channel, cirq.Operation) else channel.on(*Q[: cirq.num_qubits(channel)])
    circuit = cirq.Circuit(cirq.ry(1.0)(Q[0]), cirq.CX(Q[0], Q[1]), cirq.rx(0.4)(Q[1]), op)
    simulator = cirq.DensityMatrixSimulator(dtype=np.complex128)
    expected = simulator.simulate(circuit, qubit_order=Q[:2]).final_density_matrix
    ours = from_cirq(circuit)
    assert np.abs(density(ours) - expected).max() < 1e-9
    again = simulator.simulate(to_cirq(ours), qubit_order=Q[:2]).final_density_matrix
    assert np.abs(again - expected).max() < 1e-9


def test_what_has_no_meaning_is_refused_by_name():
    class Mystery(cirq.Gate):
        def _num_qubits_(self):
            return 1

        def __repr__(self):
            return "Mystery"

    with pytest.raises(UnsupportedError, match="Mystery"):
        from_cirq(cirq.Circuit(Mystery()(Q[0])))
    with pytest.raises(UnsupportedError, match="qudits"):
        from_cirq(cirq.Circuit(cirq.IdentityGate(1, (3,))(cirq.LineQid(0, 3))))
    with pytest.raises(CircuitError, match="expected a cirq"):
        from_cirq(Circuit(1))
    with pytest.raises(UnsupportedError, match="readout_error"):
        to_cirq(Circuit(1).readout_error(0.1, 0.2, 0))
    with pytest.raises(UnsupportedError, match="confusion map"):
        from_cirq(cirq.Circuit(cirq.measure(Q[0], confusion_map={(0,): np.array([[0.9, 0.1], [0.2, 0.8]])})))


def test_a_decomposition_that_is_not_the_matrix_is_refused():
    class Wrong(cirq.Gate):
        def _num_qubits_(self):
            return 1

        def _is_parameterized_(self):
            return True

        def _parameter_names_(self):
            return {"t"}

        def _resolve_parameters_(self, resolver, recursive):
            return cirq.Z ** resolver.value_of(sympy.Symbol("t"))

        def _decompose_(self, qubits):
            return [cirq.rz(sympy.pi * sympy.Symbol("t"))(*qubits)]  # without its phase

    with pytest.raises(UnsupportedError, match="is not its matrix"):
        from_cirq(cirq.Circuit(Wrong()(Q[0])))
