"""What OpenQASM 2 and 3 are made of, as a tree: expressions, operands, statements; `place` is where each begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    place: int
    value: Any


@dataclass(frozen=True, slots=True)
class BitString:
    place: int
    bits: str


@dataclass(frozen=True, slots=True)
class Name:
    place: int
    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    place: int
    sign: str
    of: Any


@dataclass(frozen=True, slots=True)
class Binary:
    place: int
    sign: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Call:
    place: int
    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    place: int
    type: Type
    of: Any


@dataclass(frozen=True, slots=True)
class Range:
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
    place: int
    of: Any
    at: Any


@dataclass(frozen=True, slots=True)
class Measure:
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
    place: int
    name: str
    argument: Any = None


# -- statements


@dataclass(frozen=True, slots=True)
class Declare:
    place: int
    type: Type
    name: str
    value: Any = None
    is_const: bool = False
    is_input: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
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
    place: int
    of: Any
    into: Any


@dataclass(frozen=True, slots=True)
class Reset:
    place: int
    of: Any


@dataclass(frozen=True, slots=True)
class Assign:
    place: int
    to: Any
    sign: str
    value: Any


@dataclass(frozen=True, slots=True)
class Evaluate:
    place: int
    value: Any


@dataclass(frozen=True, slots=True)
class If:
    place: int
    condition: Any
    then: tuple[Any, ...]
    otherwise: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class For:
    place: int
    type: Type
    name: str
    over: Any
    body: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class While:
    place: int
    condition: Any
    body: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    place: int
    of: Any
    cases: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
    default: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
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
    place: int
    name: str
    parameters: tuple[tuple[Type, str], ...]
    body: tuple[Any, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Include:
    place: int
    file: str
