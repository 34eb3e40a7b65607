"""OpenQASM 2 and 3 read as circuits: a program is run, its gates are kept.

Loops, conditions and subroutines on known values are gone through. Conditions on measured bits become gates under
conditions. What a circuit cannot hold is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import Condition
from qloom.circuits.gates import GATES
from qloom.circuits.parameters import Angle
from qloom.circuits.qasm import syntax as s
from qloom.circuits.qasm.definitions import QELIB1, STDGATES
from qloom.circuits.qasm.evaluating import shown
from qloom.circuits.qasm.gate_calls import GateCalls
from qloom.circuits.qasm.program import MOST_SIZE, Leaving
from qloom.circuits.qasm.statements import Statements
from qloom.circuits.qasm.tokens import QasmError
from qloom.circuits.qasm.values import Bits, Cell, Measured, Qubits, Unsupported, binary, plain
from qloom.errors import CircuitError, UnsupportedError

# Before a name in a scope: the type it was declared with.
_KIND = "\0"
_FILES = {"qelib1.inc": QELIB1, "stdgates.inc": STDGATES}
_VERSION = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*OPENQASM\s+(\d+)(?:\.(\d+))?\s*;", re.DOTALL)


def from_qasm(text: str, inputs: Iterable[str] = ()) -> Circuit:
    """The circuit of OpenQASM 2 or 3 text.

    Qubits and bits are numbered as they are declared. `input` parameters become weights, by their names, and those
    named here inputs; they enter angles times numbers, plus numbers. A gate that the text defines is what its body
    says.

    Args:
        text: OpenQASM.
        inputs: names of `input` parameters that are one value a sample.

    Raises:
        CircuitError: with line and column, for what is no OpenQASM and for what a circuit here cannot hold.
    """
    if not isinstance(text, str):
        raise QasmError(f"text is a {type(text).__name__}, expected OpenQASM as a string; read files first")
    found = _VERSION.match(text)
    version = int(found.group(1)) if found else 3
    if version not in (2, 3):
        raise QasmError(f"line 1, column 1: OpenQASM {version}, expected version 2 or 3")
    reader = _Reader(text, version, frozenset(inputs))
    reader.tokens.jump(found.end() if found else 0)
    return reader.read()


class _Reader(GateCalls):
    """Runs statements one after the other."""

    def __init__(self, text: str, version: int, inputs: frozenset[str]):
        super().__init__(text, version, inputs)
        self.statements = Statements(self.tokens, version)

    def read(self) -> Circuit:
        try:
            while True:
                self.read_plain()
                statement = self.statements.next()
                if statement is None:
                    break
                self.run(statement)
        except Leaving as leaving:
            if leaving.how != "end":
                raise self.tokens.fault(self.tokens.place, f"{leaving.how} outside of a loop or subroutine") from None
        except RecursionError:
            raise self.tokens.fault(self.tokens.place, "statements are within each other too deep") from None
        if not self.n_qubits:
            raise QasmError("line 1, column 1: no qubits are declared, expected a circuit")
        return self._finished()

    def _finished(self) -> Circuit:
        for register in self.registers:
            for k, cell in enumerate(register.cells):
                if cell.place is not None and cell.known:
                    raise QasmError(f"bit {k} of a register that is measured into is set to 1, which no gate here does")
        circuit = Circuit(self.n_qubits)
        circuit.input_slots, circuit.weight_slots = self.circuit.input_slots, self.circuit.weight_slots
        circuit.n_bits, circuit.operations = self.n_bits, self.operations
        return circuit

    def run(self, statement: Any) -> None:
        try:
            getattr(self, f"_do_{type(statement).__name__.lower()}")(statement)
        except QasmError:
            raise
        except (Unsupported, UnsupportedError, CircuitError) as error:
            raise self.fault(statement.place, str(error)) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise self.fault(statement.place, f"this has no meaning ({error})") from None

    def run_all(self, body: Sequence[Any]) -> None:
        self.scopes.append({})
        try:
            for statement in body:
                self.run(statement)
        finally:
            self.scopes.pop()

    # -- declarations

    def _do_include(self, statement: s.Include) -> None:
        if statement.file not in _FILES:
            raise self.fault(
                statement.place, f"include {statement.file!r}, expected one of {', '.join(sorted(_FILES))}; others are "
                "not read"
            )  # fmt: skip
        clash = sorted(_FILES[statement.file] & set(self.gates))
        if clash:
            raise self.fault(statement.place, f"{statement.file} defines {clash[0]}, which is defined before")
        self.included |= _FILES[statement.file]

    def _do_declare(self, statement: s.Declare) -> None:
        kind, place = statement.type, statement.place
        if statement.is_input:
            return self.declare(place, statement.name, self._slots(statement))
        if kind.name == "qubit":
            if len(self.scopes) > 1:
                raise self.fault(place, f"qubits {statement.name} are declared in a block, expected them outside")
            size = self._size(kind)
            return self.declare(place, statement.name, Qubits(self._new_qubits(size or 1), is_single=size is None))
        if isinstance(statement.value, s.Measure):
            register = self._new_bits(kind, allocate=True)
            self.declare(place, statement.name, register)
            return self._measure(place, statement.value.of, register)
        value = None if statement.value is None else self.value(statement.value)
        if kind.name == "bit":
            if (measured := _as_bits(value)) is not None:
                return self.declare(place, statement.name, measured)
            register = self._new_bits(kind, allocate=value is None and len(self.scopes) == 1)
            if value is not None:
                register = self._set_bits(place, register, value, self._size(kind) is None)
            return self.declare(place, statement.name, register)
        self.declare(place, statement.name, self.cast(place, kind, value) if value is not None else self._empty(kind))
        self.scopes[-1][_KIND + statement.name] = kind

    def _set_bits(self, place: int, register: Bits, value: Any, is_single: bool) -> Bits:
        """A register with its first value; of a text as long as that."""
        if isinstance(value, Bits) and (is_single or len(value.cells) != len(register.cells)):
            register = Bits(tuple(Cell(known=cell.known) for cell in value.cells), len(value.cells) == 1)
        self._write(place, register, value)
        return register

    def _empty(self, kind: s.Type) -> Any:
        if kind.name == "array":
            shape = [self._whole(kind.place, size) for size in kind.shape]
            if prod(shape) > MOST_SIZE:
                raise self.fault(kind.place, f"an array of {prod(shape)} values, expected at most {MOST_SIZE}")
            return self.cast(kind.place, kind, _filled(shape))
        return {"bool": False, "int": 0, "uint": 0, "complex": 0j}.get(kind.name, 0.0)

    def _slots(self, statement: s.Declare) -> Any:
        kind, name = statement.type, statement.name
        of = kind.element if kind.name == "array" else kind
        if of is None or of.name not in ("float", "angle"):
            raise self.fault(
                statement.place, f"input {kind.name} {name}, expected a float or angle, or an array of them"
            )
        shape = tuple(self._whole(kind.place, size) for size in kind.shape)
        if name in self.scopes[-1]:
            raise self.fault(statement.place, f"{name} is declared twice")
        if prod(shape) > MOST_SIZE or 0 in shape:
            raise self.fault(statement.place, f"input {name} has shape {shape}, expected 1 to {MOST_SIZE} numbers")
        declare = self.circuit.inputs if name in self.inputs else self.circuit.weights
        slots = declare(*(shape or (1,)), name=name)
        return slots.tolist() if shape else slots.item()

    def _do_alias(self, statement: s.Alias) -> None:
        value = self.value(statement.value)
        if isinstance(value, Measured):
            raise self.fault(statement.place, f"{statement.name} names a measured value, expected qubits or bits")
        self.declare(statement.place, statement.name, value)

    # -- assignments

    def _do_assign(self, statement: s.Assign) -> None:
        if isinstance(statement.value, s.Measure):
            into = self.value(statement.to)
            if not isinstance(into, Bits):
                raise self.fault(statement.place, "measure into what is no bit")
            return self._measure(statement.place, statement.value.of, into)
        value = self.value(statement.value)
        if statement.sign != "=":
            value = binary(statement.sign[:-1], self.value(statement.to), value, are_angles=False)
        if self.conditions and not self._is_inside(statement.to):
            raise self.fault(statement.place, "an assignment under a condition on measured bits")
        self._assign(statement.place, statement.to, value)

    def _is_inside(self, to: Any) -> bool:
        """Whether a variable was declared under the conditions that hold."""
        while isinstance(to, s.Index):
            to = to.of
        return isinstance(to, s.Name) and any(to.name in scope for scope in self.scopes[self.depths[-1] :])

    def _assign(self, place: int, to: Any, value: Any) -> None:
        before = self.value(to)
        if isinstance(before, Bits):
            measured = _as_bits(value)
            if measured is None or not isinstance(to, s.Name) or any(cell.place is not None for cell in before.cells):
                return self._write(place, before, value)
            value = measured
        if isinstance(to, s.Index):
            holder, at = self.value(to.of), plain(self.value(to.at))
            if isinstance(holder, list):
                self._item(place, holder, at)
                kind = getattr(holder, "kind", None)
                holder[at] = value if kind is None else self.cast(place, kind, value)
                return None
        if not isinstance(to, s.Name) or isinstance(before, Qubits):
            raise self.fault(place, "an assignment to what is no variable")
        scope = next(scope for scope in reversed(self.scopes) if to.name in scope)
        given = plain(value)
        if isinstance(value, Bits) and isinstance(before, Bits):
            given = value
        elif (kind := scope.get(_KIND + to.name)) is not None:
            given = self.cast(place, kind, value)
        elif isinstance(before, int | float | complex) and not isinstance(given, Measured | Angle | list):
            given = self._like(place, before, given)
        scope[to.name] = given
        return None

    def _like(self, place: int, before: Any, given: Any) -> Any:
        try:
            return type(before)(given)
        except (TypeError, ValueError, OverflowError):
            raise self.fault(place, f"{shown(given)} in a variable of {type(before).__name__}") from None

    def _write(self, place: int, register: Bits, value: Any) -> None:
        number = plain(value)
        if isinstance(number, Measured):
            raise self.fault(place, "a measured value in a bit that it is not measured into")
        if not isinstance(number, int):
            raise self.fault(place, f"{shown(number)} in a register of bits, expected a whole number or bits")
        for k, cell in enumerate(register.cells):
            if cell.known is None:
                raise self.fault(place, "a value in a bit that was measured")
            cell.known = number >> k & 1

    def _do_evaluate(self, statement: s.Evaluate) -> None:
        self.value(statement.value)

    # -- measurement, reset

    def _do_measureinto(self, statement: s.MeasureInto) -> None:
        if statement.into is None:
            for qubit in self._qubits(statement.of):
                self.emit(statement.place, GATES["measure"], (), (qubit,))
            return
        into = self.value(statement.into)
        if not isinstance(into, Bits):
            raise self.fault(statement.place, "measure into what is no bit")
        self._measure(statement.place, statement.of, into)

    def _do_reset(self, statement: s.Reset) -> None:
        for qubit in self._qubits(statement.of):
            self.emit(statement.place, GATES["reset"], (), (qubit,))

    # -- control

    def _condition(self, place: int, expression: Any) -> bool | Condition:
        value = plain(self.value(expression))
        if not isinstance(value, Measured):
            if isinstance(value, Angle | list | Qubits):
                raise self.fault(place, f"a condition on {shown(value)}, expected bits or numbers")
            return bool(value)
        try:
            condition = value.condition()
        except Unsupported as error:
            raise self.fault(place, str(error)) from None
        if not condition.values or len(condition.values) == 1 << len(condition.bits):
            return bool(condition.values) != condition.negated
        return condition

    def _do_if(self, statement: s.If) -> None:
        condition = self._condition(statement.place, statement.condition)
        if isinstance(condition, bool):
            return self.run_all(statement.then if condition else statement.otherwise)
        self._run_under(condition, statement.then)
        self._run_under(Condition(condition.bits, condition.values, not condition.negated), statement.otherwise)
        self._refresh(condition.bits)
        return None

    def _refresh(self, bits: Iterable[int]) -> None:
        """Bits of conditions that are over, unless others of those that hold read them too."""
        self.stale -= set(bits) - {bit for condition in self.conditions for bit in condition.bits}

    def _run_under(self, condition: Condition, body: Sequence[Any]) -> None:
        self.conditions.append(condition)
        self.depths.append(len(self.scopes))
        try:
            self.run_all(body)
        except Leaving as leaving:
            raise self.fault(body[0].place, f"{leaving.how} under a condition on measured bits") from None
        finally:
            self.conditions.pop(), self.depths.pop()

    def _do_switch(self, statement: s.Switch) -> None:
        of = self.value(statement.of)
        others: list[Condition] = []
        for values, body in statement.cases:
            tests = [binary("==", of, self.value(value), are_angles=False) for value in values]
            if any(test is True for test in tests):
                self._under(others, body)
                self._refresh(bit for condition in others for bit in condition.bits)
                return None
            measured = [test for test in tests if isinstance(test, Measured)]
            if measured:
                test = measured[0]
                for another in measured[1:]:
                    test = test.with_other(another, lambda a, b: a or b)
                condition = test.condition()
                self._run_under(condition, body)
                others.append(Condition(condition.bits, condition.values, not condition.negated))
        self._under(others, statement.default)
        self._refresh(bit for condition in others for bit in condition.bits)
        return None

    def _under(self, conditions: list[Condition], body: Sequence[Any]) -> None:
        if not conditions:
            return self.run_all(body)
        self.conditions += conditions[:-1]
        try:
            self._run_under(conditions[-1], body)
        finally:
            del self.conditions[len(self.conditions) - len(conditions) + 1 :]
        return None

    def _do_for(self, statement: s.For) -> None:
        over = statement.over
        values = self._numbers(over) if isinstance(over, s.Range | s.Several) else self._items(over)
        for value in values:
            self._count_round(statement.place)
            self.scopes.append({statement.name: self.cast(statement.place, statement.type, value)})
            try:
                self.run_all(statement.body)
            except Leaving as leaving:
                if leaving.how == "break":
                    break
                if leaving.how != "continue":
                    raise
            finally:
                self.scopes.pop()

    def _items(self, over: Any) -> list[Any]:
        value = self.value(over)
        if isinstance(value, Bits):
            return [Bits((cell,), True) for cell in value.cells]
        if isinstance(value, list):
            return value
        raise self.fault(over.place, f"for over {shown(value)}, expected a range, a set, an array or bits")

    def _do_while(self, statement: s.While) -> None:
        while True:
            condition = self._condition(statement.place, statement.condition)
            if isinstance(condition, Condition):
                raise self.fault(statement.place, "while on measured bits, which may take any number of rounds")
            if not condition:
                return
            self._count_round(statement.place)
            try:
                self.run_all(statement.body)
            except Leaving as leaving:
                if leaving.how == "break":
                    return
                if leaving.how != "continue":
                    raise

    def _do_block(self, statement: s.Block) -> None:
        self.run_all(statement.body)

    def _do_leave(self, statement: s.Leave) -> None:
        raise Leaving(statement.how, None if statement.value is None else self.value(statement.value))

    def _do_subroutine(self, statement: s.Subroutine) -> None:
        if statement.name in self.subroutines:
            raise self.fault(statement.place, f"def {statement.name} is there before")
        self.subroutines[statement.name] = statement


def _as_bits(value: Any) -> Bits | None:
    """Measured bits, or a function of one that is that bit; None for anything else."""
    if isinstance(value, Bits):
        is_measured = any(cell.known is None for cell in value.cells)
        return Bits(tuple(cell.copied() for cell in value.cells), value.is_single) if is_measured else None
    if isinstance(value, Measured) and len(value.cells) == 1 and [value.function(read) for read in (0, 1)] == [0, 1]:
        return Bits(tuple(cell.copied() for cell in value.cells), is_single=True)
    return None


def _filled(shape: list[int]) -> Any:
    return 0.0 if not shape else [_filled(shape[1:]) for _ in range(shape[0])]
