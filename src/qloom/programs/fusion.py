"""Fusion: commuting rotations with one x mask gathered into passes."""

from __future__ import annotations

from collections.abc import Iterable

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
    """Whether a rotation commutes with all of a pass; masks inlined, since lowering spends most of its time here."""
    x, z = rotation.word
    if not (x or other.x):
        return True
    mine = (z & other.x).bit_count() & 1
    for member in other.rotations:  # noqa: SIM110 - a generator takes twice as long
        if ((x & member.word[1]).bit_count() & 1) != mine:
            return False
    return True
