"""What OpenQASM 2 and 3 are made of, as a tree: expressions, operands, statements; `place` is where each begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a truth value."""

    place: int
    value: Any


@dataclass(frozen=True, slots=True)
class BitString:
    """Bits in quotes, "0101"."""

    place: int
    bits: str


@dataclass(frozen=True, slots=True)
class Name:
    """A name that stands for a value."""

    place: int
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before an expression: -a, !a, ~a."""

    place: int
    sign: str
    of: Any


@dataclass(frozen=True, slots=True)
class Binary:
    """A sign between two expressions: a + b."""

    place: int
    sign: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments: sin(a)."""

    place: int
    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """A value made one of another type: float(a)."""

    place: int
    type: Type
    of: Any


@dataclass(frozen=True, slots=True)
class Range:
    """start:step:stop, both ends included."""

    place: int
    start: Any
    step: Any
    stop: Any


@dataclass(frozen=True, slots=True)
class Several:
    """{a, b, c}."""

    place: int
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A part of a register or an array: q[0], q[1:3]."""

    place: int
    of: Any
    at: Any


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured, as a value."""

    place: int
    of: Any


@dataclass(frozen=True, slots=True)
class Type:
    """name: "int", "uint", "float", "angle", "bool", "bit", "complex", "qubit", "array" ..."""

    place: int
    name: str
    size: Any = None
    element: Type | None = None
    shape: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Modifier:
    """What stands before a gate: ctrl, inv, pow and the like."""

    place: int
    name: str
    argument: Any = None


# -- statements


@dataclass(frozen=True, slots=True)
class Declare:
    """A variable, a constant or an input, with its type."""

    place: int
    type: Type
    name: str
    value: Any = None
    is_const: bool = False
    is_input: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for qubits: let a = q[0:2]."""

    place: int
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Apply:
    """A gate on operands."""

    place: int
    name: str
    arguments: tuple[Any, ...]
    operands: tuple[Any, ...]
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureInto:
    """measure a -> b, or measure a alone."""

    place: int
    of: Any
    into: Any


@dataclass(frozen=True, slots=True)
class Reset:
    """Qubits put back to 0."""

    place: int
    of: Any


@dataclass(frozen=True, slots=True)
class Assign:
    """A variable given a value, by = or by a sign such as +=."""

    place: int
    to: Any
    sign: str
    value: Any


@dataclass(frozen=True, slots=True)
class Evaluate:
    """An expression for what it does alone."""

    place: int
    value: Any


@dataclass(frozen=True, slots=True)
class If:
    """Statements under a condition, and those otherwise."""

    place: int
    condition: Any
    then: tuple[Any, ...]
    otherwise: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class For:
    """Statements repeated over a range or a set."""

    place: int
    type: Type
    name: str
    over: Any
    body: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class While:
    """Statements repeated as long as a condition holds."""

    place: int
    condition: Any
    body: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """Statements by the value of an expression."""

    place: int
    of: Any
    cases: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
    default: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Statements in a scope of their own."""

    place: int
    body: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """break, continue, end, or return with its value."""

    place: int
    how: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class GateBody:
    """body None: opaque."""

    place: int
    name: str
    parameters: tuple[str, ...]
    qubits: tuple[str, ...]
    body: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Subroutine:
    """A function of the program: def."""

    place: int
    name: str
    parameters: tuple[tuple[Type, str], ...]
    body: tuple[Any, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Include:
    """Another file, read where it stands."""

    place: int
    file: str
