"""Circuits from pytket and to it: half turns, boxes, symbols, conditions, permutations of wires."""

from __future__ import annotations

import numpy as np
import pytest

import qloom as ql
from qloom.circuits import Circuit
from qloom.circuits.exchange import from_pytket, to_pytket
from qloom.errors import CircuitError, UnsupportedError
from tests.circuits.dense import circuit_matrix
from tests.circuits.exchange.random_circuits import (
    SEEDS,
    SLOW_SEEDS,
    TOLERANCE,
    check_round_trips,
    random_circuit,
    random_program,
    same_distribution,
)

pytket = pytest.importorskip("pytket", reason="pytket is not installed")
library = pytest.importorskip("pytket.circuit")
sympy = pytest.importorskip("sympy")
OpType, Op = library.OpType, library.Op


def own_matrix(circuit, numbers=None, n_qubits=None):
    values = {sympy.Symbol(name if name == "a" else f"{name}[{k}]"): v for (name, k), v in (numbers or {}).items()}
    bound = circuit.copy()
    bound.symbol_substitution(values)
    return bound.get_unitary()


def back(circuit, inputs, ours):
    return from_pytket(circuit, inputs)


def agrees(circuit) -> bool:
    return np.abs(circuit_matrix(from_pytket(circuit)) - circuit.get_unitary()).max() < TOLERANCE


def test_random_circuits_come_back_with_their_phase():
    check_round_trips(to_pytket, back, own_matrix, SEEDS)


@pytest.mark.slow
def test_thousands_of_random_circuits_come_back_with_their_phase():
    check_round_trips(to_pytket, back, own_matrix, SLOW_SEEDS)


def test_phases_are_kept_under_a_control():
    for seed in range(60):
        circuit = random_circuit(seed, max_qubits=3, max_gates=4, with_slots=False)
        foreign = pytket.Circuit(circuit.n_qubits + 1)
        box = library.CircBox(to_pytket(circuit))
        foreign.add_gate(library.QControlBox(box, 1), list(range(circuit.n_qubits + 1)))
        expected = circuit_matrix(circuit.controlled())
        assert np.abs(circuit_matrix(from_pytket(foreign)) - expected).max() < TOLERANCE, seed


def cases():
    """Every gate of a fixed number of angles, on as many qubits as it takes."""
    found = []
    for name, kind in OpType.__members__.items():
        for n_angles in range(5):
            for width in range(1, 5):
                try:
                    pytket.Circuit(width).add_gate(kind, [0.1] * n_angles, list(range(width))).get_unitary()
                except Exception:  # whatever pytket says of a wrong number of angles or qubits
                    continue
                found.append((name, n_angles, width))
    return found


def test_gates_are_their_matrices():
    random, tried = np.random.default_rng(4), cases()
    assert len({name for name, _, _ in tried}) > 50
    for name, n_angles, width in tried:
        circuit = pytket.Circuit(width)
        circuit.add_gate(
            getattr(OpType, name), random.uniform(-3, 3, n_angles).tolist(), random.permutation(width).tolist()
        )
        assert agrees(circuit), name


def box(made, *qubits) -> pytket.Circuit:
    circuit = pytket.Circuit(max(qubits) + 1)
    circuit.add_gate(made, list(qubits))
    return circuit


def unitary(size: int) -> np.ndarray:
    random = np.random.default_rng(size)
    return np.linalg.qr(random.normal(size=(size, size)) + 1j * random.normal(size=(size, size)))[0]


@pytest.mark.parametrize("make", [
    lambda: box(library.Unitary1qBox(unitary(2)), 0),
    lambda: box(library.Unitary2qBox(unitary(4)), 1, 0),
    lambda: box(library.Unitary3qBox(unitary(8)), 2, 0, 1),
    lambda: box(library.ExpBox(np.diag([0.1, 0.2, 0.3, 0.4]), 0.5), 1, 0),
    lambda: box(library.PauliExpBox([pytket.pauli.Pauli.X, pytket.pauli.Pauli.I, pytket.pauli.Pauli.Y], 0.3), 2, 0, 1),
    lambda: box(library.ToffoliBox([([False, True], [True, False]), ([True, False], [False, True])]), 0, 1),
    lambda: box(library.DiagonalBox(np.exp(1j * np.arange(4))), 1, 0),
    lambda: box(library.QControlBox(Op.create(OpType.Rz, [0.3]), 2, [False, True]), 2, 0, 1),
    lambda: box(library.QControlBox(Op.create(OpType.Phase, [0.3]), 1), 0),
    lambda: box(library.CircBox(pytket.Circuit(2).CX(0, 1).add_phase(0.3)), 1, 0),
    lambda: box(library.StatePreparationBox(unitary(4)[0]), 1, 0),
    lambda: box(library.MultiplexedRotationBox([0.1, 0.2, 0.3, 0.4], OpType.Rz), 2, 1, 0),
])  # fmt: skip
def test_boxes_are_their_matrices(make):
    assert agrees(make())


def test_permutations_that_a_circuit_carries_along_are_read():
    circuit = pytket.Circuit(3).H(0).CX(0, 1).SWAP(0, 2).SWAP(1, 2).T(2)
    circuit.replace_SWAPs()
    assert circuit.has_implicit_wireswaps
    assert agrees(circuit)


def test_symbols_in_half_turns():
    b, a, x = sympy.symbols("b a x")
    circuit = pytket.Circuit(2).Rx(2 * b + 1, 0).U3(x, a / sympy.pi, -x, 1).add_phase(a + b)
    circuit.add_gate(library.QControlBox(library.CircBox(pytket.Circuit(1).Rz(a, 0).add_phase(a)), 1), [0, 1])
    ours = from_pytket(circuit, inputs=["x"])
    assert [block.name for block in ours.weight_slots] == ["b", "a"]
    bound = circuit.copy()
    bound.symbol_substitution({b: 0.3, a: 0.4, x: 0.5})
    assert np.abs(circuit_matrix(ours, [0.5], [0.3, 0.4]) - bound.get_unitary()).max() < TOLERANCE
    assert from_pytket(to_pytket(ours)).gate_counts()["rx"] == 1


def test_what_is_not_linear_in_one_symbol_is_refused():
    a, b = sympy.symbols("a b")
    for angle in (a * b, a + b, sympy.sin(a)):
        with pytest.raises(CircuitError, match="a \\* x \\+ b of one parameter"):
            from_pytket(pytket.Circuit(1).Rx(angle, 0))


def test_registers_stand_in_the_order_of_their_names():
    circuit = pytket.Circuit()
    z, a, c = circuit.add_q_register("z", 1), circuit.add_q_register("a", 1), circuit.add_c_register("c", 2)
    circuit.X(z[0]).Measure(z[0], c[0]).Measure(a[0], c[1])
    ours = from_pytket(circuit)
    assert [op.qubits for op in ours.operations if op.gate.name == "x"] == [(1,)]
    assert ql.distribution(ours) == {"10": 1.0}


def test_random_programs_come_back_with_their_distribution():
    for seed in range(150):
        circuit = random_program(seed)
        assert same_distribution(ql.distribution(from_pytket(to_pytket(circuit))), ql.distribution(circuit)), seed


def test_conditions_read_their_first_bit_as_the_lowest():
    circuit = pytket.Circuit(3, 4).X(0).Measure(0, 0).Measure(1, 1)
    circuit.X(1, condition_bits=[0, 1], condition_value=1).X(2, condition_bits=[0, 1], condition_value=2)
    circuit.Measure(1, 2).Measure(2, 3)
    assert ql.distribution(from_pytket(circuit)) == {"1010": 1.0}
    conditional = pytket.Circuit(2, 2).X(0).Measure(0, 0).Measure(0, 1, condition_bits=[0], condition_value=1)
    assert ql.distribution(from_pytket(conditional)) == {"11": 1.0}


def test_a_measurement_without_a_bit_is_a_collapse():
    circuit = Circuit(1).h(0).measure(0).h(0).reset(0).h(0).measure(0, 0)
    foreign = to_pytket(circuit)
    assert foreign.n_gates_of_type(OpType.Collapse) == 1
    assert from_pytket(foreign) == circuit


def test_what_has_no_meaning_is_refused_by_name():
    circuit = pytket.Circuit(1, 2).add_c_setbits([True], [0])
    with pytest.raises(UnsupportedError, match="SetBits"):
        from_pytket(circuit)
    with pytest.raises(CircuitError, match="expected a pytket"):
        from_pytket(Circuit(1))
    for noisy in (Circuit(1).bit_flip(0.1, 0), Circuit(1).readout_error(0.1, 0.2, 0)):
        with pytest.raises(UnsupportedError, match="no form in pytket"):
            to_pytket(noisy)
