"""Circuits: slots, gates, initial states, circuits from circuits, and every refusal."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings

import qloom as ql
from qloom.circuits import GATES, Amplitudes, Angle, Circuit
from qloom.circuits.parameters import as_angle
from qloom.errors import CircuitError, QloomError
from tests.circuits.dense import angle_value, circuit_matrix, embed
from tests.circuits.strategies import circuits, random_state, random_values

few = settings(max_examples=40, deadline=None)


class TestSlots:
    def test_inputs_and_weights_count_on(self) -> None:
        circuit = Circuit(1)
        x, w = circuit.inputs(2), circuit.weights(2, 3)
        more = circuit.weights(1)
        assert [slot.index for slot in x] == [0, 1]
        assert w.shape == (2, 3)
        assert [slot.index for slot in w.ravel()] == [0, 1, 2, 3, 4, 5]
        assert more[0] == Angle("weight", 6)
        assert (circuit.n_inputs, circuit.n_weights) == (2, 7)

    @pytest.mark.parametrize(
        ("make", "expected"),
        [
            (lambda s: 2 * s + 0.1, 2 * 1.7 + 0.1),
            (lambda s: s * 2 - 0.1, 2 * 1.7 - 0.1),
            (lambda s: 0.5 - s, 0.5 - 1.7),
            (lambda s: -(s + 1) / 2, -(1.7 + 1) / 2),
            (lambda s: 3 * (s + 0.5) * 2, 6 * (1.7 + 0.5)),
            (lambda s: s + s, 2 * 1.7),
            (lambda s: 2 * s - s, 1.7),
            (lambda s: s - as_angle(0.25), 1.7 - 0.25),
            (lambda s: as_angle(0.25) + s, 1.7 + 0.25),
            (lambda s: s * np.float64(2) + np.int64(1), 2 * 1.7 + 1),
            (lambda s: as_angle(0.5) * 3 + 1, 2.5),
        ],
    )
    def test_arithmetic(self, make: Callable[[Angle], Angle], expected: float) -> None:
        assert angle_value(make(Angle("input", 0)), [1.7]) == pytest.approx(expected)

    def test_arithmetic_of_whole_arrays(self) -> None:
        scaled = 2 * Circuit(1).inputs(3) + np.array([0.0, 0.1, 0.2])
        assert [angle_value(a, [1.0, 2.0, 3.0]) for a in scaled] == pytest.approx([2.0, 4.1, 6.2])

    def test_products_and_sums_of_two_slots_are_refused(self) -> None:
        x = Circuit(1).inputs(2)
        with pytest.raises(CircuitError, match=r"product of two angle slots .* input of its own"):
            x[0] * x[1]
        with pytest.raises(CircuitError, match="sum of two different angle slots"):
            x[0] + x[1]
        with pytest.raises(CircuitError, match="sum of two different angle slots"):
            x[0] - Circuit(1).weights(1)[0]
        with pytest.raises(TypeError):
            x[0] * "2"
        with pytest.raises(TypeError):
            x[0] + None

    @pytest.mark.parametrize(
        ("angle", "text"),
        [
            (Angle("input", 3), "x[3]"),
            (-Angle("weight", 0), "-w[0]"),
            (2 * Angle("weight", 1) + 0.1, "2*w[1]+0.1"),
            (Angle("input", 0) - 1, "x[0]-1"),
            (as_angle(0.5), "0.5"),
        ],
    )
    def test_repr(self, angle: Angle, text: str) -> None:
        assert repr(angle) == text

    @pytest.mark.parametrize("value", ["0.1", None, [0.1], 1j, np.zeros(2)])
    def test_no_angle(self, value: object) -> None:
        with pytest.raises(CircuitError, match="expected a number or a slot"):
            Circuit(1).rx(value, 0)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), Angle("input", 0, float("inf"))])
    def test_angle_that_is_not_finite(self, value: object) -> None:
        circuit = Circuit(1)
        circuit.inputs(1)
        with pytest.raises(CircuitError, match="not finite"):
            circuit.rx(value, 0)

    def test_zero_dimensional_array_is_a_number(self) -> None:
        assert Circuit(1).rx(np.array(0.5), 0) == Circuit(1).rx(0.5, 0)

    def test_slot_of_another_circuit(self) -> None:
        with pytest.raises(CircuitError, match=r"x\[0\] is a slot of another circuit; this one has 0 input slots"):
            Circuit(1).rx(Circuit(1).inputs(1)[0], 0)

    @pytest.mark.parametrize("shape", [(-1,), (2.0,), ("2",)])
    def test_slot_shape(self, shape: tuple[object, ...]) -> None:
        with pytest.raises(CircuitError, match="slot array of shape"):
            Circuit(1).inputs(*shape)


class TestBuilding:
    @pytest.mark.parametrize("n_qubits", [0, -1, 2.0, "2", True, None])
    def test_n_qubits(self, n_qubits: object) -> None:
        with pytest.raises(CircuitError, match=r"n_qubits=.*, expected an integer of at least 1"):
            Circuit(n_qubits)

    def test_numpy_integers_are_integers(self) -> None:
        circuit = Circuit(np.int64(2)).cx(np.int32(1), np.int64(0))
        assert circuit == Circuit(2).cx(1, 0)
        assert type(circuit.operations[0].qubits[0]) is int

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda c: c.h(3), "h got qubit 3, expected 0 to 2"),
            (lambda c: c.h(-1), "h got qubit -1, expected 0 to 2"),
            (lambda c: c.h(0.0), "h got qubit 0.0, expected an integer; angles come first"),
            (lambda c: c.h(True), "h got qubit True, expected an integer"),
            (lambda c: c.cx(1, 1), r"cx got qubits \(1, 1\), expected different ones"),
            (
                lambda c: c.rx(0, 0.3),
                "rx got qubit 0.3, expected an integer; angles come first, qubits after",
            ),
            (lambda c: c.rx(0.3), r"rx takes \(angle, qubit\), got 1 arguments"),
            (lambda c: c.rot(1, 2, 0), r"rot takes \(angle0, angle1, angle2, qubit\), got 3"),
            (
                lambda c: c.append("ccx", (), (0, 1)),
                "ccx got 0 angles and 2 qubits, expected 0 and 3, angles first",
            ),
            (lambda c: c.append("hadamard", (), (0,)), "unknown gate 'hadamard'"),
            (
                lambda c: c.pauli_rotation(0.1, "XZ", (0,)),
                "pauli_rotation got 1 angles and 1 qubits, expected 1 and 2",
            ),
            (lambda c: c.unitary(np.eye(4), (0,)), "unitary got 0 angles and 1 qubits, expected 0 and 2"),
            (lambda c: c.diagonal(np.zeros(3), (0,)), r"diagonal has shape \(3,\), expected \(2\^k,\)"),
        ],
    )
    def test_gate_that_does_not_fit(self, build: Callable[[Circuit], Circuit], message: str) -> None:
        circuit = Circuit(3).h(0)
        with pytest.raises(CircuitError, match=message) as caught:
            build(circuit)
        assert "\n" not in str(caught.value)
        assert circuit == Circuit(3).h(0), "a refused gate leaves the circuit as it was"

    def test_unknown_method(self) -> None:
        with pytest.raises(AttributeError, match="hadamard"):
            Circuit(1).hadamard(0)

    def test_errors_are_of_the_tree(self) -> None:
        assert issubclass(CircuitError, QloomError)
        assert issubclass(CircuitError, ValueError)


class TestInitialStates:
    @pytest.mark.parametrize("bits", ["0110", [0, 1, 1, 0], (0, 1, 1, 0), np.array([0, 1, 1, 0])])
    def test_basis(self, bits: object) -> None:
        state = circuit_matrix(Circuit(4).prepare_basis(bits))[:, 0]
        assert state[0b0110] == 1

    @pytest.mark.parametrize("bits", ["01", "012", "01x", [0, 1, 2], [0, 1, -1]])
    def test_basis_of_no_bits(self, bits: object) -> None:
        with pytest.raises(CircuitError, match=r"basis state .*, expected 3 bits, each 0 or 1"):
            Circuit(3).prepare_basis(bits)

    def test_product(self) -> None:
        vectors = np.array([random_state(2, seed) for seed in range(3)])
        state = circuit_matrix(Circuit(3).prepare_product(vectors))[:, 0]
        np.testing.assert_allclose(state, np.kron(np.kron(vectors[0], vectors[1]), vectors[2]), atol=1e-12)

    def test_product_of_wrong_shape_or_norm(self) -> None:
        with pytest.raises(CircuitError, match=r"product state has shape \(3, 2\), expected \(2, 2\)"):
            Circuit(2).prepare_product(np.eye(3)[:, :2])
        with pytest.raises(CircuitError, match="has norm 2, expected 1; divide by its norm"):
            Circuit(1).prepare_product([[2, 0]])

    def test_fixed_amplitudes(self) -> None:
        vector = random_state(4, 0)
        circuit = Circuit(2).prepare_amplitudes(vector)
        np.testing.assert_array_equal(circuit.initial.values, vector)
        assert circuit.n_inputs == 0

    def test_amplitudes_from_inputs(self) -> None:
        circuit = Circuit(2)
        circuit.inputs(1)
        circuit.prepare_amplitudes(circuit.inputs(4), circuit.inputs(2, 2))
        assert circuit.initial == Amplitudes(real=1, imaginary=5)

    @pytest.mark.parametrize(
        ("amplitudes", "message"),
        [
            (np.ones(3) / 3**0.5, r"amplitudes have shape \(3,\), expected \(4,\)"),
            (np.eye(2) / 2**0.5, r"amplitudes have shape \(2, 2\), expected \(4,\)"),
            (np.ones(4), "has norm 2, expected 1"),
            (np.zeros(4), "has norm 0, expected 1"),
            (np.array([np.nan, 0, 0, 1]), "has norm nan, expected 1"),
        ],
    )
    def test_fixed_amplitudes_that_are_no_state(self, amplitudes: np.ndarray, message: str) -> None:
        with pytest.raises(CircuitError, match=message):
            Circuit(2).prepare_amplitudes(amplitudes)

    @pytest.mark.parametrize(
        "choose",
        [
            lambda c: c.inputs(3),
            lambda c: 2 * c.inputs(4),
            lambda c: c.inputs(4)[::-1],
            lambda c: c.weights(4),
            lambda c: np.array([], dtype=object),
        ],
    )
    def test_amplitude_slots_must_be_consecutive_bare_inputs(self, choose: Callable[[Circuit], np.ndarray]) -> None:
        circuit = Circuit(2)
        with pytest.raises(CircuitError, match=r"amplitudes need 4 consecutive unscaled input slots"):
            circuit.prepare_amplitudes(choose(circuit))

    def test_amplitude_slots_of_another_circuit(self) -> None:
        with pytest.raises(CircuitError):
            Circuit(1).prepare_amplitudes(Circuit(1).inputs(2))

    @pytest.mark.parametrize(
        "prepare",
        [
            lambda c: c.prepare_basis("11"),
            lambda c: c.prepare_product(np.eye(2)),
            lambda c: c.prepare_amplitudes(np.eye(4)[0]),
        ],
    )
    def test_initial_state_comes_first(self, prepare: Callable[[Circuit], Circuit]) -> None:
        prepare(Circuit(2))
        for started in (Circuit(2).h(0), Circuit(2).prepare_amplitudes(np.eye(4)[1])):
            with pytest.raises(CircuitError, match="comes after gates or another initial state, expected it first"):
                prepare(started)


class TestCircuitsFromCircuits:
    @few
    @given(circuits(max_qubits=3), circuits(max_qubits=3))
    def test_composition_is_the_product(self, a: Circuit, b: Circuit) -> None:
        if b.n_qubits > a.n_qubits:
            a, b = b, a
        both, places = a.compose(b, range(a.n_qubits)[::-1][: b.n_qubits]), range(a.n_qubits)[::-1]
        (xa, wa), (xb, wb) = random_values(a, 1, 0), random_values(b, 1, 1)
        expected = embed(circuit_matrix(b, xb[0], wb), places[: b.n_qubits], a.n_qubits) @ circuit_matrix(a, xa[0], wa)
        actual = circuit_matrix(both, [*xa[0], *xb[0]], [*wa, *wb])
        np.testing.assert_allclose(actual, expected, atol=1e-10)
        assert (both.n_inputs, both.n_weights) == (a.n_inputs + b.n_inputs, a.n_weights + b.n_weights)

    def test_plus_is_compose_and_leaves_both_alone(self) -> None:
        a, b = Circuit(2), Circuit(2)
        a.rx(a.inputs(1)[0], 0)
        b.ry(b.inputs(1)[0] * 2, 1).rz(b.weights(1)[0], 0)
        before = (a.copy(), b.copy())
        total = a + b
        assert (a, b) == before
        assert [repr(op.angles[0]) for op in total.operations] == ["x[0]", "2*x[1]", "w[0]"]
        with pytest.raises(TypeError):
            a + 1

    def test_composition_that_does_not_fit(self) -> None:
        with pytest.raises(CircuitError, match="cannot compose a circuit with a str, expected a Circuit"):
            Circuit(2).compose("x")
        with pytest.raises(CircuitError, match="composed circuit has 3 qubits, put on 3 of 2"):
            Circuit(2) + Circuit(3)
        with pytest.raises(CircuitError, match="composed circuit has 2 qubits, put on 1 of 3"):
            Circuit(3).compose(Circuit(2), (0,))
        with pytest.raises(CircuitError, match=r"compose got qubits \(1, 1\), expected different ones"):
            Circuit(3).compose(Circuit(2), (1, 1))
        with pytest.raises(CircuitError, match="compose got qubit 3"):
            Circuit(3).compose(Circuit(1), (3,))

    def test_composition_with_amplitudes(self) -> None:
        start, head = Circuit(1), Circuit(1)
        start.prepare_amplitudes(start.inputs(2))
        head.inputs(3)
        assert (head + start).initial == Amplitudes(real=3)
        assert (start + Circuit(1).h(0)).initial == start.initial
        for first in (Circuit(1).h(0), start):
            with pytest.raises(CircuitError, match="second circuit prepares amplitudes, expected it first"):
                first + start
        with pytest.raises(CircuitError, match="second circuit prepares amplitudes"):
            Circuit(2).compose(start, (1,))

    @few
    @given(circuits(max_qubits=3))
    def test_inverse_undoes(self, circuit: Circuit) -> None:
        x, w = random_values(circuit, 1, 0)
        product = circuit_matrix(circuit.inverse(), x[0], w) @ circuit_matrix(circuit, x[0], w)
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-10)

    @few
    @given(circuits(max_qubits=3))
    def test_controlled_is_block_diagonal(self, circuit: Circuit) -> None:
        x, w = random_values(circuit, 1, 0)
        matrix, size = circuit_matrix(circuit.controlled(), x[0], w), 2**circuit.n_qubits
        np.testing.assert_allclose(matrix[:size, :size], np.eye(size), atol=1e-12)
        np.testing.assert_allclose(matrix[size:, size:], circuit_matrix(circuit, x[0], w), atol=1e-10)
        assert not matrix[:size, size:].any()

    @few
    @given(circuits(max_qubits=3, max_gates=4))
    def test_repeat_has_new_weights_and_the_same_inputs(self, circuit: Circuit) -> None:
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=circuit.n_inputs), rng.normal(size=(3, circuit.n_weights))
        once = [circuit_matrix(circuit, x, layer) for layer in w]
        repeated = circuit.repeat(3)
        assert (repeated.n_inputs, repeated.n_weights) == (circuit.n_inputs, 3 * circuit.n_weights)
        np.testing.assert_allclose(circuit_matrix(repeated, x, w.ravel()), once[2] @ once[1] @ once[0], atol=1e-10)
        assert circuit.repeat(1) == circuit

    @pytest.mark.parametrize("times", [0, -1, 1.5, "2"])
    def test_repeat_times(self, times: object) -> None:
        with pytest.raises(CircuitError, match=r"times=.*, expected an integer of at least 1"):
            Circuit(1).repeat(times)

    def test_amplitudes_cannot_be_inverted_repeated_or_controlled(self) -> None:
        circuit = Circuit(1).prepare_amplitudes([0, 1])
        for name, change in {
            "inverse": circuit.inverse,
            "controlled": circuit.controlled,
            "repeat": lambda: circuit.repeat(2),
        }.items():
            with pytest.raises(CircuitError, match=f"{name} of a circuit that starts from given amplitudes"):
                change()

    def test_without_entanglers_keeps_slots_and_one_qubit_gates(self) -> None:
        circuit = Circuit(3)
        w = circuit.weights(3)
        circuit.rx(w[0], 0).cx(0, 1).crz(w[1], 1, 2).ccx(0, 1, 2).ry(w[2], 2)
        separable = circuit.without_entanglers()
        assert separable.gate_counts() == {"rx": 1, "ry": 1}
        assert separable.n_weights == 3
        assert len(circuit) == 5

    def test_copy_is_independent(self) -> None:
        circuit = Circuit(1).h(0)
        other = circuit.copy().x(0)
        assert (len(circuit), len(other)) == (1, 2)


class TestWhatItIs:
    @few
    @given(circuits(amplitudes=True))
    def test_equality_and_hash(self, circuit: Circuit) -> None:
        same = circuit.copy()
        assert same == circuit
        assert hash(same) == hash(circuit)
        assert len({same, circuit}) == 1
        assert same.h(0) != circuit

    def test_circuits_that_differ(self) -> None:
        base = Circuit(2).rx(0.5, 0)
        slots = Circuit(2).rx(0.5, 0)
        slots.weights(1)
        others = [
            Circuit(3).rx(0.5, 0),
            Circuit(2).rx(0.5, 1),
            Circuit(2).ry(0.5, 0),
            Circuit(2).rx(0.4, 0),
            slots,
        ]
        assert all(other != base for other in others)
        assert base != "rx"

    @few
    @given(circuits(amplitudes=True))
    def test_deepcopy(self, circuit: Circuit) -> None:
        assert copy.deepcopy(circuit) == circuit

    def test_counts_length_and_depth(self) -> None:
        circuit = Circuit(3).h(0).h(1).cx(0, 1).x(2).ccx(0, 1, 2)
        assert circuit.gate_counts() == {"h": 2, "cx": 1, "x": 1, "ccx": 1}
        assert len(circuit) == 5
        assert circuit.depth() == 3
        assert Circuit(2).depth() == 0
        assert Circuit(4).cx(0, 3).cx(1, 2).depth() == 1

    def test_repr_says_what_is_in_it(self) -> None:
        circuit = Circuit(2)
        circuit.rx(circuit.inputs(1)[0], 0).rx(circuit.weights(1)[0], 1).cx(0, 1)
        assert repr(circuit) == "Circuit(2 qubits, 1 inputs, 1 weights: 2 rx, 1 cx)"
        assert repr(Circuit(1)) == "Circuit(1 qubits, 0 inputs, 0 weights: no gates)"

    def test_public_names(self) -> None:
        assert ql.Circuit is Circuit
        assert all(hasattr(Circuit, name) for name in GATES)

    @few
    @given(circuits(amplitudes=True))
    def test_pickle(self, circuit: Circuit) -> None:
        assert pickle.loads(pickle.dumps(circuit)) == circuit


def test_counts_of_gates_have_a_name_of_their_own():
    circuit = ql.Circuit(1).h(0).h(0)
    assert circuit.gate_counts() == {"h": 2}
    with pytest.warns(DeprecationWarning, match=r"Circuit.counts\(\) is now gate_counts\(\)"):
        assert circuit.counts() == {"h": 2}


def test_gate_methods_say_what_they_take():
    assert str(inspect.signature(Circuit.rx)) == "(self, angle, qubit, /) -> 'Circuit'"
    assert str(inspect.signature(Circuit(2).cx)) == "(qubit0, qubit1, /) -> 'Circuit'"
    assert str(inspect.signature(Circuit.bit_flip)) == "(self, p, qubit, /) -> 'Circuit'"
    assert "``reset_error(p0, p1, qubit)``" in Circuit.reset_error.__doc__
