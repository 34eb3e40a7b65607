"""The whole Jacobian: every output's derivatives by every input and weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine, Wants
from qloom.engines.batch import MOST_NUMBERS, Batch, check_memory, make_batch
from qloom.gradients.base import Differentiator
from qloom.gradients.choice import prepare_gradient


def jacobian(
    circuit: Circuit,
    observables: Any = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    engine: Engine | None = None,
    differentiator: str | Differentiator = "auto",
    shots: int | None = None,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Derivatives of every output by inputs and by weights.

    Args:
        circuit: the circuit.
        observables, engine, differentiator, shots, seed: as of `gradient`.

    Shapes: inputs (B, I), weights (W,) or (B, W) -> (B, O, I) and (B, O, W), or (O, I) and (O, W) without a batch
    dimension: by the weights as each sample sees them, also where all share them. Where inputs or weights are given as
    they are declared, or by name, the last dimension is in that form.

    Raises:
        CircuitError, ShapeError, UnsupportedError: as `gradient`.
        MemoryLimitError: for Jacobians that do not fit in memory.
    """
    batch = make_batch(circuit, inputs, weights)
    evaluator = prepare_gradient(circuit, observables, engine, differentiator, shots, seed)
    by_inputs, by_weights = jacobians(evaluator, batch)
    assert by_inputs is not None
    assert by_weights is not None
    return (
        circuit.input_slots.like(inputs, batch.unbatched(by_inputs)),
        circuit.weight_slots.like(weights, batch.unbatched(by_weights)),
    )


def jacobians(
    evaluator: DifferentiableEvaluator, batch: Batch, wants: Wants = (True, True)
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Jacobians of a prepared circuit: one batch of B O samples, each walked back from one output.

    Args:
        evaluator: as `prepare_gradient` gives.
        batch: B samples.
        wants: whether derivatives by inputs are wanted, and by weights.

    Shapes: (B, O, I) and (B, O, W); None where not wanted.

    Raises:
        MemoryLimitError: for Jacobians that do not fit in memory.
    """
    n, n_outputs, sizes = batch.size, evaluator.n_outputs, (batch.inputs.shape[1], batch.weights.shape[-1])
    n_numbers = n_outputs * sum(size for size, want in zip(sizes, wants, strict=True) if want)
    check_memory(batch.dtype.itemsize * n * n_numbers, f"Jacobians of {n} samples and {n_outputs} outputs")
    found = [
        np.empty((n, n_outputs, size), batch.dtype) if want else None for size, want in zip(sizes, wants, strict=True)
    ]
    step = max(1, MOST_NUMBERS // (n_outputs + sum(sizes)))  # rows of a walk back
    for first in range(0, n * n_outputs, step):
        rows = np.arange(first, min(first + step, n * n_outputs))
        samples, outputs = np.divmod(rows, n_outputs)
        own = batch.weights[samples] if batch.weights.ndim == 2 else np.tile(batch.weights, (len(rows), 1))
        cotangents = np.zeros((len(rows), n_outputs), batch.dtype)
        cotangents[np.arange(len(rows)), outputs] = 1
        parts = evaluator.backward(Batch(batch.inputs[samples], own, False), cotangents, None, wants)
        for whole, part in zip(found, parts, strict=True):
            if whole is not None:
                whole[samples, outputs] = part
    return found[0], found[1]
