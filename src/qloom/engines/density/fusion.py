"""Parts put together to maps: what happens to one qubit alone in one matrix, diagonal parts in the next map on two.

Maps are done in sweeps over blocks of few digits: a sweep takes all that can be done on its digits before others have
to be brought in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qloom.engines.density.parts import MOST_DIGITS, Part
from qloom.engines.density.patterns import example, is_diagonal, n_entries, pattern, product

# Of one digit with more entries than this: as a dense matrix.
_MOST_SPARSE = 8
# A block is kept at every map on the way forth, for the way back.
_MOST_MAPS = 16
# So many maps ahead are looked at.
_AHEAD = 200


@dataclass
class Map:
    """A product of parts as one linear map of the digits of its qubits.

    Attributes:
        rows, columns, varying: (E,), its entries as they are listed for the native side.
        is_dense: all entries but those of the first row, which is (1, 0, 0, 0).
    """

    qubits: tuple[int, ...]
    parts: list[Part]
    rows: np.ndarray = field(init=False)
    columns: np.ndarray = field(init=False)
    varying: np.ndarray = field(init=False)
    is_dense: bool = field(init=False)

    def __post_init__(self) -> None:
        self.rows, self.columns, self.varying = pattern(self.parts, self.qubits)
        self.is_dense = len(self.qubits) == 1 and len(self.rows) > _MOST_SPARSE
        if self.is_dense:
            self.rows, self.columns = np.divmod(np.arange(4, 16), 4)
            self.varying = np.full(12, not self.is_fixed)

    @property
    def is_fixed(self) -> bool:
        return all(part.is_fixed for part in self.parts)

    def numbers(self) -> np.ndarray:
        """Its entries where it has no slots."""
        if self.parts[0].is_wide:
            return example(self.parts[0], 0)
        return product(self.parts, self.qubits, 0)[self.rows, self.columns]


def fuse(parts: Sequence[Part]) -> list[Map]:
    """Maps, in an order in which they may be done."""
    done: list[tuple[tuple[int, ...], list[Part]]] = []
    alone: dict[int, list[Part]] = {}  # parts on one qubit that are still to be put somewhere
    last: dict[int, int] = {}  # qubit -> the last map on it

    def put(qubits: tuple[int, ...], chain: list[Part]) -> None:
        done.append((qubits, chain))
        last.update(dict.fromkeys(qubits, len(done) - 1))

    for part in parts:
        if len(part.qubits) == 1:
            alone.setdefault(part.qubits[0], []).append(part)
            continue
        taken: list[Part] = []
        for q in part.qubits:
            waiting = alone.pop(q, [])
            if len(part.qubits) == 2 and all(map(is_diagonal, waiting)):
                taken += waiting
            elif waiting:
                put((q,), waiting)
        before = {last.get(q) for q in part.qubits}
        whole = _merged(done[before.pop() or 0], [*taken, part]) if len(before) == 1 and None not in before else None
        if whole is None:
            put(part.qubits, [*taken, part])
        else:
            done[last[part.qubits[0]]] = whole
    for q, waiting in alone.items():
        put((q,), waiting)
    return [Map(qubits, chain) for qubits, chain in done]


def _merged(before: tuple[tuple[int, ...], list[Part]], chain: list[Part]) -> tuple[tuple[int, ...], list[Part]] | None:
    """A map on two qubits and what comes after it on the same as one, where that is no more work."""
    qubits, parts = before
    if len(qubits) != 2 or set(qubits) != set(chain[-1].qubits):
        return None
    apart = n_entries(parts, qubits) + n_entries(chain, qubits)
    return (qubits, parts + chain) if n_entries(parts + chain, qubits) <= apart else None


def in_sweeps(maps: Sequence[Map]) -> list[list[Map]]:
    """Maps in sweeps, whose digits together are at most MOST_DIGITS or those of one map."""
    left, sweeps = list(maps), []
    while left:
        taken = _next_sweep(left[:_AHEAD])
        sweeps.append([left[k] for k in taken])
        gone = set(taken)
        left = [each for k, each in enumerate(left) if k not in gone]
    return sweeps


def _next_sweep(maps: Sequence[Map]) -> list[int]:
    digits = set(maps[0].qubits)
    taken = _possible(maps, digits)
    while len(taken) < _MOST_MAPS:
        sets = {frozenset(digits.union(maps[k].qubits)) for k in _ready(maps, taken)}
        wider = [(each, _possible(maps, each)) for each in sets if len(each) <= MOST_DIGITS]
        if not wider:
            break
        # Most maps a digit that is brought in; of equal ones that which begins first.
        best = min(wider, key=lambda w: ((len(taken) - len(w[1])) / (len(w[0]) - len(digits)), w[1], sorted(w[0])))
        digits, taken = set(best[0]), best[1]
    return taken


def _possible(maps: Sequence[Map], digits: set[int] | frozenset[int]) -> list[int]:
    """Maps that can be done on some digits alone, in order."""
    taken: list[int] = []
    blocked: set[int] = set()
    for k, each in enumerate(maps):
        if len(taken) < _MOST_MAPS and digits.issuperset(each.qubits) and blocked.isdisjoint(each.qubits):
            taken.append(k)
        else:
            blocked.update(each.qubits)
            if blocked >= digits:
                break
    return taken


def _ready(maps: Sequence[Map], taken: Sequence[int]) -> list[int]:
    """Maps that come first on their qubits once others are done."""
    gone, ready = set(taken), []
    blocked: set[int] = set()
    for k, each in enumerate(maps):
        if k in gone:
            continue
        if blocked.isdisjoint(each.qubits):
            ready.append(k)
        blocked.update(each.qubits)
    return ready
