"""Central differences: derivatives from values alone, with no knowledge of the circuit; for checks."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Engine, Wants
from qloom.engines.batch import Batch
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients.base import Differentiator, ForwardEvaluator


class FiniteDifference(Differentiator):
    """Approximate: error about step^2, and rounding over step.

    Args:
        step: radians; None for the cube root of the dtype's rounding (6e-6 in float64, 5e-3 in float32).

    Raises:
        CircuitError: for a step that is not above 0.
    """

    def __init__(self, step: float | None = None):
        if step is not None and not step > 0:
            raise CircuitError(f"step={step!r}, expected a positive number of radians")
        self.step = step

    def prepare(self, engine: Engine, circuit: Circuit, observables: Any = None) -> DifferentiableEvaluator:
        if not engine.is_exact:
            raise UnsupportedError(
                f'differences of values of {engine!r} are noise; use differentiator="parameter-shift"'
            )
        return DifferenceEvaluator(engine.prepare(circuit, observables), self.step)


class DifferenceEvaluator(ForwardEvaluator):
    """Derivatives from values at angles a step to either side."""

    def __init__(self, evaluator: Any, step: float | None):
        super().__init__(evaluator)
        self.step = step
        self.walk_cost = 2 * (self.circuit.n_inputs + self.circuit.n_weights)

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: np.ndarray | None, wants: Wants) -> Derivatives:
        d_inputs = np.zeros_like(batch.inputs) if wants[0] else None
        d_weights = np.zeros_like(batch.weights) if wants[1] else None
        if d_inputs is not None:
            for column in range(batch.inputs.shape[1]):
                d_inputs[:, column] = self._slope(batch, "inputs", column, cotangents)
        if d_weights is not None:
            for column in filter(self.wants_weight, range(batch.weights.shape[-1])):
                slope = self._slope(batch, "weights", column, cotangents)
                d_weights[..., column] = slope if batch.weights.ndim == 2 else slope.sum()
        return d_inputs, d_weights

    def _slope(self, batch: Batch, which: str, column: int, cotangents: np.ndarray) -> np.ndarray:
        step = self.step or float(np.finfo(batch.dtype).eps) ** (1 / 3)
        values = []
        for sign in (1, -1):
            arrays = {"inputs": batch.inputs, "weights": batch.weights}
            arrays[which] = arrays[which].copy()
            arrays[which][..., column] += sign * step
            values.append(self.evaluator.values(Batch(**arrays, single=batch.single)).astype(np.float64))
        return ((values[0] - values[1]) / (2 * step) * cotangents).sum(axis=1)
