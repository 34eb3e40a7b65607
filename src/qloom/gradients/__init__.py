"""Differentiators: ways to get derivatives of values, and `gradient`, derivatives in one call."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.batch import make_batch
from qloom.errors import ShapeError
from qloom.gradients.adjoint import Adjoint
from qloom.gradients.base import Differentiator
from qloom.gradients.choice import DIFFERENTIATORS, prepare_gradient
from qloom.gradients.derivatives import jacobian, jacobians
from qloom.gradients.finite_difference import FiniteDifference
from qloom.gradients.measured import MeasuredSlopes, ShotPlan
from qloom.gradients.metric import metric_tensor
from qloom.gradients.parameter_shift import ParameterShift
from qloom.gradients.simultaneous_perturbation import SimultaneousPerturbation


def gradient(
    circuit: Circuit,
    observables: Any = None,
    inputs: Any = None,
    weights: Any = None,
    cotangents: Any = None,
    *,
    engine: Engine | None = None,
    differentiator: str | Differentiator = "auto",
    shots: int | None = None,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Derivatives of sum(cotangents * values) with respect to inputs and weights.

    Args:
        circuit: the circuit.
        observables: a Pauli sum or several, or other outputs that an engine is asked for; None for Z on every qubit.
        cotangents: of the values.
        engine: StatevectorEngine() by default.
        differentiator: as of `prepare_gradient`.
        shots: measure values and derivatives so many times; None for exact ones.
        seed: of the measurements; None for fresh entropy.

    Shapes: inputs (B, I), weights (W,) or (B, W), cotangents (B, O), ones by default -> d_inputs and d_weights, in the
    form that inputs and weights have: flat, as declared, or by name.

    Raises:
        CircuitError: for observables that the circuit does not have, or no such differentiator.
        ShapeError: for arrays that do not fit.
        UnsupportedError: for gates or outputs that the engine or the differentiator does not do.
    """
    batch = make_batch(circuit, inputs, weights)
    evaluator = prepare_gradient(circuit, observables, engine, differentiator, shots, seed)
    shape = (evaluator.n_outputs,) if batch.single else (batch.size, evaluator.n_outputs)
    g = np.asarray(np.ones(shape, batch.dtype) if cotangents is None else cotangents)
    if g.dtype.kind not in "iuf":
        raise ShapeError(f"cotangents has dtype {g.dtype}, expected real numbers")
    if g.shape != shape:
        raise ShapeError(f"cotangents has shape {g.shape}, expected {shape}")
    d_inputs, d_weights = evaluator.backward(
        batch, g.reshape(batch.size, evaluator.n_outputs).astype(batch.dtype), None, (True, True)
    )
    assert d_inputs is not None
    assert d_weights is not None
    return circuit.input_slots.like(inputs, batch.unbatched(d_inputs)), circuit.weight_slots.like(weights, d_weights)


__all__ = [
    "DIFFERENTIATORS", "Adjoint", "Differentiator", "FiniteDifference", "MeasuredSlopes", "ParameterShift", "ShotPlan",
    "SimultaneousPerturbation", "gradient", "jacobian", "jacobians", "metric_tensor", "prepare_gradient",
]  # fmt: skip
