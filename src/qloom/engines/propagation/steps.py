"""A circuit as steps on Pauli words: rotations, Clifford gates, and channels that multiply words.

Clifford gates stay steps of their own, where the state-vector engine takes them into a frame: how heavy a word is, and
so whether it is cut, is asked in the circuit's own letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import pi
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Gate
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle, as_angle
from qloom.engines.density.parts import MOST_QUBITS_OF_CHANNEL, MOST_QUBITS_OF_DIAGONAL, Part
from qloom.engines.density.patterns import example
from qloom.errors import CircuitError, UnsupportedError
from qloom.programs import SOURCES

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
    for codes, form in (_table_forms if op.gate.data is None else _forms)(op.gate):
        where = [(q, code) for q, code in zip(op.qubits, codes, strict=True) if code]
        angle = form if form.is_number else op.angles[form.index] * form.scale + form.offset
        if not where:
            continue
        qubits, letters = zip(*where, strict=True)
        if not angle.is_number:
            yield Step(ROTATION, qubits, letters, angle)
            continue
        quarters = round(angle.offset / (pi / 2))
        if abs(angle.offset - quarters * (pi / 2)) > _ROUNDING:
            yield Step(ROTATION, qubits, letters, angle)
        elif quarters % 4:
            yield Step(CLIFFORD, qubits, letters, quarters=quarters % 4)


def _forms(gate: Gate) -> list[tuple[tuple[int, ...], Angle]]:
    """Rotations of a gate whose own angles stand as inputs."""
    expansion = gate.expansion(*(Angle("input", k) for k in range(gate.n_angles)))
    return [(tuple(CODES[letter] for letter in letters), as_angle(angle)) for letters, angle in expansion.rotations]


_table_forms = lru_cache(maxsize=1024)(_forms)


def _channel(part: Part) -> Step:
    k = len(part.qubits)
    if k > (MOST_QUBITS_OF_CHANNEL if part.gate.pauli is None else MOST_QUBITS_OF_DIAGONAL):
        raise CircuitError(
            f"{part.gate.name} is on {k} qubits, PropagationEngine takes channels on up to {MOST_QUBITS_OF_CHANNEL}, "
            f"of Pauli words up to {MOST_QUBITS_OF_DIAGONAL}; use TrajectoryEngine"
        )
    kind = DIAGONAL
    if not part.is_wide:
        kind = _kind_of(part)
    slots = [angle for angle in part.angles if not angle.is_number]
    letters = (CODES["Z" if kind == DAMPING else "I"],) * k
    return Step(kind, part.qubits, letters, slots[0] if slots else _NUMBER, part=part)


def _kind_of(part: Part) -> int:
    """Whether a channel only multiplies words, or takes Z to the identity too."""
    size = 4 ** len(part.qubits)
    matrix = np.abs(example(part, 0)) + np.abs(example(part, 1))
    off = matrix - np.diag(np.diag(matrix))
    if size == 4 and off[3, 0] > _ROUNDING:
        off[3, 0] = 0
        kind = DAMPING
    else:
        kind = DIAGONAL
    if (off > _ROUNDING).any():
        raise UnsupportedError(
            f"PropagationEngine takes channels that multiply Pauli words or damp to |0>, got {part.gate.name} on "
            f"{', '.join(map(str, part.qubits))}; use DensityEngine() or TrajectoryEngine()"
        )
    return kind


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
