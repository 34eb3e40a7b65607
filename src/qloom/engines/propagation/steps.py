"""A circuit as steps on Pauli words: rotations, Clifford gates, and channels that multiply words.

Clifford gates stay steps of their own, where the state-vector engine takes them into a frame: how heavy a word is, and
so whether it is cut, is asked in the circuit's own letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import pi
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.density.parts import Part, check_width
from qloom.engines.density.patterns import example
from qloom.errors import UnsupportedError
from qloom.programs import SOURCES
from qloom.programs.frame import gate_form

ROTATION, CLIFFORD, DIAGONAL, DAMPING = range(4)
# Angles this close to a quarter turn are one.
_ROUNDING = 1e-12
# Letters as the native side numbers them, x + 2 z, and where transfer matrices have them (I, X, Y, Z).
CODES = {"I": 0, "X": 1, "Z": 2, "Y": 3}
PLACES = np.array([0, 1, 3, 2])
_NUMBER = Angle("number", 0, 0.0, 0.0)


@dataclass(frozen=True)
class Step:
    """One step on some qubits.

    Attributes:
        letters: codes, one a qubit; of channels that multiply all I, of damping Z.
        angle: of a rotation; of a channel one of its rates, a number if all are.
        quarters: of a Clifford gate, 1 to 3.
        part: of a channel.
    """

    kind: int
    qubits: tuple[int, ...]
    letters: tuple[int, ...]
    angle: Angle = field(default=_NUMBER)
    quarters: int = 0
    part: Part | None = None


def steps_of(circuit: Circuit) -> Iterator[Step]:
    """Steps, first to last.

    Raises:
        UnsupportedError: for a channel that does more than multiply words and take Z to the identity.
        CircuitError: for one on too many qubits.
    """
    for op in circuit.operations:
        if not op.qubits:  # a phase of the whole state
            continue
        yield from _rotations(op) if op.gate.is_unitary else [_channel(Part(op.gate, op.qubits, op.angles))]


def _rotations(op: Operation) -> Iterator[Step]:
    for word, angle in gate_form(op.gate).rotations_at(op.angles):
        where = [(q, CODES[letter]) for q, letter in zip(op.qubits, word, strict=True) if letter != "I"]
        if not where:
            continue
        qubits, letters = zip(*where, strict=True)
        quarters = round(angle.offset / (pi / 2)) if angle.is_number else 0
        if not angle.is_number or abs(angle.offset - quarters * (pi / 2)) > _ROUNDING:
            yield Step(ROTATION, qubits, letters, angle)
        elif quarters % 4:
            yield Step(CLIFFORD, qubits, letters, quarters=quarters % 4)


def _channel(part: Part) -> Step:
    check_width(part.gate, "PropagationEngine")
    kind = DIAGONAL if part.is_wide else _kind_of(part)
    slots = [angle for angle in part.angles if not angle.is_number]
    letters = (CODES["Z" if kind == DAMPING else "I"],) * len(part.qubits)
    return Step(kind, part.qubits, letters, slots[0] if slots else _NUMBER, part=part)


def _kind_of(part: Part) -> int:
    """Whether a channel only multiplies words, or takes Z to the identity too."""
    matrix = np.abs(example(part, 0)) + np.abs(example(part, 1))
    off = matrix - np.diag(np.diag(matrix))
    damps = len(part.qubits) == 1 and off[3, 0] > _ROUNDING
    if damps:
        off[3, 0] = 0
    if (off > _ROUNDING).any():
        raise UnsupportedError(
            f"PropagationEngine takes channels that multiply Pauli words or damp to |0>, got {part.gate.name} on "
            f"{', '.join(map(str, part.qubits))}; use DensityEngine() or TrajectoryEngine()"
        )
    return DAMPING if damps else DIAGONAL


def native_program(n_qubits: int, steps: Iterable[Step]) -> Any:
    """The steps in the native side's arrays."""
    steps = list(steps)
    starts = np.zeros(len(steps) + 1, np.int64)
    starts[1:] = np.cumsum([len(step.qubits) for step in steps])
    return _native.PropagationProgram(
        n_qubits,
        np.array([step.kind for step in steps], np.uint8),
        starts,
        np.array([q for step in steps for q in step.qubits], np.int64),
        np.array([code for step in steps for code in step.letters], np.uint8),
        np.array([SOURCES.index(step.angle.source) for step in steps], np.int8),
        np.array([step.angle.index for step in steps], np.int32),
        np.array([step.angle.scale for step in steps], np.float64),
        np.array([step.angle.offset for step in steps], np.float64),
        np.array([step.quarters for step in steps], np.uint8),
    )
