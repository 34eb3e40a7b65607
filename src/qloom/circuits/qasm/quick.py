"""Statements that most files have most of, a gate with numbers on qubits by index: read without a tree."""

from __future__ import annotations

import gc
import re
from math import isfinite

from qloom.circuits.circuit import Operation
from qloom.circuits.gate import Gate
from qloom.circuits.parameters import Angle
from qloom.circuits.qasm.definitions import known_gate
from qloom.circuits.qasm.program import MOST_GATES, Program
from qloom.circuits.qasm.values import CONSTANTS, Qubits

_PLAIN = re.compile(r"\s*([A-Za-z]\w*)(?:\s*\(([^();]*)\))?\s+([^;({]*)")
_OPERAND = re.compile(r"\s*([^\W\d]\w*)\s*\[\s*(\d+)\s*\]\s*")
# Words that begin other statements.
_NO_GATES = frozenset({"measure", "reset", "barrier", "if", "opaque", "u0", "gate"})
# Longer statements, and texts of angles, are no common ones.
_LONGEST_KEPT, _LONGEST_ANGLE = 24, 8
_MULTIPLE = re.compile(r"\s*(-?)\s*(?:(\d+\.?\d*)\s*\*\s*)?pi\s*(?:/\s*([1-9]\d*))?\s*\Z")


class QuickGates(Program):
    """Reads such statements from where the text is, and remembers the common ones."""

    def __init__(self, text: str, version: int, inputs: frozenset[str]):
        super().__init__(text, version, inputs)
        self._places: dict[str, tuple[int, ...]] = {}
        self._angles: dict[str, Angle] = {}
        self._kept: dict[str, Operation] = {}
        self._known: dict[str, Gate | None] = {}

    def forget(self) -> None:
        """A name has got another meaning."""
        for kept in (self._known, self._kept, self._angles):
            kept.clear()

    def read_plain(self) -> None:
        """Gates with numbers on qubits by index, as long as the text has those: no tree is made of them."""
        was_collecting = gc.isenabled()
        gc.disable()  # millions of objects, none of which is garbage
        try:
            self.tokens.jump(self._plain_end(self.tokens.place))
        finally:
            if was_collecting:
                gc.enable()

    def _plain_end(self, place: int) -> int:
        text, operations, kept = self.tokens.source, self.operations, self._kept
        while (end := text.find(";", place)) >= 0:
            statement = text[place:end]
            operation = kept.get(statement) or self._plain_operation(statement)
            if operation is None or len(operations) >= MOST_GATES:  # `emit` says what is wrong
                break
            operations.append(operation)
            place = end + 1
        return place

    def _plain_operation(self, statement: str) -> Operation | None:
        """None for what is no plain gate; common statements are kept."""
        found = _PLAIN.fullmatch(statement)
        if found is None:
            return None
        name, given, operands = found.groups()
        gate = self._known[name] if name in self._known else self._plain_gate(name)
        if gate is None:
            return None
        qubits = self._places[operands] if operands in self._places else self._plain_qubits(operands)
        angles = () if given is None else self._plain_angles(given)
        if len(qubits) != gate.n_qubits or len(angles) != gate.n_angles or not qubits:
            return None
        out = Operation(gate, qubits, angles)
        if len(statement) <= _LONGEST_KEPT:
            self._kept[statement] = out
        return out

    def _plain_gate(self, name: str) -> Gate | None:
        found = None if name in self.gates or name in _NO_GATES else known_gate(name)
        self._known[name] = found
        return found

    def _plain_qubits(self, operands: str) -> tuple[int, ...]:
        """None where they are none, or not different: the slow way says what is wrong."""
        out = []
        for operand in operands.split(","):
            found = _OPERAND.fullmatch(operand)
            register = self.scopes[0].get(found.group(1)) if found else None
            if found is None or not isinstance(register, Qubits) or int(found.group(2)) >= len(register.places):
                return ()
            out.append(register.places[int(found.group(2))])
        self._places[operands] = tuple(out) if len(set(out)) == len(out) else ()
        return self._places[operands]

    def _plain_angles(self, text: str) -> tuple[Angle, ...]:
        """None where one is no plain number."""
        kept, out = self._angles, []
        for part in text.split(","):
            angle = kept.get(part)
            if angle is None:
                value = _plain_number(part, "pi" not in self.scopes[0])
                if value is None:
                    return ()
                angle = Angle("number", 0, 0.0, value)
                if len(part) <= _LONGEST_ANGLE:
                    kept[part] = angle
            out.append(angle)
        return tuple(out)


def _plain_number(text: str, with_pi: bool) -> float | None:
    """Of a text such as 0.5, -1e-3, pi/2 or -3*pi/4; None for any other."""
    try:
        value = float(text)
        return value if isfinite(value) and "_" not in text else None
    except ValueError:
        found = _MULTIPLE.match(text)
    if found is None or not with_pi:
        return None
    sign, factor, divisor = found.groups()
    value = CONSTANTS["pi"] * (float(factor) if factor else 1) / (float(divisor) if divisor else 1)
    return -value if sign else value
