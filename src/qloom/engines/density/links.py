"""Parts of one gate evaluated together: their matrices at a batch, and slopes by these back to inputs and weights.

Derivatives by angles are complex steps, exact to rounding. All of it in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from qloom.circuits.gate import Gate
from qloom.circuits.transfer import COMPLEX_STEP
from qloom.engines.batch import Batch
from qloom.engines.density.parts import Part
from qloom.engines.density.patterns import matrices
from qloom.errors import ShapeError


class Link(NamedTuple):
    """A part in its place: which stack of chains, which part of which map there, and on which of its digits."""

    part: Part
    stack: int
    place: int
    row: int
    inner: tuple[int, ...]


class Route(NamedTuple):
    """Where matrices of a group go: some of its links, all on the same digits in one stack."""

    stack: int
    inner: tuple[int, ...]
    links: np.ndarray
    places: np.ndarray
    rows: np.ndarray


class Group:
    """L links of one gate; S samples, or 1 where all samples share the angles."""

    def __init__(self, gate: Gate, links: Sequence[Link], is_own: bool):
        self.gate, self.links, self.is_own = gate, links, is_own
        shape = len(links), gate.n_angles
        angles = [angle for link in links for angle in link.part.angles]
        self.is_input = np.array([a.source == "input" for a in angles], bool).reshape(shape)
        self.is_weight = np.array([a.source == "weight" for a in angles], bool).reshape(shape)
        self.index = np.array([a.index for a in angles], int).reshape(shape)
        self.scale = np.array([a.scale for a in angles], float).reshape(shape)
        self.offset = np.array([a.offset for a in angles], float).reshape(shape)
        self.routes = [self._route(key) for key in dict.fromkeys((link.stack, link.inner) for link in links)]

    def _route(self, key: tuple[int, tuple[int, ...]]) -> Route:
        which = [k for k, link in enumerate(self.links) if (link.stack, link.inner) == key]
        places, rows = ([getattr(self.links[k], name) for k in which] for name in ("place", "row"))
        return Route(*key, np.array(which), np.array(places), np.array(rows))

    @property
    def has_slots(self) -> bool:
        return bool(self.is_input.any() or self.is_weight.any())

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
                given = batch.weights.T[self.index[weights, a]]
                slots[weights] = given[:, None] if given.ndim == 1 else given
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

    def matrices(self, angles: Sequence[np.ndarray]) -> np.ndarray:
        """Matrices (L, S, 4^k, 4^k), or diagonals (L, S, 4^k) of a wide channel."""
        found = matrices(self.gate, angles)
        if not angles:
            return np.broadcast_to(found[:, None], (len(self.links), 1, *found.shape[1:]))
        return found.reshape(len(self.links), -1, *found.shape[1:])

    def add_slopes(self, batch: Batch, by_matrices: np.ndarray, d_inputs: np.ndarray, d_weights: np.ndarray) -> None:
        """Add derivatives to d_inputs (B, I) and d_weights (W,) or (B, W), from those by the matrices."""
        angles = self.angles(batch)
        for a in range(self.gate.n_angles):
            inputs, weights = self.is_input[:, a], self.is_weight[:, a]
            if not (inputs.any() or weights.any()):
                continue
            turned = [angle + 1j * COMPLEX_STEP if k == a else angle for k, angle in enumerate(angles)]
            derivative = self.matrices(turned).imag / COMPLEX_STEP
            flat = (derivative * by_matrices).reshape(*by_matrices.shape[:2], -1)
            slopes = self.scale[:, a, None] * flat.sum(axis=-1)
            np.add.at(d_inputs.T, self.index[inputs, a], slopes[inputs])
            if d_weights.ndim == 1:
                np.add.at(d_weights, self.index[weights, a], slopes[weights].sum(axis=1))
            else:
                np.add.at(d_weights.T, self.index[weights, a], slopes[weights])
