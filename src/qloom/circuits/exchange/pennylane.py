"""Circuits from PennyLane and to it.

PennyLane has numbers where others have parameters: a tape is read with its numbers, a function or QNode with slots for
its arguments. Its own decompositions may lose a global phase, which matters under a control; so gates of numbers are
read by their matrix, and the decomposition of one with slots is checked against its matrix at random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any

import numpy as np

from qloom.circuits.channels import CHANNELS, kraus_gate
from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import Condition, bits_written, measured_gate
from qloom.circuits.exchange.gate_names import meanings, written_names
from qloom.circuits.gate import Scalar
from qloom.circuits.gates import pauli_rotation_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.circuits.parts import (
    Part,
    alone,
    bound_part,
    checked_circuit,
    condition_where,
    conditional_part,
    controlled_part,
    finished,
    inverted_part,
    kraus_of,
    matrix_part,
    part_matrix,
    placed,
    powered_part,
    refused,
    simpler,
    split_conditions,
    split_controls,
    state_part,
    values_of,
    with_start,
)
from qloom.circuits.slots import Slots
from qloom.circuits.synthesis import diagonal_gate
from qloom.errors import CircuitError, UnsupportedError
from qloom.extras import package

_SMALL = 1e-8
# Wider gates are taken apart where they can be.
_MOST_DENSE_QUBITS = 4
_NOTHING = {"Barrier", "Snapshot", "WireCut"}


def from_pennylane(
    source: Any,
    inputs: Mapping[str, Sequence[int]] | None = None,
    weights: Mapping[str, Sequence[int]] | None = None,
    wires: Sequence[Any] | None = None,
) -> Circuit:
    """The circuit of a PennyLane `QuantumScript`, or of a function or QNode whose arguments become slots.

    A script's parameters are numbers. Of a function f(x, w), ``from_pennylane(f, {"x": (4,)}, {"w": (2, 3)})`` makes
    blocks of inputs "x" and weights "w" in these shapes, () for a single slot. Mid-circuit measurements have bits in
    their order; the measurements that a script ends with (expval, counts, ...) are left out. Global phases are kept.

    Args:
        source: the script, function or QNode.
        inputs: argument -> shape of those that are one value a sample.
        weights: argument -> shape of those that are trained.
        wires: in order of our qubits; None for those of a QNode's device, or else for those that occur, in numerical
            order or, where they are no numbers, in order of occurrence.

    Raises:
        ExtraError: without PennyLane.
        CircuitError: for a batch of parameters, or angles that are no a * x + b of one slot.
        UnsupportedError: for an operation that has no meaning here, by its name.
    """
    qml = package("pennylane", "from_pennylane", "exchange")
    slots = Circuit(1)
    arguments = _declared(slots, inputs or {}, weights or {})
    script = _script(qml, source, arguments)
    if wires is None and isinstance(source, qml.QNode) and source.device.wires:
        wires = list(source.device.wires)
    order = _order(script, wires)
    out = Circuit(max(1, len(order)))
    out.input_slots, out.weight_slots = slots.input_slots, slots.weight_slots
    reader = _Reader(qml, {wire: k for k, wire in enumerate(order)}, slots)
    part = [one for op in script.operations for one in reader.op_part(op)]
    if reader.bits:
        out.bits(len(reader.bits))
    return finished(out, part)


def _declared(slots: Circuit, inputs: Mapping[str, Any], weights: Mapping[str, Any]) -> dict[str, Any]:
    both = set(inputs) & set(weights)
    if both:
        raise CircuitError(f"argument {min(both)!r} is in inputs and in weights, expected one of them")
    made: dict[str, Any] = {name: slots.inputs(*shape, name=name) for name, shape in inputs.items()}
    made |= {name: slots.weights(*shape, name=name) for name, shape in weights.items()}
    return {name: array if array.ndim else array.item() for name, array in made.items()}


def _script(qml: Any, source: Any, arguments: Mapping[str, Any]) -> Any:
    if isinstance(source, qml.tape.QuantumScript):
        if arguments:
            raise CircuitError(
                "inputs or weights of a script, whose parameters are numbers; give the function or QNode"
            )
        return source
    if isinstance(source, qml.QNode):
        source = source.func
    if not callable(source):
        raise CircuitError(f"from_pennylane got a {type(source).__name__}, expected a QuantumScript, function or QNode")
    try:
        signature(source).bind(**arguments)
    except TypeError as error:
        raise CircuitError(
            f"the function got slots for {list(arguments)!r} ({error}), expected each of its arguments in inputs or "
            "weights"
        ) from None
    return qml.tape.make_qscript(source)(**arguments)


def _order(script: Any, wires: Sequence[Any] | None) -> list[Any]:
    found = list(script.wires)
    if wires is not None:
        missing = [wire for wire in found if wire not in list(wires)]
        if missing:
            raise CircuitError(f"wires={list(wires)!r} lacks {missing[0]!r}, expected all wires of the circuit")
        return list(wires)
    return sorted(found) if all(isinstance(wire, int) for wire in found) else found


class _Reader:
    def __init__(self, qml: Any, places: Mapping[Any, int], slots: Circuit):
        self.qml, self.places, self.slots = qml, places, slots
        self.bits: dict[Any, int] = {}  # measurement -> bit

    def op_part(self, op: Any) -> Part:
        qml, qubits, name = self.qml, [self.places[wire] for wire in op.wires], op.name
        if name in _NOTHING:
            return []
        if isinstance(op, qml.ops.MidMeasure):
            return self.measurement_part(op, qubits)
        if isinstance(op, qml.ops.Conditional):
            return self.conditional(op)
        if getattr(op, "batch_size", None) is not None:
            raise CircuitError(f"PennyLane's {name} has a batch of {op.batch_size} parameters, expected one; split it")
        if name == "Identity":
            return [one for q in qubits for one in alone("id", (q,))]
        if name in meanings("PennyLane") and _is_pennylanes(op):
            return placed(meanings("PennyLane")[name](*self.angles(op)), qubits)
        if name in _MADE and _is_pennylanes(op):
            return _MADE[name](self, op, qubits)
        return self.composite_part(op, qubits)

    def composite_part(self, op: Any, qubits: Sequence[int]) -> Part:
        library = self.qml.ops.op_math
        if isinstance(op, library.Controlled):
            controls = [self.places[wire] for wire in op.control_wires]
            return controlled_part(self.op_part(op.base), controls, list(map(int, op.control_values)), op.name)
        if isinstance(op, library.Adjoint):
            return inverted_part(self.op_part(op.base), op.name)
        if isinstance(op, library.Pow) and float(op.z).is_integer():
            return powered_part(self.op_part(op.base), int(op.z), qubits, op.name)
        if isinstance(op, library.Prod):
            return [one for each in reversed(op.operands) for one in self.op_part(each)]
        return self.other_part(op, qubits)

    def other_part(self, op: Any, qubits: Sequence[int]) -> Part:
        """By its matrix where that is small and of numbers, by Kraus operators, or taken apart."""
        slots = self.slots_of(op)
        matrix = self.matrix(op) if not slots and len(qubits) <= _MOST_DENSE_QUBITS else None
        if matrix is not None:
            return matrix_part(matrix, qubits, op.name)
        if isinstance(op, self.qml.operation.Channel):
            if slots:
                raise UnsupportedError(f"PennyLane's {op.name} has slots for rates, expected numbers; bind them")
            return alone(kraus_gate(op.kraus_matrices()), qubits)
        if getattr(op, "has_decomposition", False):
            part = [one for each in self.decomposed(op) for one in self.op_part(each)]
            self.check_decomposition(op, part, qubits)
            return part
        matrix = None if slots else self.matrix(op)
        if matrix is None:
            raise UnsupportedError(
                f"PennyLane's {op.name} has no gate here, no matrix of numbers and no decomposition; replace it or "
                "give numbers"
            )
        return matrix_part(matrix, qubits, op.name)

    def decomposed(self, op: Any) -> list[Any]:
        try:
            return list(op.decomposition())
        except TypeError as error:  # of arithmetic that slots have not
            raise UnsupportedError(
                f"PennyLane's {op.name} is not taken apart with slots ({error}); give its parameters as numbers"
            ) from None

    def matrix(self, op: Any) -> np.ndarray | None:
        if not getattr(op, "has_matrix", False):
            return None
        matrix = np.asarray(self.qml.matrix(op, wire_order=op.wires), complex)
        off = np.abs(matrix @ matrix.conj().T - np.eye(len(matrix))).max()
        if off > _SMALL:
            raise UnsupportedError(f"PennyLane's {op.name} is not unitary (off by {off:.2g}), expected a gate")
        return matrix

    def slots_of(self, op: Any) -> list[Angle]:
        values = [value for data in getattr(op, "data", ()) for value in _entries(data)]
        return [value for value in values if isinstance(value, Angle) and not value.is_number]

    def check_decomposition(self, op: Any, part: Part, qubits: Sequence[int]) -> None:
        """Raise if a decomposition differs from the gate's matrix, with numbers at random for slots."""
        if not getattr(op, "has_matrix", False) or len(qubits) > _MOST_DENSE_QUBITS:
            return
        random = np.random.default_rng(0)
        values: dict[tuple[str, int], float] = {
            (slots.source, k): random.uniform(0.2, 1.2)
            for slots in (self.slots.input_slots, self.slots.weight_slots)
            for k in range(slots.count)
        }
        numbers = [_with_numbers(data, values) for data in op.data]
        matrix = self.matrix(self.qml.ops.functions.bind_new_parameters(op, numbers))
        found = part_matrix(bound_part(part, values), qubits, op.name)
        if matrix is not None and np.abs(found - matrix).max() > _SMALL:
            raise UnsupportedError(
                f"PennyLane's decomposition of {op.name} is not its matrix; give its parameters as numbers"
            )

    def angles(self, op: Any) -> list[Scalar]:
        return [_angle(value, op.name) for value in op.data]

    # -- bits

    def measurement_part(self, op: Any, qubits: Sequence[int]) -> Part:
        if op.postselect is not None:
            raise UnsupportedError(f"PennyLane's measurement of qubit {qubits[0]} postselects, expected it not to")
        bit = self.bits.setdefault(_identity(op), len(self.bits))
        part = alone(measured_gate(bit), qubits)
        return [*part, *alone("reset", qubits)] if op.reset else part

    def conditional(self, op: Any) -> Part:
        measurements = op.meas_val.measurements
        missing = [one for one in measurements if _identity(one) not in self.bits]
        if missing:
            raise UnsupportedError(f"PennyLane's {op.name} is under a measurement that does not stand before it")
        places = [self.bits[_identity(one)] for one in measurements]

        def holds(bits: dict[int, int]) -> bool:
            return bool(op.meas_val.processing_fn(*(bits[place] for place in places)))

        return conditional_part(self.op_part(op.base), condition_where(places, holds, op.name), op.name)


def _identity(measurement: Any) -> Any:
    return getattr(measurement, "meas_uid", None) or measurement.id


def _is_pennylanes(op: Any) -> bool:
    """Whether a name is PennyLane's own: a class of one's own may have any."""
    base = getattr(op, "base", None)
    return type(op).__module__.startswith("pennylane.") and (base is None or _is_pennylanes(base))


def _entries(data: Any) -> list[Any]:
    return list(data.reshape(-1)) if isinstance(data, np.ndarray) and data.dtype == object else [data]


def _angle(value: Any, name: str) -> Scalar:
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 0:
        value = value.item()
    if isinstance(value, Angle):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        raise CircuitError(f"PennyLane's {name} has the angle {value!r}, expected a number or a slot") from None


def _with_numbers(data: Any, values: Mapping[tuple[str, int], float]) -> Any:
    def number(value: Any) -> Any:
        if not isinstance(value, Angle):
            return value
        return value.offset if value.is_number else values[value.source, value.index] * value.scale + value.offset

    if isinstance(data, np.ndarray) and data.dtype == object:
        return np.array([number(value) for value in data.reshape(-1)], float).reshape(data.shape)
    return number(data)


# -- gates that carry data


def _diagonal(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    return alone(diagonal_gate(np.angle(np.asarray(op.data[0], complex))), qubits)


def _pauli_rot(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    word = op.hyperparameters["pauli_word"]
    if not qubits or not set(word) - {"I"}:
        return alone("global_phase", (), reader.angles(op)[0] / -2)
    return alone(pauli_rotation_gate(word), qubits, *reader.angles(op))


def _multi_rz(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    return alone(pauli_rotation_gate("Z" * len(qubits)), qubits, *reader.angles(op))


def _state(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    """A unitary that makes the state of |0>: PennyLane has these at the start."""
    if reader.slots_of(op):
        raise UnsupportedError(f"PennyLane's {op.name} has slots for amplitudes, expected numbers; bind them")
    return state_part(np.asarray(op.state_vector()).reshape(-1), qubits, op.name)


def _basis_state(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    return [one for q, bit in zip(qubits, op.data[0], strict=True) if bit for one in alone("x", (q,))]


def _channel(name: str) -> Any:
    return lambda reader, op, qubits: alone(CHANNELS[name], qubits, *reader.angles(op))


_MADE: dict[str, Any] = {
    "DiagonalQubitUnitary": _diagonal, "PauliRot": _pauli_rot, "MultiRZ": _multi_rz, "StatePrep": _state,
    "AmplitudeEmbedding": _state, "BasisState": _basis_state, "BitFlip": _channel("bit_flip"),
    "PhaseFlip": _channel("phase_flip"), "DepolarizingChannel": _channel("depolarizing"),
    "AmplitudeDamping": _channel("amplitude_damping"), "PhaseDamping": _channel("phase_damping"),
    # PennyLane's p is the share that |1> has in the end, as ours.
    "GeneralizedAmplitudeDamping": _channel("generalized_amplitude_damping"),
    "ResetError": _channel("reset_error"),
}  # fmt: skip


# -- writing


def to_pennylane(circuit: Circuit, inputs: Any = None, weights: Any = None) -> Any:
    """The circuit as a PennyLane `QuantumScript` on wires 0, 1, ....

    Slots are given values, since scripts have numbers: of any kind that PennyLane differentiates, such as tensors that
    need a gradient. Gates without a name in PennyLane are matrices, controlled gates, or Pauli rotations; channels are
    Kraus operators. A reset is a measurement with reset. Global phases are kept.

    Args:
        inputs: of one sample; flat, as declared, or by name.
        weights: flat, as declared, or by name.

    Shapes: inputs (I,), weights (W,).

    Raises:
        ExtraError: without PennyLane.
        ShapeError: for inputs or weights of another shape.
        UnsupportedError: for readout errors, measurements under a condition, channels whose rates are slots, amplitudes
            that are inputs.
    """
    qml = package("pennylane", "to_pennylane", "exchange")
    part = with_start(checked_circuit(circuit, "to_pennylane"), "to_pennylane")
    values = {"input": _values(circuit.input_slots, inputs), "weight": _values(circuit.weight_slots, weights)}
    writer = _Writer(qml, values)
    with qml.queuing.AnnotatedQueue() as queue:
        for op in part:
            writer.write(op)
    return qml.tape.QuantumScript.from_queue(queue)


def _values(slots: Slots, given: Any) -> list[Any]:
    """One value a slot, in flat order."""
    if given is None:
        if slots.count:
            raise CircuitError(f"to_pennylane got no {slots.source}s, expected values of {slots}")
        return []
    if isinstance(given, Mapping):
        return [value for part in slots.arranged(_arrays(given)) for value in part.reshape(-1)]
    array = given if hasattr(given, "reshape") else np.asarray(given, float)
    return list(slots.flat(array).reshape(-1))


def _arrays(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if hasattr(value, "reshape") else np.asarray(value, float) for name, value in given.items()}


class _Writer:
    def __init__(self, qml: Any, values: Mapping[str, list[Any]]):
        self.qml, self.values = qml, values
        self.measured: dict[int, Any] = {}  # bit -> its last measurement

    def write(self, op: Operation) -> None:
        inner, condition = split_conditions(op)
        if condition is None:
            self.write_one(inner)
            return
        if inner.gate.kind in ("measurement", "reset"):
            raise UnsupportedError(
                f"to_pennylane got a {inner.gate.kind} under a condition, which PennyLane has not; do it always"
            )
        control = self.condition(condition)
        if inner.gate.name == "global_phase" or control is False:
            return  # branches of different bits never meet again
        with self.qml.queuing.AnnotatedQueue() as queue:
            self.write_one(inner)
        for one in self.qml.tape.QuantumScript.from_queue(queue).operations:
            if control is True:
                self.qml.apply(one)
            else:
                self.qml.ops.Conditional(control, one)  # joins the queue

    def condition(self, condition: Condition) -> Any:
        """PennyLane's condition; True or False where no bit that it reads has been measured."""
        number: Any = 0
        for k, bit in enumerate(condition.bits):
            if bit in self.measured:
                number = self.measured[bit] * 2**k + number
        values = values_of(condition)
        if isinstance(number, int):
            return number in values
        if len(condition.bits) == 1 and values == [1]:
            return self.measured[condition.bits[0]]
        found: Any = None
        for value in values:
            each = number == value
            found = each if found is None else found | each
        return False if found is None else found

    def value(self, angle: Angle) -> Any:
        if angle.is_number:
            return angle.offset
        scaled = self.values[angle.source][angle.index]
        scaled = scaled if angle.scale == 1 else angle.scale * scaled
        return scaled if angle.offset == 0 else scaled + angle.offset

    def write_one(self, op: Operation) -> None:
        qml, kind = self.qml, op.gate.kind
        if kind == "measurement":
            found = qml.measure(op.qubits[0])
            self.measured |= dict.fromkeys(bits_written(op.gate), found)
        elif kind == "reset":
            qml.measure(op.qubits[0], reset=True)
        elif kind == "channel":
            qml.QubitChannel(list(kraus_of(op, "to_pennylane")), wires=op.qubits)
        elif kind != "unitary":
            raise refused(op, "PennyLane")
        elif self.write_gate(op) is None:
            for each in simpler(op):
                self.write_one(each)

    def write_gate(self, op: Operation) -> Any:
        """PennyLane's gate, queued, or None where there is none."""
        qml, name, wires = self.qml, op.gate.name, list(op.qubits)
        if name == "global_phase":
            return qml.GlobalPhase(-1 * self.value(op.angles[0]))
        if name == "pauli_rotation":
            return qml.PauliRot(self.value(op.angles[0]), op.gate.data, wires=wires)
        if name == "unitary":
            return qml.QubitUnitary(op.gate.matrix(), wires=wires)
        if name == "diagonal":
            return qml.DiagonalQubitUnitary(np.exp(1j * np.array(op.gate.data)), wires=wires)
        if name == "controlled":
            count, inner = split_controls(op)
            return self.controlled(inner, wires[:count])
        known = written_names("PennyLane").get(name)
        if known is None:
            return None
        kind = known.removeprefix("Adjoint(").removesuffix(")")
        values = [self.value(angle) for angle in op.angles]
        gate = getattr(qml, kind)
        return qml.adjoint(gate)(*values, wires=wires) if known.startswith("Adjoint") else gate(*values, wires=wires)

    def controlled(self, inner: Operation, controls: list[int]) -> Any:
        with self.qml.queuing.QueuingManager.stop_recording():
            gate = self.write_gate(inner)
        return None if gate is None else self.qml.ctrl(gate, control=controls)
