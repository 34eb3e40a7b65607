"""Rotoselect: Rotosolve that also chooses each rotation's axis.

At angle 0 a rotation does nothing whatever its axis, so seven values of the loss tell the waves of all three axes, and
the one that goes lowest is taken.

Source: Ostaszewski, Grant, Benedetti 2021, Quantum 5, 391.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from qloom.circuits.gates import find_gate
from qloom.errors import ConfigError
from qloom.nn import QuantumLayer
from qloom.optimizers.base import Closure
from qloom.optimizers.rotosolve import Rotosolve, minimum

AXES = ("rx", "ry", "rz")


class Rotoselect(Rotosolve):
    """Angle by angle, the best axis of RX, RY and RZ with its best angle; one step is a sweep.

    The layers' circuits change: `layer.circuit` has the axes found; they are saved with the optimizer's state. Weights
    of other gates, or of several, keep theirs.

    Args:
        model: a module, or several, with QuantumLayers in it.

    Raises:
        ConfigError: for a model without a weight that turns a single RX, RY or RZ by itself.

    Source: Ostaszewski, Grant, Benedetti 2021, Quantum 5, 391.
    """

    def __init__(self, model: Any):
        super().__init__(model)
        self._places = {id(layer): _choices(layer) for layer in self.layers}
        if not any(self._places.values()):
            raise ConfigError("no weight turns a single RX, RY or RZ by itself, expected one at least; take Rotosolve")

    def _turn(self, closure: Closure, layer: QuantumLayer, index: int, unit: float, n_harmonics: int) -> float:
        place = self._places[id(layer)].get(index)
        if place is None:
            return super()._turn(closure, layer, index, unit, n_harmonics)
        return self._choose(closure, layer, index, place)

    def state_dict(self) -> dict[str, Any]:
        axes = [[layer.circuit.operations[place].gate.name for place in self._places[id(layer)].values()]
                for layer in self.layers]  # fmt: skip
        return super().state_dict() | {"axes": axes}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Also turns the gates, which the layers' own states belong to: load this before them."""
        state_dict = dict(state_dict)
        for layer, axes in zip(self.layers, state_dict.pop("axes"), strict=True):
            for place, axis in zip(self._places[id(layer)].values(), axes, strict=True):
                _set_axis(layer, place, axis)
        super().load_state_dict(state_dict)

    def _choose(self, closure: Closure, layer: QuantumLayer, index: int, place: int) -> float:
        weights, found = layer.weights, []
        weights[index] = 0
        middle = float(closure())
        for axis in AXES:
            _set_axis(layer, place, axis)
            sides = []
            for angle in (np.pi / 2, -np.pi / 2):
                weights[index] = angle
                sides.append(float(closure()))
            mean, sine = sum(sides) / 2, (sides[0] - sides[1]) / 2
            best, lowest = minimum(np.array([mean, (middle - mean - 1j * sine) / 2]))
            found.append((lowest, axis, best))
        loss, axis, angle = min(found)
        _set_axis(layer, place, axis)
        weights[index] = angle
        return loss


def _choices(layer: QuantumLayer) -> dict[int, int]:
    """Weights that turn one RX, RY or RZ alone, with the place of that gate."""
    places: dict[int, list[tuple[int, bool]]] = {}
    for place, op in enumerate(layer.circuit.operations):
        for angle in op.angles:
            if angle.source == "weight":
                plain = op.gate.name in AXES and (angle.scale, angle.offset) == (1, 0)
                places.setdefault(angle.index, []).append((place, plain))
    return {index: found[0][0] for index, found in places.items() if len(found) == 1 and found[0][1]}


def _set_axis(layer: QuantumLayer, place: int, axis: str) -> None:
    circuit = layer.circuit.copy()
    if circuit.operations[place].gate.name != axis:
        circuit.operations[place] = replace(circuit.operations[place], gate=find_gate(axis))
        layer.exchange(circuit)
