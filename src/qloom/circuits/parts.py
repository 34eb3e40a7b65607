"""Parts of circuits, as other formats are read and written: under controls and conditions, inverted, made simpler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.conditions import (
    Condition,
    bits_written,
    condition_on,
    conditional_gate,
    without_conditions,
)
from qloom.circuits.gate import Gate, Scalar
from qloom.circuits.gates import GATES, controlled_gate, find_gate, pauli_rotation_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.circuits.synthesis import unitary_gate
from qloom.errors import CircuitError, UnsupportedError

Part = list[Operation]
# A gate with its angles, on qubits counted from 0.
Step = tuple[str | Gate, Sequence[Scalar], Sequence[int]]
# Matrices of foreign gates are taken up to here; beyond, 4^k numbers are no gate any more.
MOST_MATRIX_QUBITS = 8
# Whole powers are so many repetitions at most, and so many gates.
MOST_POWER, MOST_GATES_OF_POWER = 1 << 12, 1 << 20
# Bits under one condition are read by going through all their values.
MOST_CONDITION_BITS = 12
_SMALL = 1e-12


# -- reading


def placed(steps: Iterable[Step], qubits: Sequence[int]) -> Part:
    """Gates on a foreign gate's own qubits, put where these are."""
    part = []
    for gate, angles, places in steps:
        found = find_gate(gate) if isinstance(gate, str) else gate
        part.append(Operation(found, tuple(qubits[k] for k in places), tuple(map(as_angle, angles))))
    return part


def alone(gate: str | Gate, qubits: Iterable[int], *angles: Any) -> Part:
    """One gate on qubits, as a part."""
    places = tuple(qubits)
    return placed([(gate, angles, range(len(places)))], places)


def phase_part(angles: Iterable[Any]) -> Part:
    """A global phase, the sum of angles."""
    kept = [angle for angle in angles if not (isinstance(angle, float) and angle == 0)]
    return [op for angle in kept for op in alone("global_phase", (), angle)]


def matrix_part(matrix: Any, qubits: Sequence[int], name: str) -> Part:
    """A foreign gate by its matrix, its first qubit the most significant bit; with no qubits a phase."""
    if len(qubits) > MOST_MATRIX_QUBITS:
        raise UnsupportedError(
            f"{name} is a matrix on {len(qubits)} qubits, expected at most {MOST_MATRIX_QUBITS}; decompose it first"
        )
    made = np.asarray(matrix, complex)
    if not qubits:
        return alone("global_phase", (), float(np.angle(made.reshape(-1)[0])))
    return alone(unitary_gate(made), qubits)


def with_qubits_reversed(matrix: Any) -> np.ndarray:
    """A matrix on qubits in the other order, for packages whose first qubit is the least significant bit."""
    made = np.asarray(matrix, complex)
    width = made.shape[0].bit_length() - 1
    axes = range(width)[::-1]
    return made.reshape((2,) * (2 * width)).transpose(*axes, *(width + a for a in axes)).reshape(made.shape)


def controlled_part(part: Part, controls: Sequence[int], values: Sequence[int], name: str) -> Part:
    """A part where the controls have these values, 0 or 1 each."""
    flips = [Operation(GATES["x"], (q,)) for q, value in zip(controls, values, strict=True) if not value]
    for control in reversed(controls):
        part = [_under_control(op, control, name) for op in part]
    return [*flips, *part, *flips]


def _under_control(op: Operation, control: int, name: str) -> Operation:
    if not op.gate.is_unitary:
        raise UnsupportedError(f"{name} controls a {op.gate.name}, expected unitary gates")
    if op.gate.name == "global_phase":
        return Operation(GATES["p"], (control,), op.angles)
    return Operation(controlled_gate(op.gate), (control, *op.qubits), op.angles)


def inverted_part(part: Part, name: str) -> Part:
    """The part that undoes another; UnsupportedError where a gate is not unitary."""
    out = []
    for op in reversed(part):
        if not op.gate.is_unitary:
            raise UnsupportedError(f"{name} inverts a {op.gate.name}, expected unitary gates")
        gate, angles = op.gate.inverted(op.angles)
        out.append(Operation(gate, op.qubits, tuple(map(as_angle, angles))))
    return out


def powered_part(part: Part, power: float, qubits: Sequence[int], name: str) -> Part:
    """A part to a power: whole ones by repetition, others of numbers alone by their eigenvalues' principal phases."""
    if float(power).is_integer():
        times = abs(int(power))
        if times > MOST_POWER or times * len(part) > MOST_GATES_OF_POWER:
            raise UnsupportedError(
                f"{name}({power:g}) of {len(part)} gates, expected at most {MOST_POWER}, and fewer gates"
            )
        return (part if power >= 0 else inverted_part(part, name)) * times
    matrix = part_matrix(part, qubits, name)
    from scipy.linalg import schur

    triangle, vectors = schur(matrix, output="complex")  # of a unitary matrix it is diagonal
    phases = np.angle(np.diag(triangle))
    phases[np.abs(phases + np.pi) < _SMALL] = np.pi
    return matrix_part(vectors * np.exp(1j * power * phases) @ vectors.conj().T, qubits, name)


def part_matrix(part: Part, qubits: Sequence[int], name: str) -> np.ndarray:
    """The matrix of a part without slots, the first of its qubits the most significant bit."""
    if len(qubits) > MOST_MATRIX_QUBITS or not all(angle.is_number for op in part for angle in op.angles):
        raise UnsupportedError(
            f"{name} needs the matrix of what has parameters or is too wide; bind them, decompose it"
        )
    width = len(qubits)
    out = np.eye(1 << width, dtype=complex)
    for op in part:
        places = [qubits.index(q) for q in op.qubits]
        k = len(places)
        gate = op.gate.matrix(*(angle.offset for angle in op.angles)).reshape((2,) * (2 * k))
        cube = np.tensordot(gate, out.reshape((2,) * width + (-1,)), axes=(range(k, 2 * k), places))
        out = np.moveaxis(cube, range(k), places).reshape(out.shape)
    return out


def bound_part(part: Part, values: Mapping[tuple[str, int], float]) -> Part:
    """A part with numbers for slots, by (source, slot)."""

    def number(angle: Angle) -> Angle:
        return angle if angle.is_number else as_angle(values[angle.source, angle.index] * angle.scale + angle.offset)

    return [Operation(op.gate, op.qubits, tuple(map(number, op.angles))) for op in part]


def conditional_part(part: Part, condition: Condition, name: str) -> Part:
    """A part where a condition holds; a part that changes what it is asked about has no such form."""
    check_condition_stays(part, condition, name)
    return [Operation(conditional_gate(op.gate, condition), op.qubits, op.angles) for op in part]


def check_condition_stays(part: Part, condition: Condition, name: str, is_followed: bool = False) -> None:
    """UnsupportedError where a part writes a bit that its condition reads, before its last gate or if more follows."""
    for op in part if is_followed else part[:-1]:
        changed = set(bits_written(op.gate)) & set(condition.bits)
        if changed:
            raise UnsupportedError(
                f"{name} writes bit {min(changed)}, which its own condition reads, before its last gate; measure into "
                "another bit"
            )


def condition_where(bits: Sequence[int], holds: Callable[[dict[int, int]], Any], name: str) -> Condition:
    """The condition that a function of bits (bit -> 0 or 1) is true."""
    places = sorted(set(bits))
    if len(places) > MOST_CONDITION_BITS:
        raise UnsupportedError(f"{name} is a condition on {len(places)} bits, expected at most {MOST_CONDITION_BITS}")
    if not places:
        raise UnsupportedError(f"{name} is a condition on no bits, expected one or more")
    values = [v for v in range(1 << len(places)) if holds({bit: v >> k & 1 for k, bit in enumerate(places)})]
    return condition_on(places, values)


# -- writing


def split_conditions(op: Operation) -> tuple[Operation, Condition | None]:
    """A gate and the one condition that all its conditions are together."""
    gate, conditions = without_conditions(op.gate)
    if not conditions:
        return op, None
    inner = Operation(gate, op.qubits, op.angles)
    if len(conditions) == 1:
        return inner, conditions[0]

    def all_hold(bits: dict[int, int]) -> bool:
        number = sum(value << bit for bit, value in bits.items())
        return all(condition.holds(number) for condition in conditions)

    return inner, condition_where([bit for each in conditions for bit in each.bits], all_hold, op.gate.name)


def values_of(condition: Condition) -> list[int]:
    """All numbers for which it holds."""
    if not condition.negated:
        return sorted(condition.values)
    if len(condition.bits) > MOST_CONDITION_BITS:
        raise UnsupportedError(
            f"a condition on {len(condition.bits)} bits holds for all but some, expected at most {MOST_CONDITION_BITS}"
        )
    return sorted(set(range(1 << len(condition.bits))) - condition.values)


def simpler(op: Operation) -> Part:
    """A gate as global_phase, h, rx, ry, rz and cx, by its Pauli rotations: exact, with its phase and its slots."""
    if op.gate.name == "pauli_rotation":
        return _ladder(op)
    expansion = op.gate.expansion(*op.angles)
    part = [Operation(pauli_rotation_gate(word), op.qubits, (as_angle(angle),)) for word, angle in expansion.rotations]
    phases = [as_angle(phase) for phase in expansion.phases]
    number = sum(phase.offset for phase in phases if phase.is_number)
    part += [Operation(GATES["global_phase"], (), (phase,)) for phase in phases if not phase.is_number]
    return [*part, *alone("global_phase", (), number)] if number else part


def _ladder(op: Operation) -> Part:
    """A rotation about a word: letters turned to Z, parity onto the last qubit, RZ there, and back."""
    letters = [(letter, q) for letter, q in zip(op.gate.data, op.qubits, strict=True) if letter != "I"]
    if not letters:
        return alone("global_phase", (), op.angles[0] / -2)
    if len(letters) == 1:
        return alone(f"r{letters[0][0].lower()}", (letters[0][1],), op.angles[0])
    there, back = list[Operation](), list[Operation]()
    for letter, q in letters:
        if letter == "X":
            there += alone("h", (q,))
            back += alone("h", (q,))
        elif letter == "Y":
            there += alone("rx", (q,), np.pi / 2)
            back += alone("rx", (q,), -np.pi / 2)
    chain = [Operation(GATES["cx"], (a, b)) for (_, a), (_, b) in pairwise(letters)]
    turn = alone("rz", (letters[-1][1],), op.angles[0])
    return [*there, *chain, *turn, *reversed(chain), *back]


def split_controls(op: Operation) -> tuple[int, Operation]:
    """How many controls a gate made by `controlled` has, its first qubits, and what they control."""
    gate, count = op.gate, 0
    while gate.name == "controlled":
        gate, count = gate.data, count + 1
    return count, Operation(gate, op.qubits[count:], op.angles)


def with_start(circuit: Circuit, who: str) -> Part:
    """A circuit's operations behind what prepares the state it starts from."""
    if circuit.initial is None:
        return list(circuit.operations)
    if circuit.initial.values is None:
        raise UnsupportedError(f"{who} got a circuit that starts from amplitudes that are inputs; fix them")
    state = np.array(circuit.initial.values)
    start = state_part(state, tuple(range(circuit.n_qubits)), "the start from given amplitudes")
    return [*start, *circuit.operations]


def state_part(state: np.ndarray, qubits: Sequence[int], name: str) -> Part:
    """A unitary that makes a state of |0>, with its phase."""
    if len(qubits) > MOST_MATRIX_QUBITS:
        raise UnsupportedError(f"{name} is on {len(qubits)} qubits, expected at most {MOST_MATRIX_QUBITS}; write gates")
    frame, triangle = np.linalg.qr(np.column_stack([state, np.eye(len(state))[:, 1:]]).astype(complex))
    frame[:, 0] *= triangle[0, 0]
    return matrix_part(frame, qubits, name)


def checked_circuit(circuit: Any, who: str) -> Circuit:
    """What was given, if it is a circuit of ours; CircuitError if not."""
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"{who} got a {type(circuit).__name__}, expected a qloom Circuit")
    return circuit


def checked_foreign(circuit: Any, kind: type, who: str) -> None:
    """CircuitError for what is no circuit of the other package's kind."""
    if not isinstance(circuit, kind):
        raise CircuitError(f"{who} got a {type(circuit).__name__}, expected a {kind.__module__}.{kind.__name__}")


def numbers_of(op: Operation, who: str) -> list[float]:
    """Rates or angles that a package takes as numbers alone."""
    slots = [angle for angle in op.angles if not angle.is_number]
    if slots:
        raise UnsupportedError(f"{who} writes {op.gate.name} with numbers alone, got the slot {slots[0]!r}; bind it")
    return [angle.offset for angle in op.angles]


def kraus_of(op: Operation, who: str) -> np.ndarray:
    """Operators of a channel of numbers, those that vanish left out."""
    operators = np.array(op.gate.operators(*numbers_of(op, who)), complex)
    return operators[[np.abs(one).max() > _SMALL for one in operators]]


def refused(op: Operation, package: str) -> UnsupportedError:
    """The refusal of a gate that another package has no form of."""
    places = ", ".join(map(str, op.qubits))
    return UnsupportedError(
        f"{op.gate.name}, a {op.gate.kind}, on qubits {places or 'none'} has no form in {package}; take it out first"
    )


def finished(circuit: Circuit, part: Part) -> Circuit:
    """The circuit with a part's operations, each checked as it is appended."""
    for op in part:
        circuit.append(op.gate, op.angles, op.qubits)
    return circuit


def as_numbers(angles: Sequence[Angle]) -> bool:
    """Whether no angle waits for an input or a weight."""
    return all(angle.is_number for angle in angles)
