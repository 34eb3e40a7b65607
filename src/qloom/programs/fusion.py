"""Fusion: commuting rotations with one x mask gathered into passes."""

from __future__ import annotations

from collections.abc import Iterable

from qloom.observables import words_commute
from qloom.programs.program import Pass, Rotation

# A rotation looks back over at most this many passes for one to join: lowering stays linear in the number of gates.
_LOOK_BACK = 64


def fuse(rotations: Iterable[Rotation]) -> tuple[Pass, ...]:
    """Passes of an ordered list of rotations.

    Each rotation goes back past the passes it commutes with. It joins the earliest one on the way that has its x mask
    and its kind of angle (shared or per sample); where there is none it opens a pass as early as it can stand, so that
    later rotations find their partners side by side.
    """
    passes: list[Pass] = []
    for rotation in rotations:
        _place(rotation, passes)
    return tuple(passes)


def _place(rotation: Rotation, passes: list[Pass]) -> None:
    x, shared = rotation.word[0], rotation.angle.source != "input"
    place, partner = len(passes), None
    for k in range(len(passes) - 1, max(-1, len(passes) - 1 - _LOOK_BACK), -1):
        candidate = passes[k]
        if not _commutes(rotation, candidate):
            break
        place = k
        if candidate.x == x and candidate.shared == shared:
            partner = candidate
    if partner is not None:
        partner.rotations.append(rotation)
    else:
        passes.insert(place, Pass(x, shared, [rotation]))


def _commutes(rotation: Rotation, other: Pass) -> bool:
    if not (rotation.word[0] or other.x):
        return True
    return all(words_commute(rotation.word, member.word) for member in other.rotations)
