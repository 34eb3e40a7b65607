"""Rotosolve: one angle after the other goes to the exact minimum of the loss along it.

An expectation value is a sum of waves in each angle: A + B cos(t + phi) for an angle of one rotation, harmonics besides
for one of several. A few values of the loss give the wave, and the wave its minimum.

Source: Ostaszewski, Grant, Benedetti 2021, Quantum 5, 391; several frequencies: Vidal, Theis 2018, arXiv 1812.06323.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from qloom.circuits import Circuit
from qloom.gradients.parameter_shift import free_rotations
from qloom.gradients.waves import waves_of
from qloom.nn import QuantumLayer
from qloom.optimizers.base import Closure, QuantumOptimizer

# Of the grid on which a wave of several frequencies is searched, points a shortest wave.
GRID = 16


class Rotosolve(QuantumOptimizer):
    """Exact minimization angle by angle; one step is a sweep over all. The loss must be linear in expectation values.

    `step(closure)` takes a closure that computes and returns the loss, and no more.

    Args:
        model: a module, or several, with QuantumLayers in it.

    Raises:
        ConfigError: for a model without QuantumLayers to train.

    Source: Ostaszewski, Grant, Benedetti 2021, Quantum 5, 391; several frequencies: Vidal, Theis 2018, arXiv
    1812.06323.
    """

    def __init__(self, model: Any):
        super().__init__(model, {})
        for layer in self.layers:
            waves(layer.circuit)  # refuses weights that it could not turn

    @torch.no_grad()
    def step(self, closure: Closure) -> float:  # type: ignore[override]
        """A sweep; gives back the loss after it.

        Args:
            closure: computes the loss and returns it; it calls no backward.
        """
        loss = None
        for layer in self.layers:
            for index, (unit, n_harmonics) in enumerate(waves(layer.circuit)):
                if n_harmonics and layer.trained[index]:
                    loss = self._turn(closure, layer, index, unit, n_harmonics)
        return float(closure()) if loss is None else loss

    def _turn(self, closure: Closure, layer: QuantumLayer, index: int, unit: float, n_harmonics: int) -> float:
        return self._minimize(closure, layer.weights, index, unit, n_harmonics)

    def _minimize(
        self, closure: Closure, weights: torch.Tensor, index: int, unit: float, n_harmonics: int
    ) -> float:  # fmt: skip
        start, count = float(weights[index]), 2 * n_harmonics + 1
        places, values = 2 * np.pi / count * np.arange(count), []
        for place in places:
            weights[index] = start + place / unit
            values.append(float(closure()))
        best, lowest = minimum(np.fft.rfft(values) / count)
        weights[index] = start + np.remainder(best + np.pi, 2 * np.pi) / unit - np.pi / unit
        return lowest


def waves(circuit: Circuit) -> list[tuple[float, int]]:
    """Of every weight: the unit u and number m of its frequencies u, 2 u, ..., m u; m is 0 if it has no effect."""
    scales: list[list[float]] = [[] for _ in range(circuit.n_weights)]
    for angle in free_rotations(circuit)[1]:
        if angle.source == "weight":
            scales[angle.index].append(angle.scale)
    return [waves_of(of_weight) for of_weight in scales]


def minimum(coefficients: np.ndarray) -> tuple[float, float]:
    """Place and value of the least of c_0 + 2 Re sum_k c_k exp(i k t).

    Shapes: coefficients (m + 1,), as np.fft.rfft gives, over the number of values.
    """
    orders = np.arange(len(coefficients))

    def wave(t: Any) -> Any:
        waved = coefficients * np.exp(1j * np.multiply.outer(t, orders))
        return 2 * waved.real.sum(axis=-1) - coefficients[0].real

    if len(coefficients) == 2:
        place = float(np.pi - np.angle(coefficients[1]))
        return place, float(wave(place))
    grid = np.linspace(0, 2 * np.pi, GRID * len(coefficients), endpoint=False)
    width = grid[1]
    near = float(grid[np.argmin(wave(grid))])
    found = minimize_scalar(wave, bounds=(near - width, near + width), method="bounded", options={"xatol": 1e-10})
    return float(found.x), float(found.fun)
