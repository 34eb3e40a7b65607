"""The contract of a differentiator: its derivatives are those of the reference engine's values."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines import Engine, ReferenceEngine, make_batch
from qloom.gradients import Differentiator, prepare_gradient


def check_differentiator(
    differentiator: str | Differentiator, circuit: Circuit, observables: Any, inputs: Any, weights: Any,
    engine: Engine | None = None, tolerance: float = 1e-7, seed: int = 0,
) -> None:  # fmt: skip
    """Derivatives equal fourth-order central differences of the reference engine's values, in float64.

    With every other weight frozen the derivatives of these are 0, the others the same.

    Args:
        differentiator: under test.
        circuit: with slots for the arrays.
        observables: Pauli sums.
        engine: that gives the values; StatevectorEngine() by default.
        tolerance: of the derivatives.
        seed: of the cotangents.

    Shapes: inputs (B, I), weights (W,) or (B, W).
    """
    batch = make_batch(circuit, inputs, weights)
    evaluator = prepare_gradient(circuit, observables, engine, differentiator)
    cotangents = np.random.default_rng(seed).normal(size=(batch.size, evaluator.n_outputs))
    mine = evaluator.backward(batch, cotangents, None, (True, True))
    reference = ReferenceEngine().prepare(circuit, observables)

    def loss(x: np.ndarray, w: np.ndarray) -> float:
        # Straight to the evaluator: amplitudes a step away from norm 1 are meant here.
        return float((reference.values(type(batch)(x, w, False)) * cotangents).sum())

    arrays = [batch.inputs, batch.weights]
    for which, derivative in enumerate(mine):
        assert derivative is not None
        assert derivative.shape == arrays[which].shape
        truth = _differences(lambda a, k=which: loss(*[a if j == k else arrays[j] for j in (0, 1)]), arrays[which])
        np.testing.assert_allclose(derivative, truth, rtol=0, atol=tolerance)
    whole, trained = [np.asarray(derivative) for derivative in mine], np.arange(circuit.n_weights) % 2 == 1
    evaluator.trained = trained
    now = [np.asarray(derivative) for derivative in evaluator.backward(batch, cotangents, None, (True, True))]
    np.testing.assert_allclose(now[0], whole[0], rtol=0, atol=tolerance)
    np.testing.assert_allclose(now[1], np.where(trained, whole[1], 0), rtol=0, atol=tolerance)


def _differences(f: Any, at: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Derivatives of f by fourth-order central differences: error about step^4."""
    out = np.zeros_like(at)
    for position in np.ndindex(*at.shape):
        for shift, factor in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            moved = at.copy()
            moved[position] += shift * step
            out[position] += factor * f(moved) / (12 * step)
    return out
