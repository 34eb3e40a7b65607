"""Circuits of gates on at most two qubits: what is put on joined qubits, swaps between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isclose, pi

from qloom.circuits.circuit import Circuit
from qloom.circuits.gates import GATES, pauli_rotation_gate
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle

# Gates before and behind that turn a letter into Z and back.
TO_Z: dict[str, tuple[str, ...]] = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
FROM_Z: dict[str, tuple[str, ...]] = {"X": ("h",), "Y": ("h", "s"), "Z": ()}


def narrowed(circuit: Circuit) -> Iterator[Operation]:
    """Its operations, gates on more than two qubits as rotations about words, those of long words as ladders."""
    for op in circuit.operations:
        if op.gate.name == "swap":
            yield from swap(*op.qubits)
            continue
        if not op.gate.is_unitary or len(op.qubits) <= 2:
            yield op
            continue
        for letters, angle in op.gate.expansion(*op.angles).rotations:
            kept = [(letter, q) for letter, q in zip(letters, op.qubits, strict=True) if letter != "I"]
            yield from _rotation(kept, as_angle(angle))


def swap(a: int, b: int) -> list[Operation]:
    """Two qubits exchanged by three cx."""
    return [Operation(GATES["cx"], pair) for pair in ((a, b), (b, a), (a, b))]


def _rotation(word: Sequence[tuple[str, int]], angle: Angle) -> Iterator[Operation]:
    """exp(-i a P / 2): the parity of a long word is gathered on two of its qubits by cx, and given back."""
    if len(word) <= 2:
        if word:
            letters, qubits = zip(*word, strict=True)
            yield Operation(pauli_rotation_gate("".join(letters)), tuple(qubits), (angle,))
        return
    for letter, q in word:
        yield from (Operation(GATES[name], (q,)) for name in TO_Z[letter])
    places = [q for _, q in word]
    ladder = [Operation(GATES["cx"], pair) for pair in pairwise(places[:-1])]
    yield from ladder
    yield Operation(GATES["rzz"], (places[-2], places[-1]), (angle,))
    yield from reversed(ladder)
    for letter, q in word:
        yield from (Operation(GATES[name], (q,)) for name in FROM_Z[letter])


def uses(op: Operation) -> int:
    """How often an operation takes a device's gate on two qubits, at most."""
    if not op.gate.is_unitary or len(op.qubits) != 2:
        return 0
    rotations = op.gate.expansion(*op.angles).rotations
    return sum(_uses_of(as_angle(angle)) for letters, angle in rotations if "I" not in letters)


def _uses_of(angle: Angle) -> int:
    if not angle.is_number:
        return 2
    quarters = angle.offset / (pi / 2)
    if not isclose(quarters, round(quarters), abs_tol=1e-9):
        return 2
    return round(quarters) % 2
