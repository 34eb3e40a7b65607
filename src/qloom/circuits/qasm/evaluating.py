"""Expressions of a running program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qloom.circuits.conditions import measured_gate
from qloom.circuits.parameters import Angle
from qloom.circuits.qasm import syntax as s
from qloom.circuits.qasm.program import MOST_CALLS, MOST_SIZE, Leaving, Program
from qloom.circuits.qasm.values import (
    FUNCTIONS,
    FUNCTIONS_OF_2,
    Array,
    Bits,
    Cell,
    Measured,
    Qubits,
    Unsupported,
    binary,
    called,
    plain,
    unary,
)


class Evaluation(Program):
    """Values of expressions; a subroutine that is called in one runs its statements."""

    def run_all(self, body: Sequence[Any]) -> None:
        """Run statements in a scope of their own."""
        raise NotImplementedError

    def value(self, e: Any) -> Any:
        kind = type(e)
        if kind is s.Literal:
            return e.value
        if kind is s.Name:
            return self.look_up(e.place, e.name)
        if kind is s.Binary:
            return self._binary(e)
        try:
            if kind is s.Unary:
                return unary(e.sign, self.value(e.of))
            if kind is s.BitString:
                return Bits.of_text(e.bits)
            if kind is s.Call:
                return self._call(e)
            if kind is s.Cast:
                return self.cast(e.place, e.type, self.value(e.of))
            if kind is s.Index:
                return self._indexed(e)
            if kind is s.Several:
                return [self.value(item) for item in e.items]
            if kind is s.Measure:
                register = self._new_bits(s.Type(e.place, "bit"), allocate=True)
                self._measure(e.place, e.of, register)
                return register
        except Unsupported as error:
            raise self.fault(e.place, str(error)) from None
        raise self.fault(e.place, f"a {kind.__name__.lower()} is no value")

    def _binary(self, e: s.Binary) -> Any:
        left, right = self.value(e.left), self.value(e.right)
        try:
            if e.sign == "++":
                return _joined(left, right)
            return binary(e.sign, left, right, self.version == 2 or self._in_body)
        except Unsupported as error:
            raise self.fault(e.place, str(error)) from None

    def _call(self, e: s.Call) -> Any:
        if e.name in self.subroutines:
            return self._subroutine(e)
        if e.name == "sizeof" and self.version == 3:
            return self._sizeof(e)
        if e.name not in (FUNCTIONS if self.version == 3 else FUNCTIONS_OF_2):
            raise self.fault(e.place, f"{e.name}(...) is not defined")
        return called(e.name, [self.value(argument) for argument in e.arguments])

    def _sizeof(self, e: s.Call) -> int:
        of, *place = (self.value(argument) for argument in e.arguments) if e.arguments else (None,)
        for _ in range(plain(place[0]) if len(place) == 1 and isinstance(plain(place[0]), int) else 0):
            of = of[0] if isinstance(of, list) and of else None
        if len(place) > 1 or not isinstance(of, Bits | Qubits | list):
            raise self.fault(e.place, "sizeof takes a register or an array, and which of its dimensions")
        return len(of.cells if isinstance(of, Bits) else of.places if isinstance(of, Qubits) else of)

    def _indexed(self, e: s.Index) -> Any:
        of = self.value(e.of)
        items: Sequence[Any] = (
            of.cells
            if isinstance(of, Bits)
            else of.places
            if isinstance(of, Qubits)
            else of
            if isinstance(of, list)
            else ()
        )
        if not items or (isinstance(of, Bits | Qubits) and of.is_single and self._in_body):
            raise self.fault(e.place, "an index of what is no register or array")
        if isinstance(e.at, s.Range | s.Several):
            chosen = [self._item(e.place, items, k) for k in self._numbers(e.at, len(items))]
            return chosen if isinstance(of, list) else type(of)(tuple(chosen))
        item = self._item(e.place, items, plain(self.value(e.at)))
        return item if isinstance(of, list) else type(of)((item,), True)

    def _item(self, place: int, items: Sequence[Any], k: Any) -> Any:
        if isinstance(k, bool) or not isinstance(k, int):
            raise self.fault(place, f"index {shown(k)}, expected a whole number")
        if not -len(items) <= k < len(items) or (k < 0 and self.version == 2):
            raise self.fault(place, f"index {k}, expected 0 to {len(items) - 1}")
        return items[k]

    def _numbers(self, at: Any, size: int | None = None) -> Iterator[Any]:
        """Of a range, both ends included, or a set."""
        if isinstance(at, s.Several):
            yield from (plain(self.value(item)) for item in at.items)
            return
        step = 1 if at.step is None else plain(self.value(at.step))
        if size is None and (at.start is None or at.stop is None):
            raise self.fault(at.place, "a range without its ends")
        start = (0 if step > 0 else (size or 1) - 1) if at.start is None else plain(self.value(at.start))
        stop = ((size or 1) - 1 if step > 0 else 0) if at.stop is None else plain(self.value(at.stop))
        if any(isinstance(each, bool) or not isinstance(each, int) for each in (start, step, stop)) or step == 0:
            raise self.fault(at.place, "a range of what are no whole numbers, or with step 0")
        if size is not None:
            start, stop = (each + size if each < 0 else each for each in (start, stop))
            if start < 0 or stop < 0:
                raise self.fault(at.place, f"a range from {start} to {stop}, expected 0 to {size - 1}")
        yield from range(start, stop + (1 if step > 0 else -1), step)

    def _array(self, place: int, kind: s.Type, values: list[Any]) -> Array:
        """A copy, its values as of the type's elements."""
        inner = kind if kind.name != "array" else s.Type(kind.place, "array", None, kind.element, kind.shape[1:])
        element = inner if inner.name != "array" or inner.shape else inner.element
        out = Array(value if element is None else self.cast(place, element, value) for value in values)
        out.kind = element
        return out

    def _cast_measured(self, place: int, kind: s.Type, value: Any, given: Measured) -> Any:
        if kind.name == "bit":
            return (
                value if not isinstance(value, Bits) else Bits(tuple(c.copied() for c in value.cells), value.is_single)
            )
        if kind.name in ("int", "uint") and given.places is not None:
            width = self._size(kind)
            if width is None or width > max(given.places):
                return given
        sized = kind if kind.size is None else s.Type(kind.place, kind.name, s.Literal(kind.place, self._size(kind)))
        return given.map(lambda read: plain(self.cast(place, sized, read)))

    def cast(self, place: int, kind: s.Type, value: Any) -> Any:
        """A value as of a type."""
        if isinstance(value, list):
            return self._array(place, kind, value)
        if isinstance(value, Angle | Qubits):
            return value
        given = plain(value)
        if isinstance(given, Measured):
            return self._cast_measured(place, kind, value, given)
        try:
            if kind.name == "bit":
                size = self._size(kind) or 1
                return Bits(tuple(Cell(known=int(given) >> k & 1) for k in range(size)), size == 1)
            if kind.name == "bool":
                return bool(given)
            if kind.name in ("int", "uint"):
                whole, width = int(given), self._size(kind)
                if width is None:
                    return whole
                wrapped = whole % (1 << width)
                return wrapped - (1 << width) if kind.name == "int" and wrapped >> width - 1 else wrapped
            if kind.name in ("float", "angle"):
                return float(given)
            return complex(given) if kind.name == "complex" else given
        except (TypeError, ValueError, OverflowError):
            raise self.fault(place, f"{given!r} is no {kind.name}") from None

    def _size(self, kind: s.Type) -> int | None:
        if kind.size is None:
            return None
        size = plain(self.value(kind.size))
        if type(size) is not int or not 1 <= size <= MOST_SIZE:
            raise self.fault(kind.place, f"a size of {size!r}, expected a whole number from 1 to {MOST_SIZE}")
        return size

    def _whole(self, place: int, expression: Any) -> int:
        value = plain(self.value(expression))
        if type(value) is not int or not 0 <= value <= MOST_SIZE:
            raise self.fault(place, f"a size of {value!r}, expected a whole number from 0 to {MOST_SIZE}")
        return value

    def _new_bits(self, kind: s.Type, allocate: bool) -> Bits:
        size = self._size(kind)
        register = Bits(tuple(Cell() for _ in range(size or 1)), is_single=size is None)
        if allocate:
            for cell in register.cells:
                self._allocate(cell)
        self.registers.append(register)
        return register

    def _subroutine(self, e: s.Call) -> Any:
        found = self.subroutines[e.name]
        if len(e.arguments) != len(found.parameters):
            raise self.fault(e.place, f"{e.name} got {len(e.arguments)} arguments, expected {len(found.parameters)}")
        self.calls += 1
        if self.calls > MOST_CALLS:
            raise self.fault(e.place, f"more than {MOST_CALLS} calls within each other")
        scope = {}
        for (kind, name), argument in zip(found.parameters, e.arguments, strict=True):
            value = self.value(argument)
            scope[name] = self._argument_of(e.place, kind, value)
        outer, self.scopes = self.scopes, [self.scopes[0], scope]
        try:
            self.run_all(found.body)
        except Leaving as leaving:
            if leaving.how != "return":
                raise
            return leaving.value
        finally:
            self.scopes, self.calls = outer, self.calls - 1
        return None

    def _argument_of(self, place: int, kind: s.Type, value: Any) -> Any:
        """By value, but for qubits."""
        if isinstance(value, Bits):
            return _copied(value)
        return self.cast(place, kind, value)

    def _measure(self, place: int, of: Any, into: Bits) -> None:
        qubits = self._qubits(of)
        if len(qubits) != len(into.cells):
            raise self.fault(place, f"measure of {len(qubits)} qubits into {len(into.cells)} bits, expected as many")
        for qubit, cell in zip(qubits, into.cells, strict=True):
            if cell.known:
                raise self.fault(place, "measure into a bit that was set to 1 before")
            if cell.of is not None:
                raise self.fault(place, "measure into a bit that is a copy of a measured one")
            self._allocate(cell)
            assert cell.place is not None
            self.emit(place, measured_gate(cell.place), (), (qubit,))
            cell.known, cell.writes = None, cell.writes + 1
            if any(cell.place in condition.bits for condition in self.conditions):
                self.stale.add(cell.place)

    def _qubits(self, operand: Any) -> tuple[int, ...]:
        value = self.value(operand)
        if not isinstance(value, Qubits):
            raise self.fault(operand.place, f"{shown(value)} is no qubit")
        return value.places


def _copied(bits: Bits) -> Bits:
    return Bits(tuple(cell.copied() for cell in bits.cells), bits.is_single)


def _joined(left: Any, right: Any) -> Any:
    sizes = [len(one.cells if isinstance(one, Bits) else one.places if isinstance(one, Qubits) else one)
             for one in (left, right) if isinstance(one, Bits | Qubits | list)]  # fmt: skip
    if sum(sizes) > MOST_SIZE:
        raise Unsupported(f"++ to more than {MOST_SIZE}")
    if isinstance(left, Qubits) and isinstance(right, Qubits):
        return Qubits(left.places + right.places)
    if isinstance(left, Bits) and isinstance(right, Bits):
        return Bits(left.cells + right.cells)
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    raise Unsupported("++ of what are not both qubits, bits or arrays")


def shown(value: Any) -> str:
    """A value as messages call it."""
    names = {
        Qubits: "qubits",
        Bits: "bits",
        Measured: "a measured value",
        Angle: "an input parameter",
        list: "an array",
    }
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a number of {value.bit_length()} bits"
    return names.get(type(value)) or repr(value)[:40]
