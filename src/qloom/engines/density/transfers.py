"""Numbers of all maps at a call's inputs and weights, and slopes by these back to inputs and weights.

Nothing is done map by map: parts of one gate are evaluated together (`links.py`), and maps of about as many parts are
multiplied together, place by place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from qloom.circuits.gate import Gate
from qloom.engines.batch import Batch
from qloom.engines.density.fusion import Map
from qloom.engines.density.links import Group, Link
from qloom.engines.density.parts import Part
from qloom.engines.density.patterns import embedded, taken_out


class Values(NamedTuple):
    """Numbers of maps: those that all samples share (E,), and those of each (B, F)."""

    shared: np.ndarray
    own: np.ndarray


class Chain(NamedTuple):
    """Matrices (places, N, S, 4^k, 4^k) of a stack's parts, and products (N, S, 4^k, 4^k) up to each place."""

    matrices: np.ndarray
    products: list[np.ndarray]


class _Stack:
    """Maps of k digits with up to `length` parts: shorter ones end with identities.

    Attributes:
        is_own: every sample has matrices of its own; else S is 1.
        rows, flat, columns: of every entry: its map here, its place in a matrix, and among the values.
    """

    def __init__(self, maps: Sequence[Map], columns: Sequence[int], is_own: bool):
        self.k, self.is_own, self.n_maps = len(maps[0].qubits), is_own, len(maps)
        self.length = max(len(each.parts) for each in maps)
        self.is_wide = maps[0].parts[0].is_wide
        size = 0 if self.is_wide else 4**self.k
        counts = [len(each.rows) for each in maps]
        self.rows = np.repeat(np.arange(len(maps)), counts)
        self.flat = np.concatenate([each.rows * size + each.columns for each in maps])
        self.columns = np.concatenate([c + np.arange(count) for c, count in zip(columns, counts, strict=True)])
        self.is_even = all(len(each.parts) == self.length for each in maps)

    def room(self, batch: Batch) -> np.ndarray:
        """Identities, to be written over where there are parts."""
        shape = self.length, self.n_maps, batch.size if self.is_own else 1
        if self.is_wide:
            return np.ones((*shape, 4**self.k))
        if self.is_even:
            return np.empty((*shape, 4**self.k, 4**self.k))
        return np.broadcast_to(np.eye(4**self.k), (*shape, 4**self.k, 4**self.k)).copy()

    def slopes(self, chain: Chain, by_values: Values) -> np.ndarray:
        """Slopes by the matrices of all parts, from those by entries of the products."""
        shape = chain.products[-1].shape
        flat = np.zeros((*shape[:2], int(np.prod(shape[2:]))))
        if self.is_own:
            flat[self.rows, :, self.flat] = by_values.own[:, self.columns].T
        else:
            flat[self.rows, 0, self.flat] = by_values.shared[self.columns]
        by_product, out = flat.reshape(shape), np.empty_like(chain.matrices)
        for place in range(self.length - 1, 0, -1):
            out[place] = by_product @ chain.products[place - 1].swapaxes(-1, -2)
            by_product = chain.matrices[place].swapaxes(-1, -2) @ by_product
        out[0] = by_product
        return out


class Transfers:
    """What the maps' numbers are at a batch.

    Args:
        maps: in the order of the native program.
        unseen: parts that outputs do not depend on; their rates are checked.
        own_weights: every sample has weights of its own.

    Attributes:
        columns, is_own: of each map, where its numbers begin among those shared or those of each sample.
    """

    def __init__(self, maps: Sequence[Map], unseen: Sequence[Part], own_weights: bool):
        self._own_weights = own_weights
        self.is_own = np.array([any(map(self._part_is_own, each.parts)) for each in maps], np.uint8)
        sizes = np.array([len(each.rows) for each in maps], np.int64)
        self.columns = np.zeros(len(maps), np.int64)
        for own in (0, 1):
            mine = self.is_own == own
            self.columns[mine] = np.cumsum(sizes[mine]) - sizes[mine]
        n_shared, self._n_own = (int(sizes[self.is_own == own].sum()) for own in (0, 1))
        self._fixed = np.zeros(n_shared)  # numbers of maps that have no slots, at their places
        for m, each in enumerate(maps):
            if each.is_fixed:
                self._fixed[self.columns[m] : self.columns[m] + sizes[m]] = each.numbers()
        self._slots = [_slots(each) for each in maps]
        self._put_together(maps)
        self._unseen = self._groups_of(Link(part, 0, 0, 0, ()) for part in unseen if part.gate.rates)

    def _part_is_own(self, part: Part) -> bool:
        return any(a.source == "input" or (self._own_weights and a.source == "weight") for a in part.angles)

    def _put_together(self, maps: Sequence[Map]) -> None:
        """Stacks of maps with as many qubits and about as many parts, groups of parts of one gate."""
        stacks: dict[tuple[int, int, bool], list[int]] = {}
        for m, each in enumerate(maps):
            if not each.is_fixed:
                key = len(each.qubits), (len(each.parts) - 1).bit_length(), bool(self.is_own[m])
                stacks.setdefault(key, []).append(m)
        links = []
        for s, which in enumerate(stacks.values()):
            for row, m in enumerate(which):
                for place, part in enumerate(maps[m].parts):
                    inner = tuple(maps[m].qubits.index(q) for q in part.qubits)
                    links.append(Link(part, s, place, row, inner))
        self._stacks = [
            _Stack([maps[m] for m in which], [int(self.columns[m]) for m in which], is_own)
            for (_, _, is_own), which in stacks.items()
        ]
        self._groups = self._groups_of(links)

    def _groups_of(self, links: Iterable[Link]) -> list[Group]:
        groups: dict[tuple[Gate, bool], list[Link]] = {}
        for link in links:
            groups.setdefault((link.part.gate, self._part_is_own(link.part)), []).append(link)
        return [Group(gate, members, is_own) for (gate, is_own), members in groups.items()]

    def values(self, batch: Batch) -> tuple[Values, list[Chain]]:
        """Numbers, and what their slopes are found from.

        Raises:
            ShapeError: for a rate outside its range.
        """
        shared, own = self._fixed.copy(), np.empty((batch.size, self._n_own))
        chains = []
        for stack, factors in zip(self._stacks, self._matrices(batch), strict=True):
            products = [factors[0]]
            for factor in factors[1:]:
                products.append(factor @ products[-1])
            last = products[-1].reshape(*products[-1].shape[:2], -1)
            if stack.is_own:
                own[:, stack.columns] = last[stack.rows, :, stack.flat].T
            else:
                shared[stack.columns] = last[stack.rows, 0, stack.flat]
            chains.append(Chain(factors, products))
        return Values(shared.astype(batch.dtype), own.astype(batch.dtype)), chains

    def _matrices(self, batch: Batch) -> list[np.ndarray]:
        """Of every stack, the matrices of its parts."""
        out = [stack.room(batch) for stack in self._stacks]
        for group in self._unseen:
            group.check(group.angles(batch))
        for group in self._groups:
            angles = group.angles(batch)
            group.check(angles)
            found = group.matrices(angles)
            for route in group.routes:
                part = found[route.links]
                if part.ndim == 4:
                    part = embedded(part, route.inner, self._stacks[route.stack].k)
                out[route.stack][route.places, route.rows] = part
        return out

    # -- and back

    def wanted(self, wants: tuple[bool, bool], trained: np.ndarray | None) -> np.ndarray:
        """Which maps have a slope that is wanted (M,)."""
        found = [
            (wants[0] and inputs) or (wants[1] and (bool(len(at)) if trained is None else bool(trained[at].any())))
            for inputs, at in self._slots
        ]
        return np.array(found, np.uint8)

    def slopes(
        self, batch: Batch, by_values: Values, chains: list[Chain], d_inputs: np.ndarray, d_weights: np.ndarray
    ) -> None:
        """Add derivatives to d_inputs (B, I) and d_weights (W,) or (B, W), all double."""
        by_stacks = [stack.slopes(chain, by_values) for stack, chain in zip(self._stacks, chains, strict=True)]
        for group in self._groups:
            if not group.has_slots:
                continue
            n_samples, size = batch.size if group.is_own else 1, 4**group.gate.n_qubits
            is_wide = group.links[0].part.is_wide
            by_matrices = np.empty((len(group.links), n_samples, *([size] if is_wide else [size, size])))
            for route in group.routes:
                part = by_stacks[route.stack][route.places, route.rows]
                if not group.is_own:
                    part = part.sum(axis=1, keepdims=True)
                by_matrices[route.links] = (
                    part if is_wide else taken_out(part, route.inner, self._stacks[route.stack].k)
                )
            group.add_slopes(batch, by_matrices, d_inputs, d_weights)


def _slots(each: Map) -> tuple[bool, np.ndarray]:
    """Whether a map has inputs, and its weights."""
    angles = [a for part in each.parts for a in part.angles]
    weights = sorted({a.index for a in angles if a.source == "weight"})
    return any(a.source == "input" for a in angles), np.array(weights, int)
