"""Differentiators: ways to get derivatives of values, and `gradient`, derivatives in one call."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import AdjointEvaluator, Engine
from qloom.engines.batch import make_batch
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import CircuitError, ShapeError
from qloom.gradients.adjoint import Adjoint
from qloom.gradients.base import Differentiator
from qloom.gradients.finite_difference import FiniteDifference
from qloom.gradients.metric import metric_tensor
from qloom.gradients.parameter_shift import ParameterShift, ShotPlan

DIFFERENTIATORS: dict[str, type[Differentiator]] = {
    "adjoint": Adjoint,
    "parameter-shift": ParameterShift,
    "finite-difference": FiniteDifference,
}


def prepare_gradient(
    circuit: Circuit, observables: Any = None, engine: Engine | None = None,
    differentiator: str | Differentiator = "auto", shots: int | None = None, seed: Any = None,
) -> AdjointEvaluator:  # fmt: skip
    """An evaluator that also walks backwards.

    Args:
        differentiator: a `Differentiator`, a name of DIFFERENTIATORS, or "auto": adjoint for exact values of the
            native engine, else parameter shift.
    """
    engine = StatevectorEngine() if engine is None else engine
    if not isinstance(engine, Engine):
        raise CircuitError(f"engine={engine!r}, expected an Engine such as StatevectorEngine()")
    if differentiator == "auto":
        exact = shots is None and isinstance(engine, StatevectorEngine)
        differentiator = "adjoint" if exact else "parameter-shift"
    if isinstance(differentiator, str):
        if differentiator not in DIFFERENTIATORS:
            names = ", ".join(("auto", *DIFFERENTIATORS))
            raise CircuitError(f"differentiator={differentiator!r}, expected one of {names}")
        differentiator = DIFFERENTIATORS[differentiator]()
    if not isinstance(differentiator, Differentiator):
        raise CircuitError(f"differentiator={differentiator!r}, expected a name or a Differentiator")
    return differentiator.prepare(engine, circuit, observables, shots=shots, seed=seed)


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
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of sum(cotangents * values) with respect to inputs and weights.

    Shapes: inputs (B, I), weights (W,) or (B, W), cotangents (B, O), ones by default -> d_inputs and d_weights, shaped
    as inputs and weights.
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
    return batch.unbatched(d_inputs), d_weights


__all__ = [
    "DIFFERENTIATORS", "Adjoint", "Differentiator", "FiniteDifference", "ParameterShift", "ShotPlan", "gradient",
    "metric_tensor", "prepare_gradient",
]  # fmt: skip
