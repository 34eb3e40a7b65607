"""Circuits as OpenQASM: version 2 with the gates of its paper and definitions of all others, version 3, and Braket's.

What a gate does is written by its Pauli rotations where a dialect has no name for it. Phases of the whole state are
written in version 3, where a gate may be controlled; version 2 has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from qloom.circuits.circuit import Circuit, Operation
from qloom.circuits.conditions import Condition, bits_written, without_conditions
from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES
from qloom.circuits.parameters import Angle
from qloom.circuits.parts import simpler, split_controls
from qloom.circuits.qasm.definitions import QELIB1, STDGATES
from qloom.circuits.qasm.expressions import TYPES
from qloom.circuits.qasm.statements import REFUSED
from qloom.circuits.qasm.values import CONSTANTS, FUNCTIONS
from qloom.errors import UnsupportedError

# Names of gates in a dialect where they are not ours.
_NAMES_2 = {"p": "u1", "u": "u3", "cp": "cu1"}
_NAMES_3 = {"u": "U", "global_phase": "gphase"}
_NAMES_BRAKET = {
    "id": "i", "sdg": "si", "tdg": "ti", "sx": "v", "sxdg": "vi", "p": "phaseshift", "cx": "cnot", "ccx": "ccnot",
    "cp": "cphaseshift", "rxx": "xx", "ryy": "yy", "rzz": "zz", "csx": "cv", "u": "U", "global_phase": "gphase",
    **{name: name for name in ["x", "y", "z", "h", "s", "t", "rx", "ry", "rz", "cy", "cz", "swap", "iswap", "cswap"]},
}  # fmt: skip
# Words that no parameter may have for its name.
_TAKEN = STDGATES | QELIB1 | TYPES | REFUSED.keys() | FUNCTIONS.keys() | CONSTANTS.keys() | GATES.keys() | {
    "U", "CX", "gphase", "e", "pi", "tau", "euler", "ln", "sin", "cos", "tan", "exp", "sqrt", "if", "else",
    "for", "in", "while", "qubit", "bit", "int", "uint", "float", "angle", "bool", "gate", "input", "output",
    "const", "let", "def", "return", "measure", "reset", "barrier", "ctrl", "inv", "pow", "negctrl", "c", "q", "b",
    "true", "false", "im", "switch", "case", "default", "end", "box", "break", "continue", "include", "opaque", "qreg",
    "creg", "mutable", "readonly", "OPENQASM",
}  # fmt: skip


@dataclass(frozen=True)
class _Dialect:
    """What a file may have.

    Args:
        names: of our gates that it has.
        has_phase: of the whole state.
        defines: gates that it has no name for are defined, not written out.
    """

    version: int
    head: str
    names: dict[str, str]
    has_phase: bool
    defines: bool
    is_braket: bool = False


def _same(names: Iterable[str]) -> dict[str, str]:
    return {name: name for name in names}


_PAPER = _same(QELIB1 - {"u1", "u3", "cu1", "cu3"}) | _NAMES_2
_STANDARD = _same(STDGATES - {"CX", "phase", "cphase", "u1", "u2", "u3"}) | _NAMES_3
_DIALECTS = {
    "openqasm2": _Dialect(2, 'OPENQASM 2.0;\ninclude "qelib1.inc";', _PAPER, has_phase=False, defines=True),
    "openqasm3": _Dialect(3, 'OPENQASM 3.0;\ninclude "stdgates.inc";', _STANDARD, has_phase=True, defines=True),
    "braket": _Dialect(3, "OPENQASM 3.0;", _NAMES_BRAKET, has_phase=True, defines=False, is_braket=True),
}


def to_qasm(circuit: Circuit, version: int = 3, dialect: str | None = None) -> str:
    """The circuit as OpenQASM text.

    Args:
        circuit: without channels, which OpenQASM has none of. Slots become `input` parameters of version 3, one for
            each number, named after their blocks: ``theta_0``.
        version: 2 or 3.
        dialect: "openqasm2", "openqasm3" or "braket" instead, which has no include and gate names of its own.

    Raises:
        UnsupportedError: for what the dialect cannot hold, by name.
    """
    name = dialect or f"openqasm{version}"
    if name not in _DIALECTS:
        raise UnsupportedError(f"OpenQASM dialect {name!r}, expected one of {', '.join(_DIALECTS)}")
    if circuit.initial is not None:
        raise UnsupportedError("a circuit that starts from amplitudes has no OpenQASM; prepare them by gates")
    return _Writer(circuit, _DIALECTS[name]).text()


@dataclass
class _Writer:
    circuit: Circuit
    dialect: _Dialect
    definitions: dict[str, str] = field(default_factory=dict)
    slots: dict[str, list[str]] = field(default_factory=dict)
    qubits: list[str] = field(default_factory=list)

    def text(self) -> str:
        self.slots = self._slot_names()
        self.qubits = [f"q[{q}]" for q in range(self.circuit.n_qubits)]
        self.bits = self._bit_names()
        body = list(self._body())
        n = self.circuit.n_qubits
        qubits = f"qreg q[{n}];" if self.dialect.version == 2 else f"qubit[{n}] q;"
        inputs = [f"input float {name};" for names in self.slots.values() for name in names]
        lines = [self.dialect.head, *inputs, *self.definitions.values(), qubits, *self._registers(), *body]
        return "\n".join(lines) + "\n"

    # -- names

    def _slot_names(self) -> dict[str, list[str]]:
        out: dict[str, list[str]] = {"input": [], "weight": []}
        if self.dialect.version == 2 and (self.circuit.n_inputs or self.circuit.n_weights):
            raise UnsupportedError(
                f"{self.circuit!r} has slots, which OpenQASM 2 has not; write version 3, or a circuit with numbers"
            )
        taken = set(_TAKEN)
        for source, slots in (("input", self.circuit.input_slots), ("weight", self.circuit.weight_slots)):
            for block in slots:
                size = 1
                for length in block.shape:
                    size *= length
                for k in range(size):
                    base = "".join(c if c.isalnum() else "_" for c in block.name) or source
                    name = base if size == 1 and base not in taken else f"{base}_{k}"
                    while name in taken or not (name[0].isalpha() or name[0] == "_"):
                        name = f"p_{name}"
                    taken.add(name)
                    out[source].append(name)
        return out

    def _bit_names(self) -> list[str]:
        """Of every bit. In version 2 a condition reads a whole register: its bits are one."""
        n, letter = self.circuit.n_bits, "b" if self.dialect.is_braket else "c"
        self.layout: list[tuple[str, int]] = [(letter, n)] if n else []
        if self.dialect.version == 3:
            return [f"{letter}[{k}]" for k in range(n)]
        groups = {c.bits for op in self.circuit.operations for c in without_conditions(op.gate)[1]}
        names, taken = [""] * n, set[int]()
        if not groups or groups == {tuple(range(n))}:
            return [f"c[{k}]" for k in range(n)]
        self.layout = []
        for bits in sorted(groups):
            if taken & set(bits):
                raise UnsupportedError(
                    f"conditions on bits {bits} and others that overlap have no OpenQASM 2, which compares whole "
                    "registers; write version 3"
                )
            taken |= set(bits)
        # Registers in order of their lowest bits, so that bits keep their order where that is possible.
        parts = sorted([*groups, *((bit,) for bit in range(n) if bit not in taken)])
        for number, bits in enumerate(parts):
            self.layout.append((f"c{number}", len(bits)))
            for k, bit in enumerate(bits):
                names[bit] = f"c{number}[{k}]"
        if [bit for bits in parts for bit in bits] != list(range(n)):
            raise UnsupportedError(
                "conditions on bits that are no neighbours have no OpenQASM 2 in which bits keep their order; write "
                "version 3"
            )
        return names

    def _registers(self) -> Iterator[str]:
        for name, size in self.layout:
            yield f"creg {name}[{size}];" if self.dialect.version == 2 else f"bit[{size}] {name};"

    # -- statements

    def _body(self) -> Iterator[str]:
        for conditions, operations in _together(self.circuit.operations):
            lines = [line for op in operations for line in self._statement(op)]
            yield from self._under(conditions, lines) if conditions else lines

    def _under(self, conditions: tuple[Condition, ...], lines: list[str]) -> Iterator[str]:
        if self.dialect.is_braket:
            raise UnsupportedError("gates under conditions on bits are not in Braket's OpenQASM; write version 3")
        if self.dialect.version == 3:
            tests = " && ".join(f"({self._test(c)})" if len(conditions) > 1 else self._test(c) for c in conditions)
            yield f"if ({tests}) {{"
            yield from (f"  {line}" for line in lines)
            yield "}"
            return
        if len(conditions) > 1:
            raise UnsupportedError("conditions within each other are not in OpenQASM 2; write version 3")
        condition = conditions[0]
        register = self.bits[condition.bits[0]].split("[")[0]
        everything = frozenset(range(1 << min(len(condition.bits), 16)))
        values = everything - condition.values if condition.negated else condition.values
        if condition.negated and len(condition.bits) > 16:
            raise UnsupportedError("a condition that a register of many bits is not a number is not in OpenQASM 2")
        if len(values) > 1 and any("measure" in line for line in lines):
            raise UnsupportedError("a measurement under a condition with several values is not in OpenQASM 2")
        for value in sorted(values):
            yield from (f"if({register}=={value}) {line}" for line in lines)

    def _test(self, condition: Condition) -> str:
        names = [self.bits[bit] for bit in condition.bits]
        if condition.bits == tuple(range(self.circuit.n_bits)) and len(condition.values) == 1 and len(names) > 1:
            return f"c {'!=' if condition.negated else '=='} {min(condition.values)}"
        if len(names) == 1 and len(condition.values) == 1:
            return f"{'' if (1 in condition.values) != condition.negated else '!'}{names[0]}"
        cases = [
            " && ".join(f"{'' if value >> k & 1 else '!'}{name}" for k, name in enumerate(names))
            for value in sorted(condition.values)
        ]
        text = " || ".join(f"({case})" for case in cases) or "false"
        return f"!({text})" if condition.negated else text

    def _statement(self, op: Operation) -> Iterator[str]:
        gate, _ = without_conditions(op.gate)
        if gate.kind == "measurement":
            yield self._measurement(gate, self.qubits[op.qubits[0]])
        elif gate.kind == "reset":
            yield f"reset {self.qubits[op.qubits[0]]};"
        elif gate.is_unitary:
            yield from self._gate(Operation(gate, op.qubits, op.angles))
        else:
            raise UnsupportedError(
                f"{gate.name} on qubit {op.qubits[0]} is a {gate.kind}, which OpenQASM has none of; take it out"
            )

    def _measurement(self, gate: Gate, qubit: str) -> str:
        if gate.data is None:
            if self.dialect.version == 2:
                raise UnsupportedError("a measurement into no bit is not in OpenQASM 2; give it a bit")
            return f"measure {qubit};"
        bit = self.bits[gate.data]
        return f"measure {qubit} -> {bit};" if self.dialect.version == 2 else f"{bit} = measure {qubit};"

    # -- gates

    def _gate(self, op: Operation) -> Iterator[str]:
        count, inner = split_controls(op)
        names, texts = self.dialect.names, [self._angle(angle) for angle in op.angles]
        qubits = ", ".join(self.qubits[q] for q in op.qubits)
        name = names.get(inner.gate.name) if inner.gate.data is None else None
        if op.gate.name == "global_phase" and not self.dialect.has_phase:
            return
        if name is not None and (not count or self.dialect.version == 3):
            prefix = "" if not count else "ctrl @ " if count == 1 else f"ctrl({count}) @ "
            yield f"{prefix}{_call(name, texts)} {qubits}".rstrip() + ";"
        elif op.gate.data is None and self.dialect.defines and op.gate.name not in QELIB1 | STDGATES:
            self._define(op.gate)
            yield f"{_call(op.gate.name, texts)} {qubits};"
        else:
            for each in simpler(op):
                yield from self._gate(each)

    def _define(self, gate: Gate) -> None:
        """By its rotations, whose angles are multiples of its own."""
        if gate.name in self.definitions:
            return
        self.definitions[gate.name] = ""  # its place among the others
        slots = [f"p{k}" for k in range(gate.n_angles)]
        qubits = [f"a{k}" for k in range(gate.n_qubits)]
        inner = _Writer(self.circuit, self.dialect, self.definitions, {"input": [], "weight": slots}, qubits)
        angles = tuple(Angle("weight", k) for k in range(gate.n_angles))
        body = simpler(Operation(gate, tuple(range(gate.n_qubits)), angles))
        lines = " ".join(line for each in body for line in inner._gate(each))
        self.definitions[gate.name] = f"gate {_call(gate.name, slots)} {', '.join(qubits)} {{ {lines} }}"

    def _angle(self, angle: Angle) -> str:
        if angle.is_number:
            return _number(angle.offset)
        name = self.slots[angle.source][angle.index]
        scaled = name if angle.scale == 1 else f"{_number(angle.scale)}*{name}"
        if angle.offset == 0:
            return scaled
        return f"{scaled}{'+' if angle.offset > 0 else '-'}{_number(abs(angle.offset))}"


def _call(name: str, angles: Sequence[str]) -> str:
    return f"{name}({', '.join(angles)})" if angles else name


def _number(value: float) -> str:
    """As short as it is read back: with a point, or an exponent alone."""
    return repr(float(value))


def _together(operations: Sequence[Operation]) -> Iterator[tuple[tuple[Condition, ...], list[Operation]]]:
    """Neighbours under the same conditions, as long as they measure into no bit that these read."""
    group: list[Operation] = []
    under: tuple[Condition, ...] = ()
    ended = False
    for op in operations:
        conditions = without_conditions(op.gate)[1]
        if group and (ended or conditions != under):
            yield under, group
            group = []
        group.append(op)
        under, ended = conditions, bool(set(bits_written(op.gate)) & {bit for c in conditions for bit in c.bits})
    if group:
        yield under, group
