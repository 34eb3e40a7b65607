"""Circuits from Cirq and to it.

Cirq's gates are powers: X**t turns by pi * t and has eigenvalue 1 on |+>, so that powers have phases that rotations do
not. Parametrized gates that have no meaning here are taken apart by Cirq's own decomposition, which is checked against
its matrix at random numbers, since some decompositions lose phases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from qloom.circuits.channels import CHANNELS, depolarizing_gate, kraus_gate
from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import Condition, bits_written, measured_gate
from qloom.circuits.exchange.gate_names import Step, fsim, phased_iswap
from qloom.circuits.exchange.symbols import Symbols, expression_of, sympy_symbols
from qloom.circuits.gate import Scalar
from qloom.circuits.gates import GATES, controlled_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parts import (
    MOST_MATRIX_QUBITS,
    Part,
    alone,
    as_numbers,
    bound_part,
    checked_circuit,
    checked_foreign,
    condition_where,
    conditional_part,
    controlled_part,
    finished,
    kraus_of,
    matrix_part,
    numbers_of,
    part_matrix,
    placed,
    refused,
    simpler,
    split_conditions,
    split_controls,
    values_of,
    with_start,
)
from qloom.circuits.transfer import words
from qloom.errors import UnsupportedError
from qloom.extras import package

π = np.pi
_SMALL = 1e-8


def from_cirq(circuit: Any, inputs: Sequence[str] = (), qubits: Sequence[Any] | None = None) -> Circuit:
    """The circuit of a `cirq.Circuit`.

    Its symbols are weights in the order in which they occur; symbols "x[0]", "x[1]", ... are one block. A measurement
    key has its bits in the order of its qubits, keys in the order in which they are measured; a key measured again has
    new bits, and conditions read its last. Global phases are kept.

    Args:
        circuit: Cirq's.
        inputs: names of symbols that are inputs, one value a sample.
        qubits: Cirq's, in order; None for those that occur, in Cirq's own order.

    Raises:
        ExtraError: without Cirq.
        CircuitError: for an angle that is no a * x + b of one symbol.
        UnsupportedError: for an operation that has no meaning here, by its name.
    """
    cirq = package("cirq", "from_cirq", "exchange", brought_by="cirq-core")
    checked_foreign(circuit, cirq.Circuit, "from_cirq")
    flat = _unrolled(cirq, circuit)
    operations = list(flat.all_operations())
    order = list(cirq.QubitOrder.as_qubit_order(qubits or cirq.QubitOrder.DEFAULT).order_for(flat.all_qubits()))
    out = Circuit(max(1, len(order)))
    symbols = Symbols(out, [name for op in operations for name in sorted(cirq.parameter_names(op))], inputs)
    reader = _Reader(cirq, symbols, {q: k for k, q in enumerate(order)})
    part = [op for operation in operations for op in reader.operation_part(operation)]
    if reader.n_bits:
        out.bits(reader.n_bits)
    return finished(out, part)


def _unrolled(cirq: Any, circuit: Any) -> Any:
    try:
        return cirq.unroll_circuit_op(circuit, deep=True, tags_to_check=None)
    except ValueError as error:
        raise UnsupportedError(
            f"a part of the Cirq circuit is not written out ({error}), expected no repeat_until and a number of rounds"
        ) from None


class _Reader:
    def __init__(self, cirq: Any, symbols: Symbols, places: Mapping[Any, int]):
        self.cirq, self.symbols, self.places = cirq, symbols, places
        self.n_bits = 0
        self.records: dict[Any, list[tuple[int, ...]]] = {}  # measurement key -> bits of each measurement

    def operation_part(self, op: Any) -> Part:
        cirq, op = self.cirq, op.untagged
        if isinstance(op, cirq.ClassicallyControlledOperation):
            part = self.operation_part(op.without_classical_controls())
            for control in op.classical_controls:
                part = conditional_part(part, self.condition(control), str(op))
            return part
        if any(size != 2 for size in cirq.qid_shape(op)):
            raise UnsupportedError(f"Cirq's {op} is on qudits, expected qubits")
        qubits = [self.places[q] for q in op.qubits]
        if isinstance(op, cirq.ControlledOperation):
            return self.under_controls(op.control_values, self.operation_part(op.sub_operation), qubits, str(op))
        if op.gate is None:
            return self.other_part(op, qubits)
        return self.gate_part(op, op.gate, qubits)

    def gate_part(self, op: Any, gate: Any, qubits: Sequence[int]) -> Part:
        cirq = self.cirq
        if isinstance(gate, cirq.ControlledGate):
            inner = gate.sub_gate.on(*op.qubits[gate.num_controls() :])
            return self.under_controls(gate.control_values, self.operation_part(inner), qubits, str(op))
        if isinstance(gate, cirq.MeasurementGate):
            return self.measurement_part(gate, qubits)
        kind = type(gate)
        if isinstance(gate, cirq.Pauli):
            return alone(str(gate).lower(), qubits)
        if kind.__name__ in CIRQ_GATES and kind is getattr(cirq, kind.__name__, None):
            return placed(CIRQ_GATES[kind.__name__](self, gate), qubits)
        return self.other_part(op, qubits)

    def under_controls(self, values: Any, part: Part, qubits: Sequence[int], name: str) -> Part:
        """A part where the controls have one of the combinations of values."""
        out = Part()
        for combination in values.expand():
            out += controlled_part(part, qubits[: len(combination)], combination, name)
        return out

    def other_part(self, op: Any, qubits: Sequence[int]) -> Part:
        """By its matrix, by Kraus operators, or taken apart: always so where it measures."""
        cirq = self.cirq
        if cirq.is_measurement(op):
            inner = (
                op.mapped_circuit() if isinstance(op, cirq.CircuitOperation) else cirq.Circuit(cirq.decompose_once(op))
            )
            return [one for each in inner.all_operations() for one in self.operation_part(each)]
        if len(qubits) <= MOST_MATRIX_QUBITS and (matrix := cirq.unitary(op, None)) is not None:
            return matrix_part(matrix, qubits, str(op))
        inner = None if cirq.has_kraus(op) and not cirq.has_unitary(op) else cirq.decompose_once(op, None)
        if inner is not None:
            part = [one for each in inner for one in self.operation_part(each)]
            self.check_decomposition(op, part, qubits)
            return part
        kraus = cirq.kraus(op, None)
        if kraus is None:
            raise UnsupportedError(
                f"Cirq's {op} has no gate here, no matrix of numbers and no decomposition; replace it or bind it"
            )
        return alone(kraus_gate(kraus), qubits)

    def check_decomposition(self, op: Any, part: Part, qubits: Sequence[int]) -> None:
        """Raise if Cirq's decomposition of a gate with symbols differs from its matrix, at numbers at random."""
        cirq = self.cirq
        names = sorted(cirq.parameter_names(op))
        if not names or len(qubits) > MOST_MATRIX_QUBITS:
            return
        numbers = np.random.default_rng(0).uniform(0.2, 1.2, len(names))
        matrix = cirq.unitary(cirq.resolve_parameters(op, dict(zip(names, numbers, strict=True))), None)
        if matrix is None:
            return
        found = part_matrix(bound_part(part, self.symbols.values(names, numbers)), qubits, str(op))
        if np.abs(found - matrix).max() > _SMALL:
            raise UnsupportedError(f"Cirq's decomposition of {op} is not its matrix; bind its symbols first")

    # -- angles

    def is_symbolic(self, value: Any) -> bool:
        return bool(self.cirq.is_parameterized(value))

    def angle(self, value: Any, what: Any = "an angle") -> Scalar:
        """Of a number or an expression, in radians."""
        return self.symbols.angle(value, f"Cirq's {what}")

    def turn(self, value: Any, what: Any = "an exponent") -> Scalar:
        """Of an exponent, times pi: exactly where pi cancels."""
        if self.is_symbolic(value):
            import sympy

            return self.angle(value * sympy.pi, what)
        return self.angle(value, what) * π

    # -- bits

    def measurement_part(self, gate: Any, qubits: Sequence[int]) -> Part:
        if gate.confusion_map:
            raise UnsupportedError(f"Cirq's {gate} has a confusion map, expected none; use a readout error of qloom")
        bits = tuple(range(self.n_bits, self.n_bits + len(qubits)))
        self.n_bits += len(bits)
        self.records.setdefault(gate.mkey, []).append(bits)
        part = Part()
        for q, bit, is_inverted in zip(qubits, bits, gate.full_invert_mask(), strict=True):
            flip = alone("x", (q,)) if is_inverted else []
            part += [*flip, *alone(measured_gate(bit), (q,)), *flip]
        return part

    def condition(self, condition: Any) -> Condition:
        """Asked of Cirq for all values of the bits that it reads."""
        cirq = self.cirq
        missing = [str(key) for key in condition.keys if key not in self.records]
        if missing:
            raise UnsupportedError(f"Cirq's condition reads the key {missing[0]!r} before it is measured")
        known = {key: self.records[key] for key in condition.keys}

        def holds(bits: dict[int, int]) -> bool:
            records = {key: [tuple(bits[b] for b in one) for one in taken] for key, taken in known.items()}
            store = cirq.ClassicalDataDictionaryStore(
                _records=records,
                _measured_qubits={key: [cirq.LineQubit.range(len(one)) for one in records[key]] for key in records},
            )
            return bool(condition.resolve(store))

        return condition_where([b for taken in known.values() for one in taken for b in one], holds, str(condition))


# -- what Cirq's gates are


Read = Callable[[Any, Any], list[Step]]  # a reader of angles, the gate
_PAULI_POWERS = {
    ("X", 1.0): "x", ("Y", 1.0): "y", ("Z", 1.0): "z", ("X", 0.5): "sx", ("X", -0.5): "sxdg", ("Z", 0.5): "s",
    ("Z", -0.5): "sdg", ("Z", 0.25): "t", ("Z", -0.25): "tdg",
}  # fmt: skip
_ROTATIONS = {"X": "rx", "Y": "ry", "Z": "rz", "XX": "rxx", "YY": "ryy", "ZZ": "rzz"}


def _pauli_power(word: str) -> Read:
    def read(reader: Any, gate: Any) -> list[Step]:
        turn, shift, places = reader.turn(gate.exponent, gate), gate.global_shift, range(len(word))
        named = None if reader.is_symbolic(gate.exponent) else _PAULI_POWERS.get((word, gate.exponent))
        if named and shift == 0:
            return [(named, (), places)]
        return [(_ROTATIONS[word], (turn,), places), *_phase(turn * (0.5 + shift))]

    return read


def _phase(angle: Scalar) -> list[Step]:
    return [] if angle == 0 or (not isinstance(angle, float) and (angle.scale, angle.offset) == (0, 0)) else [
        ("global_phase", (angle,), ())
    ]  # fmt: skip


def _hadamard(reader: Any, gate: Any) -> list[Step]:
    turn, around = reader.turn(gate.exponent, gate), π / 4
    if gate.exponent == 1 and gate.global_shift == 0:
        return [("h", (), (0,))]
    return [("ry", (-around,), (0,)), ("p", (turn,), (0,)), ("ry", (around,), (0,)), *_phase(turn * gate.global_shift)]


def _controlled_power(name: str, n_controls: int) -> Read:
    """X, Y or Z to a power where controls are 1; the global shift is one of the whole gate."""

    def read(reader: Any, gate: Any) -> list[Step]:
        turn, n = reader.turn(gate.exponent, gate), n_controls + 1
        shift = _phase(turn * gate.global_shift)
        whole = GATES[name]
        for _ in range(n_controls):
            whole = controlled_gate(whole)
        if gate.exponent == 1:
            return [(whole, (), range(n)), *shift]
        rotation, phase = GATES[f"r{name}"], GATES["p"]
        for k in range(n_controls):
            rotation = controlled_gate(rotation)
            phase = controlled_gate(phase) if k else phase
        return [(rotation, (turn,), range(n)), (phase, (turn / 2,), range(n_controls)), *shift]

    return read


def _swap(reader: Any, gate: Any) -> list[Step]:
    turn = reader.turn(gate.exponent, gate)
    if gate.exponent == 1:
        return [("swap", (), (0, 1)), *_phase(turn * gate.global_shift)]
    parts: list[Step] = [(name, (turn / 2,), (0, 1)) for name in ("rxx", "ryy", "rzz")]
    return [*parts, *_phase(turn * (0.25 + gate.global_shift))]


def _iswap(reader: Any, gate: Any) -> list[Step]:
    turn = reader.turn(gate.exponent, gate)
    named: Step = ("iswap", (), (0, 1)) if gate.exponent == 1 else ("xy", (turn,), (0, 1))
    return [named, *_phase(turn * gate.global_shift)]


def _phased_x(reader: Any, gate: Any) -> list[Step]:
    turn, axis = reader.turn(gate.exponent, gate), reader.turn(gate.phase_exponent, gate)
    return [("r", (turn, axis), (0,)), *_phase(turn * (0.5 + gate.global_shift))]


def _phased_xz(reader: Any, gate: Any) -> list[Step]:
    x, z, axis = (reader.turn(value, gate) for value in (gate.x_exponent, gate.z_exponent, gate.axis_phase_exponent))
    return [("r", (x, axis), (0,)), *_phase(x / 2), ("p", (z,), (0,))]


def _phased_i_swap(reader: Any, gate: Any) -> list[Step]:
    return phased_iswap(reader.turn(gate.phase_exponent, gate), reader.turn(gate.exponent, gate))


def _global_phase(reader: Any, gate: Any) -> list[Step]:
    if reader.is_symbolic(gate):
        raise UnsupportedError(f"Cirq's {gate} has a symbol, expected a number; use Rz and Z**t, which keep a phase")
    return _phase(float(np.angle(complex(gate.coefficient))))


def _dense_pauli(reader: Any, gate: Any) -> list[Step]:
    letters = "".join("IXYZ"[k] for k in gate.pauli_mask)
    steps: list[Step] = [(letter.lower(), (), (k,)) for k, letter in enumerate(letters) if letter != "I"]
    return [*steps, *_phase(float(np.angle(complex(gate.coefficient))))]


def _channel(name: str, *rates: str) -> Read:
    return lambda reader, gate: [(CHANNELS[name], [reader.angle(getattr(gate, rate), gate) for rate in rates], (0,))]


def _flip(name: str, whole: str) -> Read:
    return lambda reader, gate: [(name, (reader.angle(gate.p, gate),), (0,))] if gate.p is not None else [
        (whole, (), (0,))
    ]  # fmt: skip


def _generalized_damping(reader: Any, gate: Any) -> list[Step]:
    # Cirq's p is the share that |0> has in the end.
    return [("generalized_amplitude_damping", (gate.gamma, 1 - gate.p), (0,))]


def _depolarizing(reader: Any, gate: Any) -> list[Step]:
    return [(depolarizing_gate(gate.n_qubits), (reader.angle(gate.p, gate),), range(gate.n_qubits))]


CIRQ_GATES: dict[str, Read] = {
    **{name: _pauli_power(word) for name, word in {
        "XPowGate": "X", "YPowGate": "Y", "ZPowGate": "Z", "Rx": "X", "Ry": "Y", "Rz": "Z",
        "XXPowGate": "XX", "YYPowGate": "YY", "ZZPowGate": "ZZ", "MSGate": "XX",
    }.items()},
    "HPowGate": _hadamard,
    "CXPowGate": _controlled_power("x", 1), "CYPowGate": _controlled_power("y", 1),
    "CZPowGate": _controlled_power("z", 1), "CCXPowGate": _controlled_power("x", 2),
    "CCYPowGate": _controlled_power("y", 2), "CCZPowGate": _controlled_power("z", 2),
    "SwapPowGate": _swap, "ISwapPowGate": _iswap, "CSwapGate": lambda reader, gate: [("cswap", (), (0, 1, 2))],
    "PhasedXPowGate": _phased_x, "PhasedXZGate": _phased_xz, "PhasedISwapPowGate": _phased_i_swap,
    "FSimGate": lambda reader, gate: fsim(reader.angle(gate.theta, gate), reader.angle(gate.phi, gate)),
    "GlobalPhaseGate": _global_phase, "DensePauliString": _dense_pauli,
    "IdentityGate": lambda reader, gate: [("id", (), (k,)) for k in range(gate.num_qubits())],
    "WaitGate": lambda reader, gate: [],
    "ResetChannel": lambda reader, gate: [("reset", (), (0,))],
    "BitFlipChannel": _flip("bit_flip", "x"), "PhaseFlipChannel": _flip("phase_flip", "z"),
    "AmplitudeDampingChannel": _channel("amplitude_damping", "gamma"),
    "PhaseDampingChannel": _channel("phase_damping", "gamma"),
    "GeneralizedAmplitudeDampingChannel": _generalized_damping, "DepolarizingChannel": _depolarizing,
}  # fmt: skip


# -- writing


def to_cirq(circuit: Circuit) -> Any:
    """The circuit as a `cirq.Circuit` on `cirq.LineQubit.range(n)`.

    Slots are symbols of their blocks' names, elements "w[0]", "w[1]", .... A bit k is the key "bk"; one that is written
    again is the key measured again. Qubits that nothing acts on have an identity. Gates without a name in Cirq are
    matrices, controlled gates, or products of Pauli rotations; channels are Kraus operators. Global phases are kept.

    Raises:
        ExtraError: without Cirq.
        UnsupportedError: for readout errors, measurements under a condition, channels whose rates are slots, amplitudes
            that are inputs.
    """
    cirq = package("cirq", "to_cirq", "exchange", brought_by="cirq-core")
    part = with_start(checked_circuit(circuit, "to_cirq"), "to_cirq")
    writer = _Writer(cirq, circuit)
    written = [one for op in part for one in writer.operation(op)]
    seen = {q for one in written for q in one.qubits}
    return cirq.Circuit([cirq.I(q) for q in writer.qubits if q not in seen], written)


class _Writer:
    def __init__(self, cirq: Any, circuit: Circuit):
        self.cirq, self.symbols = cirq, sympy_symbols(circuit)
        self.qubits = cirq.LineQubit.range(circuit.n_qubits)
        self.written: set[int] = set()
        self.n_unread = 0

    def operation(self, op: Operation) -> list[Any]:
        inner, condition = split_conditions(op)
        if condition is None:
            return self.one(inner)
        if inner.gate.kind == "measurement":
            raise UnsupportedError("to_cirq got a measurement under a condition, which Cirq has not; measure always")
        control = self.condition(condition)
        found = [] if inner.gate.name == "global_phase" or control is False else self.one(inner)
        under = [one for one in found if one.qubits]  # branches of different bits never meet again
        return under if control is True else [one.with_classical_controls(control) for one in under]

    def condition(self, condition: Condition) -> Any:
        """Cirq's condition; True or False where no bit that it reads has been written."""
        import sympy

        bits = {b: sympy.Symbol(f"b{b}") if b in self.written else sympy.Integer(0) for b in condition.bits}
        number = sum(bits[b] * 2**k for k, b in enumerate(condition.bits))
        values = values_of(condition)
        if number.is_number:
            return int(number) in values
        if len(condition.bits) == 1 and values == [1]:
            return f"b{condition.bits[0]}"
        return sympy.Eq(sympy.prod([number - value for value in values]), 0)

    def one(self, op: Operation) -> list[Any]:
        cirq, kind, qubits = self.cirq, op.gate.kind, [self.qubits[q] for q in op.qubits]
        if kind == "measurement":
            bits = bits_written(op.gate)
            self.written.update(bits)
            self.n_unread += not bits
            return [cirq.measure(*qubits, key=f"b{bits[0]}" if bits else f"unread_{self.n_unread - 1}")]
        if kind == "reset":
            return [cirq.reset(qubits[0])]
        if kind == "channel":
            return [self.channel(op).on(*qubits)]
        if kind != "unitary":
            raise refused(op, "Cirq")
        if op.gate.name == "global_phase":
            return self.phase(op)
        gate = self.gate(op)
        return [gate.on(*qubits)] if gate is not None else [one for each in simpler(op) for one in self.one(each)]

    def phase(self, op: Operation) -> list[Any]:
        """A number as such; with a slot Z**t and the rotation back, which leaves the phase."""
        cirq, angle = self.cirq, op.angles[0]
        if angle.is_number:
            return [cirq.global_phase_operation(np.exp(1j * angle.offset))]
        return [
            cirq.ZPowGate(exponent=self.exponent(2 * angle)).on(self.qubits[0]),
            cirq.rz(expression_of(-2 * angle, self.symbols)).on(self.qubits[0]),
        ]

    def exponent(self, angle: Any) -> Any:
        import sympy

        value = expression_of(angle, self.symbols)
        return value / π if angle.is_number else value / sympy.pi

    def channel(self, op: Operation) -> Any:
        """By its name where Cirq has one: its final_density_matrix takes no Kraus operators."""
        cirq, gate, rates = self.cirq, op.gate, numbers_of(op, "to_cirq")
        if gate.name == "depolarizing":
            return cirq.depolarize(*rates, n_qubits=gate.n_qubits)
        if gate.name in _CHANNELS:
            return getattr(cirq, _CHANNELS[gate.name])(*rates)
        if gate.name == "generalized_amplitude_damping":
            return cirq.generalized_amplitude_damp(1 - rates[1], rates[0])
        if gate.pauli is not None:
            found = zip(words(gate.n_qubits), np.asarray(gate.pauli(*rates), float).tolist(), strict=True)
            return cirq.asymmetric_depolarize(error_probabilities=dict(found))
        return cirq.KrausChannel(kraus_of(op, "to_cirq"))

    def gate(self, op: Operation) -> Any:
        """Cirq's gate, or None where there is none."""
        cirq, name = self.cirq, op.gate.name
        if name in _PLAIN:
            base, exponent = _PLAIN[name]
            return getattr(cirq, base) ** exponent
        if name in _TURNS:
            return getattr(cirq, _TURNS[name])(exponent=self.exponent(op.angles[0]))
        if name in _SHIFTED:
            return getattr(cirq, _SHIFTED[name])(exponent=self.exponent(op.angles[0]), global_shift=-0.5)
        if name in ("rx", "ry", "rz"):
            return getattr(cirq, name)(expression_of(op.angles[0], self.symbols))
        if name == "r":
            turn, axis = map(self.exponent, op.angles)
            return cirq.PhasedXPowGate(exponent=turn, phase_exponent=axis, global_shift=-0.5)
        if name in ("unitary", "diagonal"):
            return cirq.MatrixGate(op.gate.matrix())
        if name in ("crx", "cry", "crz"):
            return getattr(cirq, name[1:])(expression_of(op.angles[0], self.symbols)).controlled()
        if name == "controlled":
            return self.controlled(op)
        return None

    def controlled(self, op: Operation) -> Any:
        count, inner = split_controls(op)
        if inner.gate.name == "global_phase":
            return None
        gate = self.gate(inner)
        if gate is None and as_numbers(inner.angles) and inner.gate.n_qubits <= MOST_MATRIX_QUBITS:
            gate = self.cirq.MatrixGate(inner.gate.matrix(*(angle.offset for angle in inner.angles)))
        return None if gate is None else self.cirq.ControlledGate(gate, num_controls=count)


_PLAIN = {
    "id": ("I", 1), "x": ("X", 1), "y": ("Y", 1), "z": ("Z", 1), "h": ("H", 1), "s": ("S", 1), "sdg": ("S", -1),
    "t": ("T", 1), "tdg": ("T", -1), "sx": ("X", 0.5), "sxdg": ("X", -0.5), "cx": ("CX", 1), "cz": ("CZ", 1),
    "swap": ("SWAP", 1), "iswap": ("ISWAP", 1), "ccx": ("CCX", 1), "ccz": ("CCZ", 1), "cswap": ("CSWAP", 1),
    "cs": ("CZ", 0.5), "csdg": ("CZ", -0.5), "csx": ("CX", 0.5),
}  # fmt: skip
_CHANNELS = {
    "bit_flip": "bit_flip", "phase_flip": "phase_flip", "amplitude_damping": "amplitude_damp",
    "phase_damping": "phase_damp",
}  # fmt: skip
_TURNS = {"p": "ZPowGate", "cp": "CZPowGate", "xy": "ISwapPowGate"}
_SHIFTED = {"rxx": "XXPowGate", "ryy": "YYPowGate", "rzz": "ZZPowGate"}
