"""Numbers of all maps at a call's inputs and weights, and slopes by these back to inputs and weights.

Nothing is done map by map: parts of one gate are evaluated together, and maps of as many parts are multiplied together.
Derivatives of a part by its angles are complex steps, exact to rounding. All of it in double precision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from qloom.circuits.gate import Gate
from qloom.circuits.transfer import COMPLEX_STEP
from qloom.engines.batch import Batch
from qloom.engines.density.fusion import Map
from qloom.engines.density.parts import Part
from qloom.engines.density.patterns import embedded, matrices, taken_out
from qloom.errors import ShapeError

Key = tuple[int, int, bool]


class Values(NamedTuple):
    """Numbers of maps: those that all samples share (E,), and those of each (B, F)."""

    shared: np.ndarray
    own: np.ndarray


class _Link(NamedTuple):
    """A part at its place: which map of its chain group, which part of it, and on which of the map's digits."""

    part: Part
    place: int
    row: int
    inner: tuple[int, ...]


@dataclass
class _Chains:
    """Maps of equally many qubits and parts: matrices (parts, N, S, 4^k, 4^k). S is 1 where samples share them."""

    k: int
    length: int
    is_own: bool
    maps: list[int]
    rows: np.ndarray  # of every entry: its map here, its place in a matrix, and in the values
    flat: np.ndarray
    columns: np.ndarray

    def products(self, stack: np.ndarray) -> list[np.ndarray]:
        """Of the first part, of the first two and so on."""
        out = [stack[0]]
        for matrix in stack[1:]:
            out.append(matrix @ out[-1])
        return out


class _Group:
    """Links of one gate, evaluated together: angles (L,) each, S samples."""

    def __init__(self, gate: Gate, links: Sequence[_Link], is_own: bool):
        self.gate, self.links, self.is_own = gate, links, is_own
        angles = [link.part.angles for link in links]
        self.is_input = np.array([[a.source == "input" for a in each] for each in angles]).reshape(len(links), -1)
        self.is_weight = np.array([[a.source == "weight" for a in each] for each in angles]).reshape(len(links), -1)
        self.index = np.array([[a.index for a in each] for each in angles], int).reshape(len(links), -1)
        self.scale = np.array([[a.scale for a in each] for each in angles], float).reshape(len(links), -1)
        self.offset = np.array([[a.offset for a in each] for each in angles], float).reshape(len(links), -1)
        self.places = np.array([link.place for link in links])
        self.rows = np.array([link.row for link in links])

    def angles(self, batch: Batch) -> list[np.ndarray]:
        """Angles (L * S,) each."""
        n_samples = batch.size if self.is_own else 1
        found = []
        for a in range(self.gate.n_angles):
            slots = np.zeros((len(self.links), n_samples))
            inputs, weights = self.is_input[:, a], self.is_weight[:, a]
            if inputs.any():
                slots[inputs] = batch.inputs.T[self.index[inputs, a]]
            if weights.any():
                given = batch.weights[self.index[weights, a]] if batch.weights.ndim == 1 else None
                slots[weights] = batch.weights.T[self.index[weights, a]] if given is None else given[:, None]
            found.append((self.scale[:, a, None] * slots + self.offset[:, a, None]).ravel())
        return found

    def check(self, angles: Sequence[np.ndarray]) -> None:
        """Raise ShapeError for rates outside their range, with which."""
        if self.gate.fault(*angles) is None:
            return
        for k, link in enumerate(self.links):
            fault = self.gate.fault(*(angle.reshape(len(self.links), -1)[k] for angle in angles))
            if fault is not None:
                on = f"qubit{'s' * (len(link.part.qubits) > 1)} {', '.join(map(str, link.part.qubits))}"
                raise ShapeError(f"{self.gate.name} on {on}: {fault}")

    def slopes(self, angles: Sequence[np.ndarray], by_matrix: np.ndarray, a: int) -> np.ndarray:
        """Slopes (L, S) by angle a, from those by the matrices (L, S, ...)."""
        turned = [angle + 1j * COMPLEX_STEP if k == a else angle for k, angle in enumerate(angles)]
        derivative = matrices(self.gate, turned).imag.reshape(by_matrix.shape) / COMPLEX_STEP
        return (derivative * by_matrix).reshape(*by_matrix.shape[:2], -1).sum(axis=-1)


class Transfers:
    """What the maps' numbers are at a batch.

    Args:
        maps: in the order of the native program.
        own_weights: every sample has weights of its own.

    Attributes:
        columns, is_own: of each map, where its numbers begin among those shared or those of each sample.
    """

    def __init__(self, maps: Sequence[Map], own_weights: bool):
        self._maps, self._own_weights = maps, own_weights
        self.is_own = np.array([any(map(self._part_is_own, each.parts)) for each in maps], np.uint8)
        sizes = np.array([len(each.rows) for each in maps], np.int64)
        self.columns = np.zeros(len(maps), np.int64)
        for own in (0, 1):
            mine = self.is_own == own
            self.columns[mine] = np.cumsum(sizes[mine]) - sizes[mine]
        self._n_shared, self._n_own = (int(sizes[self.is_own == own].sum()) for own in (0, 1))
        self._chains = [self._chains_of(key, list(which)) for key, which in self._keys().items()]
        self._groups = [list(self._groups_of(chains)) for chains in self._chains]
        self._fixed = self._fixed_values()
        self._slots = [_slots(each) for each in maps]

    def _part_is_own(self, part: Part) -> bool:
        return any(a.source == "input" or (self._own_weights and a.source == "weight") for a in part.angles)

    def _keys(self) -> dict[Key, list[int]]:
        keys: dict[Key, list[int]] = {}
        for m, each in enumerate(self._maps):
            if not each.is_fixed:
                keys.setdefault((len(each.qubits), len(each.parts), bool(self.is_own[m])), []).append(m)
        return keys

    def _chains_of(self, key: Key, which: list[int]) -> _Chains:
        k, length, is_own = key
        size = 4**k
        maps = [self._maps[m] for m in which]
        is_wide = maps[0].parts[0].is_wide
        rows = np.repeat(np.arange(len(which)), [len(each.rows) for each in maps])
        flat = np.concatenate(
            [each.rows * (1 if is_wide else size) + (0 if is_wide else each.columns) for each in maps]
        )
        columns = np.concatenate([self.columns[m] + np.arange(len(self._maps[m].rows)) for m in which])
        return _Chains(k, length, is_own, which, rows, flat, columns)

    def _groups_of(self, chains: _Chains) -> Iterable[_Group]:
        groups: dict[tuple[Gate, tuple[int, ...], bool], list[_Link]] = {}
        for row, m in enumerate(chains.maps):
            qubits = self._maps[m].qubits
            for place, part in enumerate(self._maps[m].parts):
                inner = tuple(qubits.index(q) for q in part.qubits)
                link = _Link(part, place, row, inner)
                groups.setdefault((part.gate, inner, self._part_is_own(part)), []).append(link)
        for (gate, _, is_own), links in groups.items():
            yield _Group(gate, links, is_own)

    def _fixed_values(self) -> np.ndarray:
        """Numbers of the maps that have no slots, at their places."""
        out = np.zeros(self._n_shared)
        for m, each in enumerate(self._maps):
            if each.is_fixed:
                out[self.columns[m] : self.columns[m] + len(each.rows)] = each.numbers()
        return out

    def values(self, batch: Batch) -> tuple[Values, list[list[np.ndarray]]]:
        """Numbers, and the products along all chains.

        Raises:
            ShapeError: for a rate outside its range.
        """
        shared, own = self._fixed.copy(), np.empty((batch.size, self._n_own))
        kept = []
        for chains, groups in zip(self._chains, self._groups, strict=True):
            products = chains.products(self._stack(chains, groups, batch))
            last = products[-1].reshape(*products[-1].shape[:2], -1)
            if chains.is_own:
                own[:, chains.columns] = last[chains.rows, :, chains.flat].T
            else:
                shared[chains.columns] = last[chains.rows, 0, chains.flat]
            kept.append(products)
        return Values(shared.astype(batch.dtype), own.astype(batch.dtype)), kept

    def _stack(self, chains: _Chains, groups: Sequence[_Group], batch: Batch) -> np.ndarray:
        """Matrices (parts, N, S, 4^k, 4^k), or diagonals (1, N, S, 4^k)."""
        n_samples = batch.size if chains.is_own else 1
        stack = None
        for group in groups:
            angles = group.angles(batch)
            group.check(angles)
            found = matrices(group.gate, angles)
            found = found.reshape(-1, batch.size if group.is_own else 1, *found.shape[1:])
            if found.ndim == 4:
                found = embedded(found, group.links[0].inner, chains.k)
            if stack is None:
                stack = np.empty((chains.length, len(chains.maps), n_samples, *found.shape[2:]))
            stack[group.places, group.rows] = found
        assert stack is not None
        return stack

    # -- and back

    def wanted(self, wants: tuple[bool, bool], trained: np.ndarray | None) -> np.ndarray:
        """Which maps have a slope that is wanted (M,)."""
        found = [
            (wants[0] and inputs) or (wants[1] and (bool(len(at)) if trained is None else bool(trained[at].any())))
            for inputs, at in self._slots
        ]
        return np.array(found, np.uint8)

    def slopes(
        self, batch: Batch, by_values: Values, kept: list[list[np.ndarray]], d_inputs: np.ndarray, d_weights: np.ndarray
    ) -> None:
        """Add derivatives to d_inputs (B, I) and d_weights (W,) or (B, W), all double."""
        for chains, groups, products in zip(self._chains, self._groups, kept, strict=True):
            by_parts = self._back(chains, groups, batch, by_values, products)
            for group in groups:
                if group.is_input.any() or group.is_weight.any():
                    self._add(chains, group, batch, by_parts, d_inputs, d_weights)

    def _back(
        self, chains: _Chains, groups: Sequence[_Group], batch: Batch, by_values: Values, products: list[np.ndarray]
    ) -> np.ndarray:
        """Slopes by the parts' matrices, as `_stack` has them."""
        shape = products[-1].shape
        slopes = np.zeros((*shape[:2], int(np.prod(shape[2:]))))
        if chains.is_own:
            slopes[chains.rows, :, chains.flat] = by_values.own[:, chains.columns].T
        else:
            slopes[chains.rows, 0, chains.flat] = by_values.shared[chains.columns]
        by_product = slopes.reshape(shape)
        if chains.length == 1:
            return by_product[None]
        stack = self._stack(chains, groups, batch)
        out = np.empty_like(stack)
        for place in range(chains.length - 1, 0, -1):
            out[place] = by_product @ products[place - 1].swapaxes(-1, -2)
            by_product = stack[place].swapaxes(-1, -2) @ by_product
        out[0] = by_product
        return out

    def _add(
        self, chains: _Chains, group: _Group, batch: Batch, by_parts: np.ndarray, d_inputs: np.ndarray,
        d_weights: np.ndarray,
    ) -> None:  # fmt: skip
        by_matrix = by_parts[group.places, group.rows]
        if not group.is_own:
            by_matrix = by_matrix.sum(axis=1, keepdims=True)
        if by_matrix.ndim == 4:
            by_matrix = taken_out(by_matrix, group.links[0].inner, chains.k)
        angles = group.angles(batch)
        for a in range(group.gate.n_angles):
            inputs, weights = group.is_input[:, a], group.is_weight[:, a]
            if not (inputs.any() or weights.any()):
                continue
            slopes = group.scale[:, a, None] * group.slopes(angles, by_matrix, a)
            np.add.at(d_inputs.T, group.index[inputs, a], slopes[inputs])
            if d_weights.ndim == 1:
                np.add.at(d_weights, group.index[weights, a], slopes[weights].sum(axis=1))
            else:
                np.add.at(d_weights.T, group.index[weights, a], slopes[weights])


def _slots(each: Map) -> tuple[bool, np.ndarray]:
    """Whether a map has inputs, and its weights."""
    angles = [a for part in each.parts for a in part.angles]
    weights = sorted({a.index for a in angles if a.source == "weight"})
    return any(a.source == "input" for a in angles), np.array(weights, int)
