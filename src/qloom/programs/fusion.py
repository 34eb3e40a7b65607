"""Fusion: commuting rotations with one x mask gathered into passes."""

from __future__ import annotations

from collections.abc import Iterable

from qloom.observables import words_commute
from qloom.programs.program import Pass, Rotation

# A rotation looks back over at most this many passes for one to join: lowering stays linear in the number of gates.
_LOOK_BACK = 64


def fuse(rotations: Iterable[Rotation]) -> tuple[Pass, ...]:
    """Passes of an ordered list of rotations.

    A rotation goes back past passes it commutes with, to the nearest one with its x mask and its kind of angle (shared or
    per sample); else it opens a new pass at the end.
    """
    passes: list[Pass] = []
    for rotation in rotations:
        _place(rotation, passes)
    return tuple(passes)


def _place(rotation: Rotation, passes: list[Pass]) -> None:
    x, shared = rotation.word[0], rotation.angle.source != "input"
    for candidate in reversed(passes[-_LOOK_BACK:]):
        if not all(words_commute(rotation.word, other.word) for other in candidate.rotations):
            break
        if candidate.x == x and candidate.shared == shared:
            candidate.rotations.append(rotation)
            return
    passes.append(Pass(x, shared, [rotation]))
