"""Circuits from Qiskit and to it.

Qiskit's first qubit is the least significant bit of a matrix and the last character of its strings: qubit 0 here is its
qubit 0, and bit 0 its bit 0, so that our strings read the other way round. Gates are known by their class, since a gate
of one's own may carry the name of another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from qloom.circuits.channels import kraus_gate
from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import Condition, bits_written, measured_gate
from qloom.circuits.exchange.gate_names import meanings, written_names
from qloom.circuits.exchange.symbols import Symbols, expression_of, slot_names
from qloom.circuits.gates import pauli_rotation_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parts import (
    Part,
    alone,
    as_numbers,
    check_condition_stays,
    checked_circuit,
    checked_foreign,
    condition_where,
    conditional_part,
    controlled_part,
    finished,
    inverted_part,
    kraus_of,
    matrix_part,
    phase_part,
    placed,
    powered_part,
    refused,
    simpler,
    split_conditions,
    split_controls,
    values_of,
    with_qubits_reversed,
    with_start,
)
from qloom.circuits.synthesis import diagonal_gate
from qloom.errors import CircuitError, UnsupportedError
from qloom.extras import package

_NOTHING = {"barrier", "delay"}
_MOST_ROUNDS = 10_000  # of one loop that is written out


def from_qiskit(circuit: Any, inputs: Sequence[str] = ()) -> Circuit:
    """The circuit of a Qiskit `QuantumCircuit`.

    Its parameters are weights, in Qiskit's order; a ParameterVector is one block with all its elements in the order of
    their indices. Angles are numbers or a * x + b of one parameter. Gates without a name here are taken apart by their
    definition, or are matrices. `if_else`, `switch` and `for` are written out; barriers, delays and names of registers
    are left out. The global phase is kept.

    Args:
        circuit: qubit k of `circuit.qubits` becomes qubit k, bit k of `circuit.clbits` bit k.
        inputs: names of parameters or vectors that are inputs, one value a sample.

    Raises:
        ExtraError: without Qiskit.
        CircuitError: for an angle that is no a * x + b.
        UnsupportedError: for an instruction that has no meaning here, by its name.
    """
    return finished(*read_qiskit(circuit, inputs))


def read_qiskit(
    circuit: Any, inputs: Sequence[str] = (), make_symbols: Callable[..., Symbols] = Symbols
) -> tuple[Circuit, Part]:
    """Slots of a `QuantumCircuit` and its operations, which are not appended yet; arguments as of `from_qiskit`.

    Args:
        make_symbols: of the arguments of `Symbols`, what angles are made by; it may have more of them, and slots for
            these are to be declared before the operations are appended.
    """
    qiskit = package("qiskit", "from_qiskit", "exchange")
    checked_foreign(circuit, qiskit.QuantumCircuit, "from_qiskit")
    out = Circuit(max(1, circuit.num_qubits))
    if circuit.num_clbits:
        out.bits(circuit.num_clbits)
    parameters = list(circuit.parameters)
    vectors = [parameter.vector for parameter in parameters if hasattr(parameter, "vector")]
    symbols = make_symbols(out, [p.name for p in parameters], inputs, {v.name: len(v) for v in vectors})
    places = {bit: k for listed in (circuit.qubits, circuit.clbits) for k, bit in enumerate(listed)}
    return out, _Reader(symbols).circuit_part(circuit, places)


class _Reader:
    def __init__(self, symbols: Symbols):
        self.symbols = symbols

    def circuit_part(self, circuit: Any, places: Mapping[Any, int]) -> Part:
        """A circuit's gates on the qubits and bits that its own stand for."""
        phase = circuit.global_phase
        phase = _expression(phase) if hasattr(phase, "sympify") else phase
        part = phase_part(self.symbols.terms(phase, "the global phase of the Qiskit circuit"))
        for instruction in circuit.data:
            part += self.instruction_part(instruction, places)
        return part

    def instruction_part(self, instruction: Any, places: Mapping[Any, int]) -> Part:
        op = instruction.operation
        qubits = tuple(places[q] for q in instruction.qubits)
        bits = tuple(places[b] for b in instruction.clbits)
        if op.name == "measure":
            return alone(measured_gate(bits[0]), qubits)
        if hasattr(op, "blocks"):
            return self.control_flow_part(op, qubits, bits, places)
        return self.gate_part(op, qubits, bits)

    def gate_part(self, op: Any, qubits: Sequence[int], bits: Sequence[int] = ()) -> Part:
        library = package("qiskit.circuit", "from_qiskit", "exchange")
        if op.name in _NOTHING:
            return []
        if op.name == "reset":
            return alone("reset", qubits)
        if isinstance(op, library.AnnotatedOperation):
            return self.annotated_part(op, qubits)
        is_controlled = isinstance(op, library.ControlledGate)
        if is_controlled and op.ctrl_state != (1 << op.num_ctrl_qubits) - 1:
            return self.open_controls_part(op, qubits)
        if _is_standard(op):
            return self.standard_part(op, qubits)
        if op.name in _MADE and isinstance(op, _made_class(op.name)):
            return _MADE[op.name](self, op, qubits)
        if is_controlled:
            count = op.num_ctrl_qubits
            base = self.gate_part(op.base_gate, qubits[count:])
            return controlled_part(base, qubits[:count], [1] * count, op.name)
        return self.defined_part(op, qubits, bits)

    def standard_part(self, op: Any, qubits: Sequence[int]) -> Part:
        angles = [self.angle(value, op.name) for value in op.params]
        if op.name == "u" and len(angles) == 4:  # what a CUGate under more controls has for its base
            return [*alone("u", qubits, *angles[:3]), *phase_part(angles[3:])]
        return placed(meanings("Qiskit")[op.name](*angles), qubits)

    def defined_part(self, op: Any, qubits: Sequence[int], bits: Sequence[int]) -> Part:
        """By its definition, which keeps parameters, else by its matrix."""
        definition = op.definition if hasattr(op, "definition") else None
        if definition is not None:
            inner = dict(zip(definition.qubits, qubits, strict=True)) | dict(zip(definition.clbits, bits, strict=True))
            return self.circuit_part(definition, inner)
        if hasattr(op, "to_operator"):
            return matrix_part(with_qubits_reversed(op.to_operator().data), qubits, op.name)
        if hasattr(op, "to_matrix") and not bits:
            try:
                matrix = op.to_matrix()
            except (package("qiskit.exceptions", "from_qiskit", "exchange").QiskitError, TypeError):
                matrix = None
            if matrix is not None:
                return matrix_part(with_qubits_reversed(matrix), qubits, op.name)
        raise UnsupportedError(
            f"Qiskit's instruction {op.name!r} has no gate here, no definition and no matrix; replace it"
        )

    def open_controls_part(self, op: Any, qubits: Sequence[int]) -> Part:
        closed = op.to_mutable()
        closed.ctrl_state = None
        flips = [q for k, q in enumerate(qubits[: op.num_ctrl_qubits]) if not op.ctrl_state >> k & 1]
        around = [alone("x", (q,))[0] for q in flips]
        return [*around, *self.gate_part(closed, qubits), *around]

    def annotated_part(self, op: Any, qubits: Sequence[int]) -> Part:
        """A gate with modifiers: the first is the innermost, controls come in front of what they control."""
        library = package("qiskit.circuit.annotated_operation", "from_qiskit", "exchange")
        n_controls = sum(m.num_ctrl_qubits for m in op.modifiers if isinstance(m, library.ControlModifier))
        inner = qubits[n_controls:]
        part = self.gate_part(op.base_op, inner)
        for modifier in op.modifiers:
            if isinstance(modifier, library.InverseModifier):
                part = inverted_part(part, op.name)
            elif isinstance(modifier, library.PowerModifier):
                part = powered_part(part, modifier.power, inner, op.name)
            else:
                count = modifier.num_ctrl_qubits
                start = len(qubits) - len(inner) - count
                values = [modifier.ctrl_state >> k & 1 for k in range(count)]
                part = controlled_part(part, qubits[start : start + count], values, op.name)
                inner = qubits[start:]
        return part

    def angle(self, value: Any, what: str) -> Any:
        """Of a parameter, a number, or Qiskit's expression of one."""
        if hasattr(value, "sympify"):
            known = self.symbols.angles.get(getattr(value, "name", ""))
            if known is not None:
                return known
            value = _expression(value)
        return self.symbols.angle(value, f"{what} of the Qiskit circuit")

    # -- control flow

    def control_flow_part(self, op: Any, qubits: Sequence[int], bits: Sequence[int], places: Mapping[Any, int]) -> Part:
        blocks = [self.block_part(block, qubits, bits) for block in op.blocks if op.name != "for_loop"]
        if op.name == "box":
            return blocks[0]
        if op.name == "if_else":
            return self.if_else_part(op, blocks, places)
        if op.name == "switch_case":
            return self.switch_part(op, blocks, places)
        if op.name == "for_loop":
            return self.loop_part(op, qubits, bits)
        raise UnsupportedError(
            f"Qiskit's {op.name} has no fixed number of rounds, expected if, switch or for; unroll it"
        )

    def block_part(self, block: Any, qubits: Sequence[int], bits: Sequence[int]) -> Part:
        inner = dict(zip(block.qubits, qubits, strict=True)) | dict(zip(block.clbits, bits, strict=True))
        return self.circuit_part(block, inner)

    def if_else_part(self, op: Any, blocks: Sequence[Part], places: Mapping[Any, int]) -> Part:
        condition = self.condition(op.condition, places)
        part = conditional_part(blocks[0], condition, op.name)
        if len(blocks) > 1 and blocks[1]:
            check_condition_stays(blocks[0], condition, op.name, is_followed=True)
            other = Condition(condition.bits, condition.values, not condition.negated)
            part += conditional_part(blocks[1], other, op.name)
        return part

    def switch_part(self, op: Any, blocks: Sequence[Part], places: Mapping[Any, int]) -> Part:
        default = package("qiskit.circuit", "from_qiskit", "exchange").CASE_DEFAULT
        labels = [values for values, _ in op.cases_specifier()]
        named = {int(v) for values in labels for v in values if v is not default}
        bits, value = self.read(op.target, places)
        part = Part()
        for k, (values, block) in enumerate(zip(labels, blocks, strict=True)):
            wanted = {int(v) for v in values if v is not default}
            is_default = any(v is default for v in values)

            def holds(known: dict[int, int], wanted: set[int] = wanted, rest: bool = is_default) -> bool:
                return value(known) in wanted or (rest and value(known) not in named)

            condition = condition_where(bits, holds, op.name)
            check_condition_stays(block, condition, op.name, is_followed=k + 1 < len(blocks))
            part += conditional_part(block, condition, op.name)
        return part

    def loop_part(self, op: Any, qubits: Sequence[int], bits: Sequence[int]) -> Part:
        values, parameter, body = op.params
        rounds = list(values)
        names = {i.operation.name for i in body.data}
        if names & {"break_loop", "continue_loop"} or len(rounds) > _MOST_ROUNDS:
            raise UnsupportedError(
                f"Qiskit's for_loop has break, continue or {len(rounds)} rounds, expected none and at most "
                f"{_MOST_ROUNDS}; unroll it"
            )
        part = Part()
        for value in rounds:
            bound = body if parameter is None else body.assign_parameters({parameter: value}, strict=False)
            part += self.block_part(bound, qubits, bits)
        return part

    def condition(self, condition: Any, places: Mapping[Any, int]) -> Condition:
        if isinstance(condition, tuple):
            target, wanted = condition
            bits, value = self.read(target, places)
            return condition_where(bits, lambda known: value(known) == int(wanted), "if_else")
        bits, value = self.read(condition, places)
        return condition_where(bits, value, "if_else")

    def read(self, target: Any, places: Mapping[Any, int]) -> tuple[list[int], Callable[[dict[int, int]], int]]:
        """The bits of a classical expression, and its value for given bits."""
        library = package("qiskit.circuit.classical.expr", "from_qiskit", "exchange")
        expression = target if isinstance(target, library.Expr) else library.lift(target)
        bits = sorted({bit for leaf in library.iter_vars(expression) for bit in _bits_of(leaf, places)})
        return bits, lambda known: _value(expression, known, places)


def _expression(value: Any) -> Any:
    """In sympy's form. Where all parameters but one cancel, Qiskit names any; the one with a derivative is meant."""
    expression = value.sympify()
    if len(value.parameters) > 1 and expression.is_Symbol:
        return next(p for p in value.parameters if value.gradient(p) == 1).sympify()
    return expression


def _is_standard(op: Any) -> bool:
    """Whether a gate is Qiskit's own of its name, and not another one of that name."""
    return isinstance(op, _standard_classes().get(op.name, ()))


@cache
def _standard_classes() -> dict[str, type]:
    """Qiskit's own gates of the names that have a meaning here."""
    library = package("qiskit.circuit.library", "from_qiskit", "exchange")
    known = library.get_standard_gate_name_mapping()
    return {name: known[name].base_class for name in meanings("Qiskit") if name in known}


# -- classical expressions


def _bits_of(leaf: Any, places: Mapping[Any, int]) -> list[int]:
    register = package("qiskit", "from_qiskit", "exchange").ClassicalRegister
    found = list(leaf.var) if isinstance(leaf.var, register) else [leaf.var]
    if not all(bit in places for bit in found):
        raise UnsupportedError(f"Qiskit's condition reads the variable {leaf!r}, expected bits and registers alone")
    return [places[bit] for bit in found]


def _value(node: Any, known: dict[int, int], places: Mapping[Any, int]) -> int:
    library = package("qiskit.circuit.classical.expr", "from_qiskit", "exchange")
    inner = lambda one: _value(one, known, places)  # noqa: E731
    if isinstance(node, library.Var):
        return sum(known[bit] << k for k, bit in enumerate(_bits_of(node, places)))
    if isinstance(node, library.Value):
        return int(node.value)
    if isinstance(node, library.Cast):
        value = inner(node.operand)
        return int(bool(value)) if _width(node) == 0 else value & (1 << _width(node)) - 1
    if isinstance(node, library.Index):
        return inner(node.target) >> inner(node.index) & 1
    if isinstance(node, library.Unary):
        value = inner(node.operand)
        is_bitwise = node.op.name == "BIT_NOT"
        return ~value & (1 << max(1, _width(node))) - 1 if is_bitwise else int(not value)
    if isinstance(node, library.Binary) and node.op.name in _BINARY:
        value = int(_BINARY[node.op.name](inner(node.left), inner(node.right)))
        return value & (1 << max(1, _width(node))) - 1
    raise UnsupportedError(f"Qiskit's condition has {node!r}, expected comparisons and logic of bits and registers")


def _width(node: Any) -> int:
    """Bits of a number, 0 of a truth value."""
    return int(getattr(node.type, "width", 0))


_BINARY: dict[str, Callable[[int, int], int]] = {
    "BIT_AND": lambda a, b: a & b, "BIT_OR": lambda a, b: a | b, "BIT_XOR": lambda a, b: a ^ b,
    "LOGIC_AND": lambda a, b: a and b, "LOGIC_OR": lambda a, b: a or b,
    "EQUAL": lambda a, b: a == b, "NOT_EQUAL": lambda a, b: a != b,
    "LESS": lambda a, b: a < b, "LESS_EQUAL": lambda a, b: a <= b,
    "GREATER": lambda a, b: a > b, "GREATER_EQUAL": lambda a, b: a >= b,
    "SHIFT_LEFT": lambda a, b: a << b, "SHIFT_RIGHT": lambda a, b: a >> b,
    "ADD": lambda a, b: a + b, "SUB": lambda a, b: a - b, "MUL": lambda a, b: a * b,
}  # fmt: skip


# -- gates that carry data


def _unitary(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    return matrix_part(with_qubits_reversed(op.params[0]), qubits, op.name)


def _diagonal(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    # Its first qubit is the least significant bit, of our gates the last.
    return alone(diagonal_gate(np.angle(np.asarray(op.params, complex))), tuple(qubits)[::-1])


def _pauli(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    letters = zip(op.params[0][::-1], qubits, strict=True)
    return [one for letter, q in letters if letter != "I" for one in alone(letter.lower(), (q,))]


def _channel(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    info = package("qiskit.quantum_info", "from_qiskit", "exchange")
    source = {"superop": lambda: op.params[0], "quantum_channel": lambda: op._quantum_error.to_quantumchannel()}
    made = info.Kraus(info.SuperOp(source[op.name]())) if op.name in source else None
    operators = op.params if made is None else made.data
    if isinstance(operators, tuple):
        raise UnsupportedError(f"Qiskit's {op.name} preserves no trace, expected a channel")
    kraus = [with_qubits_reversed(one) for one in operators]
    return alone(kraus_gate(kraus), qubits)


def _evolution(reader: _Reader, op: Any, qubits: Sequence[int]) -> Part:
    """exp(-i t H), exactly: Qiskit's definition is a product formula, another gate for terms that do not commute."""
    operator: Any = sum(op.operator[1:], op.operator[0]) if isinstance(op.operator, list) else op.operator
    if not hasattr(operator, "paulis"):
        return reader.defined_part(op, qubits, ())
    if not all(operator.paulis.commutes(one).all() for one in operator.paulis):
        return _evolution_matrix(operator, op, qubits)
    part = Part()
    for label, coefficient in zip(operator.paulis.to_labels(), operator.coeffs, strict=True):
        factor = coefficient if hasattr(coefficient, "sympify") else _real(coefficient, op.name)
        part += alone(pauli_rotation_gate(label[::-1]), qubits, reader.angle(2 * factor * op.time, op.name))
    return part


def _evolution_matrix(operator: Any, op: Any, qubits: Sequence[int]) -> Part:
    if getattr(op.time, "parameters", ()) or any(hasattr(one, "sympify") for one in operator.coeffs):
        raise UnsupportedError(
            "PauliEvolutionGate has a parameter and terms that do not commute, expected one of both; decompose() in "
            "Qiskit gives its product formula"
        )
    for coefficient in operator.coeffs:
        _real(coefficient, op.name)
    energies, states = np.linalg.eigh(with_qubits_reversed(operator.to_matrix()))
    return matrix_part(states * np.exp(-1j * float(op.time) * energies) @ states.conj().T, qubits, op.name)


def _real(coefficient: complex, name: str) -> float:
    if abs(np.imag(coefficient)) > 0:
        raise CircuitError(f"{name} has the coefficient {coefficient}, expected a real one")
    return float(np.real(coefficient))


_MADE: dict[str, Callable[[_Reader, Any, Sequence[int]], Part]] = {
    "unitary": _unitary, "diagonal": _diagonal, "pauli": _pauli, "kraus": _channel, "superop": _channel,
    "quantum_channel": _channel, "PauliEvolution": _evolution,
}  # fmt: skip


def _made_class(name: str) -> Any:
    library = package("qiskit.circuit.library", "from_qiskit", "exchange")
    if name in ("kraus", "superop", "quantum_channel"):
        return package("qiskit.circuit", "from_qiskit", "exchange").Instruction
    return {
        "unitary": library.UnitaryGate, "diagonal": library.DiagonalGate, "pauli": library.PauliGate,
        "PauliEvolution": library.PauliEvolutionGate,
    }[name]  # fmt: skip


# -- writing


def to_qiskit(circuit: Circuit) -> Any:
    """The circuit as a Qiskit `QuantumCircuit`.

    Blocks of slots with a shape become ParameterVectors of their names, others Parameters. Gates without a name in
    Qiskit are matrices, controlled gates, or products of Pauli rotations; channels are Kraus operators. A measurement
    without a bit gets one in a register "unread". The global phase is kept.

    Raises:
        ExtraError: without Qiskit.
        UnsupportedError: for readout errors, channels whose rates are slots, amplitudes that are inputs.
    """
    qiskit = package("qiskit", "to_qiskit", "exchange")
    part = with_start(checked_circuit(circuit, "to_qiskit"), "to_qiskit")
    out = qiskit.QuantumCircuit(circuit.n_qubits, circuit.n_bits)
    unread = sum(op.gate.kind == "measurement" and not bits_written(op.gate) for op in part)
    if unread:
        out.add_register(qiskit.ClassicalRegister(unread, "unread"))
    _Writer(out, _parameters(circuit), circuit.n_bits).write(part)
    return out


def _parameters(circuit: Circuit) -> dict[tuple[str, int], Any]:
    library = package("qiskit.circuit", "to_qiskit", "exchange")
    made: dict[str, Any] = {}
    out = {}
    for slot, (name, place, size) in slot_names(circuit).items():
        if name not in made:
            made[name] = library.Parameter(name) if place is None else library.ParameterVector(name, size)
        out[slot] = made[name] if place is None else made[name][place]
    return out


class _Writer:
    def __init__(self, circuit: Any, parameters: Mapping[tuple[str, int], Any], n_bits: int):
        self.circuit, self.parameters, self.unread = circuit, parameters, n_bits

    def write(self, part: Part) -> None:
        for op in part:
            inner, condition = split_conditions(op)
            if condition is None:
                self.write_one(inner)
            else:
                self.write_conditional(inner, condition)

    def write_conditional(self, op: Operation, condition: Condition) -> None:
        library = package("qiskit", "to_qiskit", "exchange")
        if op.gate.name == "global_phase":
            return  # branches of different bits never meet again
        bits = sorted({*condition.bits, *bits_written(op.gate)})
        if op.gate.kind == "measurement" and not bits_written(op.gate):
            raise UnsupportedError("to_qiskit got a measurement without a bit under a condition; give it a bit")
        qubits, clbits = [self.circuit.qubits[q] for q in op.qubits], [self.circuit.clbits[b] for b in bits]
        body = library.QuantumCircuit(self.circuit.qubits, self.circuit.clbits)
        _Writer(body, self.parameters, self.unread).write_one(op)
        small = library.QuantumCircuit(qubits, clbits, global_phase=body.global_phase)
        for instruction in body.data:
            small.append(instruction)
        self.circuit.if_test(self.condition(condition), small, qubits, clbits)

    def condition(self, condition: Condition) -> Any:
        """One bit as such, else an expression: any of the values, all bits of each."""
        expr = package("qiskit.circuit.classical.expr", "to_qiskit", "exchange")
        bits, values = [self.circuit.clbits[b] for b in condition.bits], values_of(condition)
        if len(bits) == 1 and len(values) == 1:
            return bits[0], values[0]
        found = expr.lift(False)
        for value in values:
            each = [expr.lift(bit) if value >> k & 1 else expr.logic_not(bit) for k, bit in enumerate(bits)]
            together = each[0]
            for one in each[1:]:
                together = expr.logic_and(together, one)
            found = together if value == values[0] else expr.logic_or(found, together)
        return found

    def write_one(self, op: Operation) -> None:
        kind = op.gate.kind
        if kind == "measurement":
            self.write_measurement(op)
        elif kind == "reset":
            self.circuit.reset(op.qubits[0])
        elif kind == "channel":
            info = package("qiskit.quantum_info", "to_qiskit", "exchange")
            kraus = [with_qubits_reversed(one) for one in kraus_of(op, "to_qiskit")]
            self.circuit.append(info.Kraus(kraus).to_instruction(), op.qubits)
        elif kind != "unitary":
            raise refused(op, "Qiskit")
        elif op.gate.name == "global_phase":
            self.circuit.global_phase += expression_of(op.angles[0], self.parameters)
        else:
            gate = self.gate(op)
            if gate is None:
                self.write(simpler(op))
            else:
                self.circuit.append(*gate)

    def write_measurement(self, op: Operation) -> None:
        bits = bits_written(op.gate)
        if not bits:
            bits, self.unread = (self.unread,), self.unread + 1
        self.circuit.measure(op.qubits[0], bits[0])

    def gate(self, op: Operation) -> tuple[Any, Sequence[int]] | None:
        """Qiskit's gate and its qubits, or None where there is none."""
        library = package("qiskit.circuit.library", "to_qiskit", "exchange")
        name = op.gate.name
        if name in written_names("Qiskit"):
            angles = [expression_of(angle, self.parameters) for angle in op.angles]
            return _standard_classes()[written_names("Qiskit")[name]](*angles), op.qubits
        if name == "unitary":
            return library.UnitaryGate(with_qubits_reversed(op.gate.matrix())), op.qubits
        if name == "diagonal":
            return library.DiagonalGate(list(np.exp(1j * np.array(op.gate.data)))), op.qubits[::-1]
        if name == "controlled":
            count, inner = split_controls(op)
            found = self.gate(inner) if inner.gate.name != "global_phase" else None
            if found is None or not as_numbers(op.angles):
                return None  # Qiskit controls a gate by synthesis, which many take with numbers alone
            return found[0].control(count), [*op.qubits[:count], *found[1]]
        return None
