"""Circuits from TensorFlow Quantum: what `tfq.convert_to_tensor` makes of Cirq's, one serialized message a circuit.

Messages are read as their format says (tfq/core/proto/program.proto), without TensorFlow: one is a list of fields,
each a number and a value. Gates are Cirq's, by short names. The format has numbers in single precision, and
TensorFlow Quantum has rounded them to six digits: rx(a) is X to the power 0.31831 a there, and so it is here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.exchange.cirq import CIRQ_GATES
from qloom.circuits.exchange.symbols import Symbols
from qloom.circuits.gate import Scalar
from qloom.circuits.gates import find_gate
from qloom.circuits.parameters import Angle
from qloom.circuits.parts import Part, alone, controlled_part, finished, placed
from qloom.errors import CircuitError, UnsupportedError

π = np.pi
_GATES = {
    "XP": "XPowGate", "YP": "YPowGate", "ZP": "ZPowGate", "HP": "HPowGate", "XXP": "XXPowGate", "YYP": "YYPowGate",
    "ZZP": "ZZPowGate", "CZP": "CZPowGate", "CNP": "CXPowGate", "SP": "SwapPowGate", "ISP": "ISwapPowGate",
    "PXP": "PhasedXPowGate", "PISP": "PhasedISwapPowGate", "FSIM": "FSimGate", "AD": "AmplitudeDampingChannel",
    "PD": "PhaseDampingChannel", "GAD": "GeneralizedAmplitudeDampingChannel", "PF": "PhaseFlipChannel",
    "BF": "BitFlipChannel", "DP": "DepolarizingChannel", "RST": "ResetChannel",
}  # fmt: skip
_FACTOR = "_scalar"  # of an argument with this ending before it


def from_tfq(serialized: bytes, inputs: Sequence[str] = (), qubits: Sequence[str] | None = None) -> Circuit:
    """The circuit of one message of TensorFlow Quantum, an entry of `tfq.convert_to_tensor([...])` as bytes.

    Its symbols are weights in the order in which they occur.

    Args:
        serialized: the message.
        inputs: names of symbols that are inputs, one value a sample.
        qubits: names such as "0_1" (row and column) or "3", in order; None for those that occur, in Cirq's own order: a
            grid's by row and column, then a line's.

    Raises:
        CircuitError: for bytes that are no such message, or qubits that are missing.
        UnsupportedError: for a gate that has no meaning here, by its name.
    """
    if not isinstance(serialized, bytes):
        raise CircuitError(f"from_tfq got a {type(serialized).__name__}, expected bytes; take .numpy() of an entry")
    try:
        operations = list(_operations(serialized))
    except (ValueError, IndexError, struct.error, UnicodeDecodeError) as error:
        raise CircuitError(f"the bytes are no circuit of TensorFlow Quantum ({error}), expected one message") from None
    found = sorted({name for op in operations for name in (*op.qubits, *op.controls)}, key=_cirq_order)
    order = found if qubits is None else list(qubits)
    missing = [name for name in found if name not in order]
    if missing:
        raise CircuitError(f"qubits={order!r} lacks {missing[0]!r}, expected all qubits of the circuit")
    out = Circuit(max(1, len(order)))
    reader = _Reader(Symbols(out, [name for op in operations for name in op.symbols], inputs))
    places = {name: k for k, name in enumerate(order)}
    return finished(out, [one for op in operations for one in reader.part(op, places)])


class _Reader:
    """Cirq's gates read with slots for arguments."""

    def __init__(self, symbols: Symbols):
        self.symbols = symbols

    def part(self, op: Any, places: dict[str, int]) -> Part:
        qubits = [places[name] for name in op.qubits]
        part = self.gate_part(op, qubits)
        if not op.controls:
            return part
        return controlled_part(part, [places[name] for name in op.controls], op.values, op.name)

    def gate_part(self, op: Any, qubits: Sequence[int]) -> Part:
        gate = SimpleNamespace(n_qubits=len(qubits), global_shift=0.0)
        for name in op.numbers:
            if not name.endswith(_FACTOR):
                setattr(gate, name, self.value(op, name))
        if op.name == "I":
            return alone("id", qubits)
        if op.name == "ADP":
            return alone(find_gate("pauli_channel"), qubits, gate.p_x, gate.p_y, gate.p_z)
        if op.name not in _GATES:
            raise UnsupportedError(f"TensorFlow Quantum's gate {op.name!r} has no meaning here; replace it")
        return placed(CIRQ_GATES[_GATES[op.name]](self, gate), qubits)

    def value(self, op: Any, name: str) -> Scalar:
        """A number, or a factor times a slot."""
        given = op.numbers[name]
        value: Scalar = self.symbols.angles[given] if isinstance(given, str) else given
        return value * op.numbers.get(name + _FACTOR, 1.0)

    def is_symbolic(self, value: Scalar) -> bool:
        return isinstance(value, Angle)

    def angle(self, value: Scalar, what: Any = None) -> Scalar:
        return value

    def turn(self, value: Scalar, what: Any = None) -> Scalar:
        return value * π


def _cirq_order(name: str) -> tuple[bool, list[int]]:
    """Qubits of a grid have two numbers, those of a line, which come after them, one."""
    numbers = [int(number) for number in name.split("_")]
    return len(numbers) == 1, numbers


# -- the format


def _operations(program: bytes) -> Iterator[SimpleNamespace]:
    """Program 2: Circuit 2: Moment 1: Operation."""
    circuits = _messages(program, 2)
    if not circuits:
        raise ValueError("it has no circuit")
    for moment in _messages(circuits[0], 2):
        yield from map(_operation, _messages(moment, 1))


def _operation(message: bytes) -> SimpleNamespace:
    """Gate 1 with its name 1, arguments 2 (name 1, value 2), qubits 3 with their names 2."""
    (gate,) = _messages(message, 1)
    numbers: dict[str, float | str] = {}
    texts: dict[str, str] = {}
    for entry in _messages(message, 2):
        name, argument = _texts(entry, 1)[0], _messages(entry, 2)[0]
        for number, value in _fields(argument):
            if number == 2:
                numbers[name] = value.decode()
            elif number == 1:
                _read_value(name, value, numbers, texts)
            else:
                raise ValueError(f"argument {name!r} is a function")
    controls = [one for one in texts.get("control_qubits", "").split(",") if one]
    values = [int(one) for one in texts.get("control_values", "").split(",") if one]
    return SimpleNamespace(
        name=_texts(gate, 1)[0], numbers=numbers, qubits=[_texts(one, 2)[0] for one in _messages(message, 3)],
        controls=controls, values=values, symbols=[one for one in numbers.values() if isinstance(one, str)],
    )  # fmt: skip


def _read_value(name: str, message: bytes, numbers: dict[str, float | str], texts: dict[str, str]) -> None:
    """float 1, booleans 2, text 3, double 4."""
    for number, value in _fields(message):
        if number in (1, 4):
            numbers[name] = struct.unpack("<f" if number == 1 else "<d", value)[0]
        elif number == 3:
            texts[name] = value.decode()


def _messages(message: bytes, number: int) -> list[bytes]:
    return [value for found, value in _fields(message) if found == number]


def _texts(message: bytes, number: int) -> list[str]:
    return [value.decode() for value in _messages(message, number)]


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field: of a fixed size, or with its length before it; whole numbers are passed by."""
    at = 0
    while at < len(message):
        key, at = _whole(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            _, at = _whole(message, at)
            continue
        if kind == 2:
            size, at = _whole(message, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if at + size > len(message):
            raise ValueError("it ends early")
        yield number, message[at : at + size]
        at += size


def _whole(message: bytes, at: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, the lowest first; and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
