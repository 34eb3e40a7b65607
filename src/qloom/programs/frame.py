"""The Clifford part of a circuit, kept as the images of every X_q and Z_q under C^dagger . C.

The native side knows gates as products of rotations only, their `Expansion`. Those by multiples of pi/2 are Clifford
gates and go into the frame: into a full one all, into a monomial one only what permutes basis states with phases, so
that what is left of C at the end can be applied to a state as one permutation of indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Gate, Scalar
from qloom.circuits.kinds import check_kinds
from qloom.circuits.parameters import Angle, as_angle
from qloom.observables import word_from_letters
from qloom.programs.masks import numbers_a_mask
from qloom.programs.rotations import Rotations

_LETTERS = frozenset("IXYZ")


def make_frame(n_qubits: int, monomial: bool) -> Any:
    """A frame that holds no gate yet."""
    narrow = numbers_a_mask(n_qubits) == 1
    return (_native.Frame if narrow else _native.WideFrame)(n_qubits, monomial)


@dataclass(frozen=True)
class GateForm:
    """What lowering needs of a gate, whatever its angles are: these stand as inputs here.

    Args:
        expansion: its rotations, on the native side.
        rotations: the same, letters with angles.
        phases: multiples of its own angles; they add up to its phase.
    """

    expansion: Any
    rotations: tuple[tuple[str, Angle], ...]
    phases: tuple[Angle, ...]

    def rotations_at(self, angles: Sequence[Angle]) -> list[tuple[str, Angle]]:
        """The rotations for the angles of one call."""
        return [(letters, _at(angle, angles)) for letters, angle in self.rotations]

    def phases_at(self, angles: Sequence[Angle]) -> list[Angle]:
        """The phases for the angles of one call."""
        return [_at(phase, angles) for phase in self.phases]


def _at(form: Angle, angles: Sequence[Angle]) -> Angle:
    return form if form.is_number else angles[form.index] * form.scale + form.offset


def _make_form(gate: Gate) -> GateForm:
    # All angles of an expansion are linear in the gate's: it is read off once, with slots in their places.
    expansion = gate.expansion(*(Angle("input", k) for k in range(gate.n_angles)))
    if not all(len(letters) == gate.n_qubits and _LETTERS.issuperset(letters) for letters, _ in expansion.rotations):
        for letters, _ in expansion.rotations:
            word_from_letters(letters, range(gate.n_qubits))  # raises where it is none
    angles = [_angle_of(angle) for _, angle in expansion.rotations]
    native = _native.Expansion(
        gate.n_qubits, gate.n_angles, [letters for letters, _ in expansion.rotations],
        [-1 if a.is_number else a.index for a in angles], [a.scale for a in angles], [a.offset for a in angles],
    )  # fmt: skip
    rotations = tuple((letters, angle) for (letters, _), angle in zip(expansion.rotations, angles, strict=True))
    return GateForm(native, rotations, tuple(map(as_angle, expansion.phases)))


def _angle_of(scalar: Scalar) -> Angle:
    # Gates made on the fly have tens of thousands of plain numbers, checked when they were found.
    return Angle("number", 0, 0.0, scalar) if type(scalar) is float and isfinite(scalar) else as_angle(scalar)


_table_form = lru_cache(maxsize=1024)(_make_form)


def gate_form(gate: Gate) -> GateForm:
    """The form of a unitary gate; that of a gate of the table is made once."""
    return (_table_form if gate.data is None else _make_form)(gate)


@dataclass(frozen=True)
class FlatGates:
    """The gates of a circuit in flat arrays, made once for every frame they are lowered into."""

    forms: list[GateForm]
    arrays: tuple[np.ndarray, ...]

    def lower_into(self, frame: Any) -> Rotations:
        """The rotations that the frame did not take, pulled back through it."""
        return Rotations(*frame.lower([form.expansion for form in self.forms], *self.arrays))


def flat_gates(circuit: Circuit) -> FlatGates:
    """A circuit's gates for the native side; UnsupportedError unless all are unitary."""
    check_kinds(circuit, "a program of rotations", "take it out, or use DensityEngine() or TrajectoryEngine()")
    gates, form, *arrays = _native.read_operations(circuit.operations)
    # Gates made on the fly may carry large matrices: they are not kept beyond the circuit.
    forms = [gate_form(gate) for gate in gates]
    return FlatGates([forms[k] for k in form.tolist()], tuple(arrays))
