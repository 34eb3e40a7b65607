"""What channels multiply words by, at a batch, and slopes by these back to rates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from qloom.circuits.gate import Gate
from qloom.engines.batch import Batch
from qloom.engines.density.links import Group, Link
from qloom.engines.density.parts import Part
from qloom.engines.propagation.steps import DAMPING, PLACES, Step


class Factors:
    """Numbers of all channels of a program.

    Shapes: (F,) where all samples share them, else (B, F). A channel on k qubits has 4^k, by the codes of the letters;
    damping one more, what Z adds to the identity.
    """

    def __init__(self, steps: Sequence[Step], own_weights: bool):
        found: dict[Gate, list[tuple[Step, int]]] = {}
        self.size = 0
        for step in steps:
            if step.part is None:
                continue
            found.setdefault(step.part.gate, []).append((step, self.size))
            self.size += 4 ** len(step.qubits) + (step.kind == DAMPING)
        sources = {a.source for members in found.values() for step, _ in members for a in _part(step).angles}
        self.is_own = "input" in sources or (own_weights and "weight" in sources)
        self._groups = [_Places(gate, members, self.is_own) for gate, members in found.items()]

    def values(self, batch: Batch) -> np.ndarray:
        """All numbers; ShapeError for a rate outside its range."""
        out = np.empty((batch.size if self.is_own else 1, self.size))
        for group in self._groups:
            group.fill(batch, out)
        return out if self.is_own else out[0]

    def add_slopes(self, batch: Batch, by_factors: np.ndarray, d_inputs: np.ndarray, d_weights: np.ndarray) -> None:
        """Add derivatives to d_inputs (B, I) and d_weights (W,) or (B, W)."""
        for group in self._groups:
            if group.group.has_slots:
                group.add_slopes(batch, np.atleast_2d(by_factors), d_inputs, d_weights)


class _Places:
    """Where the numbers of one gate's L channels are."""

    def __init__(self, gate: Gate, members: Sequence[tuple[Step, int]], is_own: bool):
        links = [Link(_part(step), 0, 0, row, tuple(range(gate.n_qubits))) for row, (step, _) in enumerate(members)]
        self.group = Group(gate, links, is_own)
        self.is_wide = links[0].part.is_wide
        self.first = np.array([first for _, first in members])
        self.damps = np.array([step.kind == DAMPING for step, _ in members])
        # Transfer matrices number letters I, X, Y, Z, the first the most significant.
        digits = np.array(list(product(PLACES, repeat=gate.n_qubits)), int)
        self.diagonal = digits @ 4 ** np.arange(gate.n_qubits)[::-1]

    def fill(self, batch: Batch, out: np.ndarray) -> None:
        angles = self.group.angles(batch)
        self.group.check(angles)
        found = self.group.matrices(angles)
        diagonals = found if self.is_wide else np.diagonal(found, axis1=-2, axis2=-1)
        columns = self.first[:, None] + np.arange(len(self.diagonal))
        out[:, columns] = diagonals[..., self.diagonal].swapaxes(0, 1)
        if self.damps.any():
            out[:, self.first[self.damps] + len(self.diagonal)] = found[self.damps, :, 3, 0].T

    def add_slopes(self, batch: Batch, by_factors: np.ndarray, d_inputs: np.ndarray, d_weights: np.ndarray) -> None:
        size = len(self.diagonal)
        columns = self.first[:, None] + np.arange(size)
        by_diagonal = np.empty((len(self.first), len(by_factors), size))
        by_diagonal[..., self.diagonal] = by_factors[:, columns].swapaxes(0, 1)
        if self.is_wide:
            return self.group.add_slopes(batch, by_diagonal, d_inputs, d_weights)
        by_matrices = np.zeros((*by_diagonal.shape, size))
        by_matrices[..., np.arange(size), np.arange(size)] = by_diagonal
        if self.damps.any():
            by_matrices[self.damps, :, 3, 0] = by_factors[:, self.first[self.damps] + size].T
        self.group.add_slopes(batch, by_matrices, d_inputs, d_weights)


def _part(step: Step) -> Part:
    assert step.part is not None
    return step.part
