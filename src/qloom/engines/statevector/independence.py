"""Parts of a program that have nothing to do with each other: its state, started from |0>, is a product of theirs."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_

import numpy as np

from qloom import _native
from qloom.engines.statevector.program import Program
from qloom.engines.statevector.register import reached
from qloom.programs.masks import unpack


def independent_parts(program: Program) -> list[Program]:
    """Programs of the groups of rotations that act on coordinates of their own; itself where there is one group."""
    register, r = reached(program), program.rotations
    supports = [x | z for x, z, _ in (register.word(*word) for word in zip(unpack(r.x), unpack(r.z), strict=True))]
    groups = _joined(supports)
    if len(groups) < 2:
        return [program]
    return [_with(program, np.array([bool(support & group) for support in supports])) for group in groups]


def _joined(supports: list[int]) -> list[int]:
    """Masks that share bits put together until none do."""
    groups: list[int] = []
    for support in dict.fromkeys(supports):
        apart = [group for group in groups if not group & support]
        groups = [*apart, reduce(or_, (group for group in groups if group & support), support)]
    return groups


def _with(program: Program, rows: np.ndarray) -> Program:
    """The same with some of its rotations."""
    kept, turns = program.rotations[np.flatnonzero(rows)], program.turns[rows]
    order, starts = _native.fuse_rotations(kept.x, kept.z, kept.shared)
    return replace(program, rotations=kept[order], turns=turns[order], starts=starts)
