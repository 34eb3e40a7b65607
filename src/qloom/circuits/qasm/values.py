"""What expressions of OpenQASM stand for: numbers, bits that are known or measured, functions of measured bits."""

from __future__ import annotations

import cmath
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qloom.circuits.conditions import Condition
from qloom.circuits.parameters import Angle

# Measured bits whose combinations are gone through.
MOST_BITS = 16


_STALE = "a measured value is used after its bit was measured into again"
# Bits of whole numbers.
MOST_BITS_OF_NUMBER = 4096


class Array(list[Any]):
    """Values of one type.

    Attributes:
        kind: of its elements, or None.
    """

    kind: Any = None


class Unsupported(Exception):  # noqa: N818 - becomes one
    """What cannot be represented; becomes an error with its line."""


@dataclass(eq=False)
class Cell:
    """One classical bit.

    Args:
        place: the circuit's bit; None as long as nothing is measured into it.
        known: 0 or 1; None once it is measured.
        writes: how often it was measured into.
    """

    place: int | None = None
    known: int | None = 0
    writes: int = 0
    of: Cell | None = None  # that this is a copy of
    at: int = 0  # writes of that, when it was copied

    def copied(self) -> Cell:
        origin = self if self.of is None else self.of
        if self.known is not None:
            return Cell(known=self.known)
        return Cell(known=None, of=origin, at=origin.writes if self.of is None else self.at)

    @property
    def origin(self) -> Cell:
        """What was measured into."""
        if self.of is None:
            return self
        if self.of.writes != self.at:
            raise Unsupported(_STALE)
        return self.of


@dataclass(frozen=True)
class Bits:
    """A register, or some bits of one; the first is the lowest."""

    cells: tuple[Cell, ...]
    is_single: bool = False

    @staticmethod
    def of_text(text: str) -> Bits:
        if not text or set(text) - {"0", "1"}:
            raise Unsupported(f'"{text}" is no bit string, expected 0 and 1')
        return Bits(tuple(Cell(known=int(bit)) for bit in reversed(text)))

    @property
    def value(self) -> int | Measured:
        """As a number."""
        if all(cell.known is not None for cell in self.cells):
            return sum(int(cell.known or 0) << k for k, cell in enumerate(self.cells))
        places = [k for k, cell in enumerate(self.cells) if cell.known is None]
        rest = sum(int(cell.known or 0) << k for k, cell in enumerate(self.cells))
        return Measured(
            tuple(self.cells[k].origin for k in places),
            lambda read: rest + sum((read >> i & 1) << k for i, k in enumerate(places)),
            rest=rest,
            places=tuple(places),
        )


class Measured:
    """A function of measured bits.

    Args:
        cells: the bits.
        function: of the number that they read as, the first the lowest.
        known: the condition that it is, where that was found without going through all numbers.
        rest, places: where it is the number that a register reads as.
    """

    def __init__(
        self, cells: Sequence[Cell], function: Callable[[int], Any], known: tuple[frozenset[int], bool] | None = None,
        rest: int = 0, places: tuple[int, ...] | None = None,
    ):  # fmt: skip
        self.cells, self.function, self.known = tuple(cells), lru_cache(maxsize=None)(function), known
        self.rest, self.places = rest, places
        self._writes = tuple(cell.writes for cell in self.cells)

    def condition(self) -> Condition:
        """Where it is true."""
        if tuple(cell.writes for cell in self.cells) != self._writes:
            raise Unsupported(_STALE)
        bits = tuple(int(cell.place) for cell in self.cells if cell.place is not None)
        is_whole = self.places is not None and self.places == tuple(range(len(self.places)))
        if self.known is None and is_whole and not self.rest:
            return Condition(bits, frozenset({0}), negated=True)
        if self.known is not None:
            return Condition(bits, *self.known)
        try:
            return Condition(bits, frozenset(read for read in self._reads() if self.function(read)))
        except (ZeroDivisionError, TypeError, ValueError, OverflowError) as error:
            raise Unsupported(f"a condition on measured bits has no value ({error})") from None

    def equals(self, number: int, negated: bool) -> bool | Measured | None:
        """Compared with a number; None where this is no register."""
        if self.places is None:
            return None
        read = sum((number >> k & 1) << i for i, k in enumerate(self.places))
        if number < 0 or self.function(read) != number:
            return negated
        return Measured(self.cells, lambda r: (r == read) != negated, known=(frozenset({read}), negated))

    def inverted(self) -> Measured:
        if self.known is None:
            return self.map(operator.not_)
        values, negated = self.known
        return Measured(self.cells, lambda read: not self.function(read), known=(values, not negated))

    def map(self, function: Callable[[Any], Any]) -> Measured:
        return Measured(self.cells, lambda read: function(self.function(read)))

    def with_other(self, other: Any, function: Callable[[Any, Any], Any]) -> Measured:
        """Of two values, of which the other may be a number."""
        if not isinstance(other, Measured):
            return self.map(lambda mine: function(mine, other))
        cells = tuple(dict.fromkeys((*self.cells, *other.cells)))
        mine, theirs = ([cells.index(cell) for cell in one.cells] for one in (self, other))

        def picked(read: int, places: Sequence[int]) -> int:
            return sum((read >> k & 1) << i for i, k in enumerate(places))

        return Measured(
            cells, lambda read: function(self.function(picked(read, mine)), other.function(picked(read, theirs)))
        )

    def _reads(self) -> range:
        if len(self.cells) > MOST_BITS:
            raise Unsupported(f"a condition on {len(self.cells)} measured bits, expected at most {MOST_BITS}")
        return range(1 << len(self.cells))


@dataclass(frozen=True)
class Qubits:
    """A register, or some qubits of one."""

    places: tuple[int, ...]
    is_single: bool = False


def plain(value: Any) -> Any:
    """Bits as a number, anything else as it is."""
    return value.value if isinstance(value, Bits) else value


# -- operators


def _divided(a: Any, b: Any) -> Any:
    """Whole numbers are divided as such, towards 0."""
    if isinstance(a, int) and isinstance(b, int):
        return int(a / b) if abs(a) < 2**53 else (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)
    return a / b


def _remainder(a: Any, b: Any) -> Any:
    """With the sign of the first, as division is towards 0."""
    return a - b * _divided(a, b) if isinstance(a, int) and isinstance(b, int) else math.fmod(a, b)


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MOST_BITS_OF_NUMBER:
        raise Unsupported(f"a whole number of more than {MOST_BITS_OF_NUMBER} bits")
    return value


def _power(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int) and not isinstance(a, bool):
        if b < 0:
            return float(a) ** b
        if abs(a) > 1 and b * a.bit_length() > 4096:
            raise Unsupported(f"{a} to the power {b} has more than 4096 bits")
    return a**b


def _shifted(a: Any, b: Any) -> Any:
    if not 0 <= b <= 4096:
        raise Unsupported(f"a shift by {b}, expected 0 to 4096")
    return a << b


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divided, "%": _remainder, "**": _power,
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "&&": lambda a, b: bool(a) and bool(b), "||": lambda a, b: bool(a) or bool(b),
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<<": _shifted, ">>": operator.rshift,
}  # fmt: skip


def binary(sign: str, left: Any, right: Any, are_angles: bool) -> Any:
    """What two values give; with `are_angles` whole numbers divide as angles do.

    Raises:
        Unsupported: where there is no such value.
    """
    a, b = plain(left), plain(right)
    if any(isinstance(value, list | Qubits) for value in (a, b)):
        raise Unsupported(f"{sign} of qubits or arrays")
    if isinstance(a, Measured) or isinstance(b, Measured):
        return _of_measured(sign, a, b)
    if isinstance(a, Angle) or isinstance(b, Angle):
        return _of_slots(sign, a, b)
    if sign == "/" and are_angles:
        a = float(a) if isinstance(a, int) else a
    try:
        return _bounded(_BINARY[sign](a, b))
    except ZeroDivisionError:
        raise Unsupported("a division by zero") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise Unsupported(f"{a!r} {sign} {b!r} has no value ({error})") from None


def _of_measured(sign: str, a: Any, b: Any) -> Any:
    if sign in ("==", "!="):
        register, other = (a, b) if isinstance(a, Measured) else (b, a)
        if isinstance(other, int):
            found = register.equals(int(other), sign == "!=")
            if found is not None:
                return found
    if isinstance(a, Angle) or isinstance(b, Angle):
        raise Unsupported("an input parameter and a measured value in one expression")

    def function(left: Any, right: Any) -> Any:
        return _bounded(_BINARY[sign](left, right))

    if isinstance(a, Measured):
        return a.with_other(b, function)
    return b.map(lambda theirs: function(a, theirs))


def _of_slots(sign: str, a: Any, b: Any) -> Angle:
    try:
        if sign in ("+", "-", "*"):
            found: Angle = _BINARY[sign](a, b)
            return found
        if sign == "/" and not isinstance(b, Angle):
            return a / float(b)
    except ZeroDivisionError:
        raise Unsupported("a division by zero") from None
    except Exception as error:  # of slots: two slots in one angle
        raise Unsupported(str(error)) from None
    raise Unsupported(f"an input parameter in {sign}, expected multiples of one parameter, and numbers added")


def unary(sign: str, of: Any) -> Any:
    """What a sign makes of a value; Unsupported where it means nothing."""
    value = plain(of)
    if isinstance(value, Measured):
        if sign == "!":
            return value.inverted() if value.known is not None else _negation(value)
        return value.map(operator.neg) if sign == "-" else _flipped(of, value)
    if isinstance(value, list | Qubits) or (isinstance(value, Angle) and sign != "-"):
        raise Unsupported(f"{sign} of qubits, an array or an input parameter")
    if sign == "!":
        return not value
    if sign == "~":
        if isinstance(of, Bits):
            return value ^ ((1 << len(of.cells)) - 1)
        if not isinstance(value, int):
            raise Unsupported(f"~ of {value!r}, expected bits or a whole number")
        return ~value if not isinstance(value, bool) else not value
    return -value


def _negation(value: Measured) -> Measured:
    found = value.equals(0, negated=False)
    return found if isinstance(found, Measured) else value.map(operator.not_)


def _flipped(of: Any, value: Measured) -> Measured:
    width = len(of.cells) if isinstance(of, Bits) else 64
    return value.map(lambda read: int(read) ^ ((1 << width) - 1))


def _mod(a: float, b: float) -> float:
    return math.fmod(a, b)


FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "sin": (math.sin, 1), "cos": (math.cos, 1), "tan": (math.tan, 1), "exp": (math.exp, 1), "ln": (math.log, 1),
    "sqrt": (math.sqrt, 1), "arcsin": (math.asin, 1), "arccos": (math.acos, 1), "arctan": (math.atan, 1),
    "asin": (math.asin, 1), "acos": (math.acos, 1), "atan": (math.atan, 1), "log": (math.log, 1), "abs": (abs, 1),
    "ceiling": (math.ceil, 1), "floor": (math.floor, 1), "mod": (_mod, 2), "pow": (_power, 2),
    "popcount": (lambda a: int(a).bit_count(), 1), "real": (lambda a: complex(a).real, 1),
    "imag": (lambda a: complex(a).imag, 1), "cis": (lambda a: cmath.exp(1j * a), 1),
}  # fmt: skip
FUNCTIONS_OF_2 = frozenset({"sin", "cos", "tan", "exp", "ln", "sqrt"})
CONSTANTS = {"pi": math.pi, "π": math.pi, "tau": math.tau, "τ": math.tau, "euler": math.e, "ℇ": math.e, "ℯ": math.e}


def called(name: str, arguments: Sequence[Any]) -> Any:
    """A function's value; Unsupported where it has none."""
    function, count = FUNCTIONS[name]
    if len(arguments) != count:
        raise Unsupported(f"{name} takes {count} numbers, got {len(arguments)}")
    values = [plain(argument) for argument in arguments]
    if any(isinstance(value, Angle | Measured) for value in values):
        what = "an input parameter" if any(isinstance(value, Angle) for value in values) else "a measured value"
        raise Unsupported(f"{what} in {name}(...), expected a number")
    try:
        return function(*values)
    except (ValueError, OverflowError, TypeError, ZeroDivisionError) as error:
        raise Unsupported(f"{name}({', '.join(map(str, values))}) has no value ({error})") from None
