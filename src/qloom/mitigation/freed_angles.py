"""A circuit's angles set free: an input for every angle that may be turned, and how its own numbers give it."""

from __future__ import annotations

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.batch import Batch
from qloom.gradients.parameter_shift import FreeAngles

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
        self._free = FreeAngles(self.angles)

    def __len__(self) -> int:
        return len(self.angles)

    def values(self, batch: Batch) -> np.ndarray:
        """Radians of every angle, (B, A)."""
        return self._free.values(batch)

    def pulled_back(self, batch: Batch, d_angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives by inputs and weights, in their shapes, from those by angles (B, A)."""
        d_slots = d_angles * self._free.scale
        d_inputs, d_weights = np.zeros(batch.inputs.shape), np.zeros((batch.size, batch.weights.shape[-1]))
        for of, total in ((self._free.of_inputs, d_inputs), (self._free.of_weights, d_weights)):
            np.add.at(total.T, self._free.index[of], d_slots[:, of].T)
        return d_inputs, d_weights if batch.weights.ndim == 2 else d_weights.sum(axis=0)


def _is_clifford(angle: Angle) -> bool:
    turns = angle.offset / QUARTER
    return angle.is_number and abs(turns - round(turns)) < 1e-12
