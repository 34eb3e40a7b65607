"""Simultaneous perturbation: an estimate of all derivatives from two values a sample, whatever the number of angles.

All angles of a sample move at once by +-step along signs drawn for it, and the slope along them is taken for each.
It is right on average up to step^2; other angles' slopes are its noise, which falls as samples are added up.

Source: Spall 1992, IEEE Transactions on Automatic Control 37, 332.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Derivatives, DifferentiableEvaluator, Engine, Evaluator, Wants
from qloom.engines.batch import Batch, starts_from_inputs
from qloom.engines.streams import Stream
from qloom.errors import CircuitError, UnsupportedError
from qloom.gradients.base import Differentiator, ForwardEvaluator


class SimultaneousPerturbation(Differentiator):
    """Noisy and cheap: what a batch on a device takes is one submission of two circuits a sample.

    Args:
        step: radians to either side.
        seed: of the signs, where the engine has no random numbers of its own; a measured one draws them from these.

    Raises:
        CircuitError: for a step that is not above 0.

    Source: Spall 1992, IEEE Transactions on Automatic Control 37, 332.
    """

    is_exact = False

    def __init__(self, step: float = 0.2, seed: int | None = 0):
        if not step > 0:
            raise CircuitError(f"step={step!r}, expected a positive number of radians")
        self.step, self.seed = step, seed

    def prepare(self, engine: Engine, circuit: Circuit, observables: Any = None) -> DifferentiableEvaluator:
        evaluator = engine.prepare(circuit, observables)
        return PerturbationEvaluator(evaluator, self.step, evaluator.stream or Stream(self.seed))


class PerturbationEvaluator(ForwardEvaluator):
    """Derivatives from values a step to either side of all angles, both sides in one batch."""

    walk_cost = 2

    def __init__(self, evaluator: Evaluator, step: float, stream: Stream):
        super().__init__(evaluator)
        self.step, self._stream = step, stream

    @property
    def stream(self) -> Stream:  # type: ignore[override]
        return self._stream

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: np.ndarray | None, wants: Wants) -> Derivatives:
        if wants[0] and starts_from_inputs(self.circuit):
            raise UnsupportedError(
                'simultaneous perturbation gives no derivative of initial amplitudes; use differentiator="adjoint"'
            )
        of_inputs, of_weights = self._signs(batch, wants)
        slopes = self._slopes(batch, of_inputs, of_weights, cotangents)[:, None]
        d_weights = slopes * of_weights
        if batch.weights.ndim == 1:
            d_weights = d_weights.sum(axis=0)
        return (
            (slopes * of_inputs).astype(batch.dtype) if wants[0] else None,
            d_weights.astype(batch.dtype) if wants[1] else None,
        )

    def _signs(self, batch: Batch, wants: Wants) -> tuple[np.ndarray, np.ndarray]:
        """Of inputs (B, I) and of weights (B, W); 0 for those that are not wanted."""
        n_inputs = self.circuit.n_inputs
        signs = self.stream.generator().choice([-1.0, 1.0], (batch.size, n_inputs + self.circuit.n_weights))
        trained = np.ones(self.circuit.n_weights, bool) if self.trained is None else self.trained
        return signs[:, :n_inputs] * wants[0], signs[:, n_inputs:] * (trained & wants[1])

    def _slopes(
        self, batch: Batch, of_inputs: np.ndarray, of_weights: np.ndarray, cotangents: np.ndarray
    ) -> np.ndarray:
        """sum_o g_o df_o along the signs, (B,)."""
        sides = [
            (batch.inputs + side * of_inputs, batch.weights + side * of_weights) for side in (self.step, -self.step)
        ]
        inputs, weights = (np.concatenate(each).astype(batch.dtype) for each in zip(*sides, strict=True))
        values = self.evaluator.values(Batch(inputs, weights, single=False)).astype(np.float64)
        above, below = values[: batch.size], values[batch.size :]
        return np.einsum("bo,bo->b", above - below, cotangents) / (2 * self.step)
