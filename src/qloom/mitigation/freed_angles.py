"""A circuit's angles set free: an input for every angle that may be turned, and how its own numbers give it."""

from __future__ import annotations

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.batch import Batch

QUARTER = np.pi / 2


class FreedAngles:
    """The circuit with its angles as further inputs; those of Clifford gates that are numbers stay.

    Attributes:
        circuit: gates as before, so that noise models know them.
        angles: those set free, (A,).
    """

    def __init__(self, circuit: Circuit):
        free = [
            (k, place)
            for k, op in enumerate(circuit.operations)
            for place, angle in enumerate(op.angles)
            if op.gate.is_unitary and op.qubits and not _is_clifford(angle)
        ]
        self.circuit = circuit.copy()
        slots = dict(zip(free, self.circuit.inputs(len(free)), strict=True))
        self.circuit.operations = [
            Operation(op.gate, op.qubits, tuple(slots.get((k, p), angle) for p, angle in enumerate(op.angles)))
            for k, op in enumerate(circuit.operations)
        ]
        self.angles: list[Angle] = [circuit.operations[k].angles[place] for k, place in free]
        self._source = np.array([angle.source for angle in self.angles], dtype="U6")
        self._index = np.array([angle.index for angle in self.angles], int)
        self._scale = np.array([angle.scale for angle in self.angles], float)
        self._offset = np.array([angle.offset for angle in self.angles], float)

    def __len__(self) -> int:
        return len(self.angles)

    def values(self, batch: Batch) -> np.ndarray:
        """Radians of every angle, (B, A)."""
        slots = np.zeros((batch.size, len(self)))
        for source, array in (("input", batch.inputs), ("weight", np.atleast_2d(batch.weights))):
            of = self._source == source
            slots[:, of] = array[:, self._index[of]]
        return self._scale * slots + self._offset

    def pulled_back(self, batch: Batch, d_angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives by inputs and weights, in their shapes, from those by angles (B, A)."""
        d_slots = d_angles * self._scale
        d_inputs, d_weights = np.zeros(batch.inputs.shape), np.zeros((batch.size, batch.weights.shape[-1]))
        for source, total in (("input", d_inputs), ("weight", d_weights)):
            of = self._source == source
            np.add.at(total.T, self._index[of], d_slots[:, of].T)
        return d_inputs, d_weights if batch.weights.ndim == 2 else d_weights.sum(axis=0)


def _is_clifford(angle: Angle) -> bool:
    turns = angle.offset / QUARTER
    return angle.is_number and abs(turns - round(turns)) < 1e-12
