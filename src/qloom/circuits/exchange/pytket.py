"""Circuits from pytket and to it.

pytket's angles are half turns: 1 is pi. Its qubits and bits stand in the order of their registers' names, not of their
declaration. A permutation of wires that a circuit carries along is read as swaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import Condition, bits_written, condition_on, measured_gate
from qloom.circuits.exchange.gate_names import meanings, written_names
from qloom.circuits.exchange.symbols import Symbols, expression_of, sympy_symbols
from qloom.circuits.gates import pauli_rotation_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parts import (
    Part,
    alone,
    as_numbers,
    checked_circuit,
    checked_foreign,
    conditional_part,
    controlled_part,
    finished,
    matrix_part,
    phase_part,
    placed,
    refused,
    simpler,
    split_conditions,
    split_controls,
    values_of,
    with_start,
)
from qloom.errors import UnsupportedError
from qloom.extras import package

π = np.pi
# Gates on any number of qubits: what is controlled by all qubits but the last.
_MANY = {"CnX": "x", "CnY": "y", "CnZ": "z", "CnRx": "rx", "CnRy": "ry", "CnRz": "rz"}


def from_pytket(circuit: Any, inputs: Sequence[str] = ()) -> Circuit:
    """The circuit of a `pytket.Circuit`.

    Its symbols are weights in the order in which they occur; symbols "x[0]", "x[1]", ... are one block. Boxes are taken
    apart by their own circuits, or are matrices; barriers are left out. The global phase is kept.

    Args:
        circuit: qubit k of `circuit.qubits` becomes qubit k, bit k of `circuit.bits` bit k.
        inputs: names of symbols that are inputs, one value a sample.

    Raises:
        ExtraError: without pytket.
        CircuitError: for an angle that is no a * x + b of one symbol.
        UnsupportedError: for an operation that has no meaning here, by its name.
    """
    pytket = package("pytket", "from_pytket", "exchange")
    checked_foreign(circuit, pytket.Circuit, "from_pytket")
    out = Circuit(max(1, circuit.n_qubits))
    if circuit.n_bits:
        out.bits(circuit.n_bits)
    reader = _Reader(Symbols(out, _names(circuit), inputs))
    places = {unit: k for units in (circuit.qubits, circuit.bits) for k, unit in enumerate(units)}
    return finished(out, reader.circuit_part(circuit, places))


def _names(circuit: Any) -> list[str]:
    """Of symbols, in the order in which they occur."""
    import sympy

    found = [sorted(map(str, command.op.free_symbols())) for command in circuit.get_commands()]
    return [name for names in found for name in names] + sorted(map(str, sympy.sympify(circuit.phase).free_symbols))


class _Reader:
    def __init__(self, symbols: Symbols):
        self.symbols = symbols

    def circuit_part(self, circuit: Any, places: Mapping[Any, int]) -> Part:
        """A circuit's gates on the qubits and bits that its own stand for."""
        whole = circuit.copy()
        whole.replace_implicit_wire_swaps()
        part = Part()
        for command in whole.get_commands():
            part += self.op_part(command.op, [places[unit] for unit in command.args])
        return [*part, *phase_part(self.phases(whole.phase))]

    def op_part(self, op: Any, places: Sequence[int]) -> Part:
        """An operation on qubits, and then bits."""
        name = op.type.name
        if name == "Conditional":
            condition = condition_on(places[: op.width], op.value)
            return conditional_part(self.op_part(op.op, places[op.width :]), condition, op.op.type.name)
        if name == "Barrier":
            return []
        if name == "Measure":
            return alone(measured_gate(places[1]), places[:1])
        if name in ("Reset", "Collapse"):
            return alone("reset" if name == "Reset" else "measure", places)
        if name in meanings("pytket"):
            return placed(meanings("pytket")[name](*self.angles(op)), places)
        if name in _MANY:
            count = len(places) - 1
            return controlled_part(alone(_MANY[name], places[-1:], *self.angles(op)), places[:count], [1] * count, name)
        if name == "PhaseGadget":
            return alone(pauli_rotation_gate("Z" * len(places)), places, *self.angles(op))
        if name == "NPhasedX":
            return [one for q in places for one in alone("r", (q,), *self.angles(op))]
        return self.box_part(op, places)

    def box_part(self, op: Any, places: Sequence[int]) -> Part:
        name = op.type.name
        if name == "PauliExpBox":
            letters = "".join(pauli.name for pauli in op.get_paulis())
            return alone(pauli_rotation_gate(letters), places, self.turn(op.get_phase(), name))
        if name == "QControlBox":
            count, state = op.get_n_controls(), op.get_control_state_bits()
            return controlled_part(self.op_part(op.get_op(), places[count:]), places[:count], state, name)
        if hasattr(op, "get_circuit"):
            inner = op.get_circuit()
            return self.circuit_part(inner, dict(zip([*inner.qubits, *inner.bits], places, strict=True)))
        if op.is_gate() and not op.free_symbols():
            return matrix_part(op.get_unitary(), places, name)
        raise UnsupportedError(f"pytket's {name} has no gate here, no circuit and no matrix of numbers; replace it")

    def angles(self, op: Any) -> list[Any]:
        return [self.turn(value, op.type.name) for value in op.params]

    def phases(self, value: Any) -> list[Any]:
        import sympy

        whole = value * sympy.pi if hasattr(value, "free_symbols") else float(value) * π
        return self.symbols.terms(whole, "the global phase of the pytket circuit")

    def turn(self, value: Any, what: str) -> Any:
        """Of half turns, in radians: exactly where pi cancels."""
        if hasattr(value, "free_symbols"):
            import sympy

            return self.symbols.angle(value * sympy.pi, f"pytket's {what}")
        return float(value) * π


# -- writing


def to_pytket(circuit: Circuit) -> Any:
    """The circuit as a `pytket.Circuit` on the registers "q" and "c".

    Slots are symbols of their blocks' names, elements "w[0]", "w[1]", .... Conditions that hold for several values are
    one gate for each. Gates without a name in pytket are matrices, controlled gates, or products of Pauli rotations.
    The global phase is kept.

    Raises:
        ExtraError: without pytket.
        UnsupportedError: for channels and readout errors, which pytket has not, and amplitudes that are inputs.
    """
    pytket = package("pytket", "to_pytket", "exchange")
    part = with_start(checked_circuit(circuit, "to_pytket"), "to_pytket")
    writer = _Writer(pytket.Circuit(circuit.n_qubits, circuit.n_bits), sympy_symbols(circuit))
    for op in part:
        writer.write(op)
    return writer.circuit


class _Writer:
    def __init__(self, circuit: Any, symbols: Mapping[tuple[str, int], Any]):
        self.circuit, self.symbols = circuit, symbols
        self.library = package("pytket.circuit", "to_pytket", "exchange")

    def write(self, op: Operation) -> None:
        inner, condition = split_conditions(op)
        if condition is None:
            self.write_one(inner, {})
            return
        values = values_of(condition)
        changed = set(bits_written(inner.gate)) & set(condition.bits)
        if changed and len(values) > 1:
            raise UnsupportedError(
                f"to_pytket got a measurement into bit {min(changed)} under a condition on it of {len(values)} values; "
                "measure into another bit"
            )
        for value in values:
            self.write_one(inner, self.under(condition, value))

    def under(self, condition: Condition, value: int) -> dict[str, Any]:
        return {"condition_bits": list(condition.bits), "condition_value": value}

    def write_one(self, op: Operation, under: dict[str, Any]) -> None:
        circuit, kind, optypes = self.circuit, op.gate.kind, self.library.OpType
        if kind == "measurement":
            bits = bits_written(op.gate)
            if bits:
                circuit.Measure(op.qubits[0], bits[0], **under)
            else:
                circuit.add_gate(optypes.Collapse, list(op.qubits), **under)
        elif kind == "reset":
            circuit.add_gate(optypes.Reset, list(op.qubits), **under)
        elif kind != "unitary":
            raise refused(op, "pytket")
        elif op.gate.name == "global_phase":
            if not under:  # branches of different bits never meet again
                circuit.add_phase(self.half_turns(op.angles[0]))
        else:
            self.write_gate(op, under)

    def write_gate(self, op: Operation, under: dict[str, Any]) -> None:
        names, qubits = written_names("pytket"), list(op.qubits)
        if op.gate.name in names:
            angles = [self.half_turns(angle) for angle in op.angles]
            self.circuit.add_gate(getattr(self.library.OpType, names[op.gate.name]), angles, qubits, **under)
            return
        box = self.box(op)
        if box is not None:
            self.circuit.add_gate(box, qubits, **under)
            return
        for each in simpler(op):
            self.write_one(each, under)

    def box(self, op: Operation) -> Any:
        """pytket's box of a gate, or None where there is none."""
        library, name, width = self.library, op.gate.name, op.gate.n_qubits
        if name in ("unitary", "diagonal") and width <= 3:
            return getattr(library, f"Unitary{width}qBox")(np.asarray(op.gate.matrix(), complex))
        if name == "pauli_rotation":
            letters = [getattr(package("pytket.pauli", "to_pytket", "exchange").Pauli, one) for one in op.gate.data]
            return library.PauliExpBox(letters, self.half_turns(op.angles[0]))
        if name == "controlled":
            count, inner = split_controls(op)
            known = written_names("pytket").get(inner.gate.name)
            if known and as_numbers(op.angles) and inner.gate.n_qubits:
                angles = [self.half_turns(angle) for angle in op.angles]
                return library.QControlBox(library.Op.create(getattr(library.OpType, known), angles), count)
        return None

    def half_turns(self, angle: Any) -> Any:
        import sympy

        value = expression_of(angle, self.symbols)
        return value / π if angle.is_number else value / sympy.pi
