"""Evaluation in one call: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, Probabilities, checked_qubits
from qloom.engines.batch import check_memory, make_batch
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import CircuitError


def expectation(
    circuit: Circuit,
    observables: Any = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    engine: Engine | None = None,
    shots: int | None = None,
    seed: int | None = None,
) -> np.ndarray:
    """Expectation values of observables.

    Args:
        circuit: the circuit.
        observables: a Pauli sum or several; None for Z on every qubit.
        engine: StatevectorEngine() by default.
        shots: estimate from that many measurements instead of exactly.
        seed: of the measurements.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, O), or (O,) without a batch dimension.
    """
    batch = make_batch(circuit, inputs, weights)
    evaluator = (engine or StatevectorEngine()).prepare(circuit, observables, shots=shots, seed=seed)
    return batch.unbatched(evaluator.values(batch))


def state(circuit: Circuit, inputs: Any = None, weights: Any = None, *, engine: Engine | None = None) -> np.ndarray:
    """Final states: complex64 for float32 angles, complex128 for float64.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, 2^n), or (2^n,) without a batch dimension.
    """
    batch = make_batch(circuit, inputs, weights)
    return batch.unbatched((engine or StatevectorEngine()).state(circuit, batch))


def probabilities(
    circuit: Circuit,
    inputs: Any = None,
    weights: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    engine: Engine | None = None,
) -> np.ndarray:
    """Probabilities of the outcomes of some qubits (all by default), in order of the bit string.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, 2^k), or (2^k,) without a batch dimension.
    """
    outputs = Probabilities(checked_qubits(circuit, qubits))
    batch = make_batch(circuit, inputs, weights)
    return batch.unbatched((engine or StatevectorEngine()).prepare(circuit, outputs).values(batch))


def sample(
    circuit: Circuit,
    shots: int,
    inputs: Any = None,
    weights: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    seed: int | None = None,
    engine: Engine | None = None,
) -> np.ndarray:
    """Measured bits, uint8.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, shots, k), or (shots, k) without a batch dimension.
    """
    measured, outcomes, single = _outcomes(circuit, shots, inputs, weights, qubits, seed, engine)
    shifts = np.arange(len(measured) - 1, -1, -1)
    bits = (outcomes[..., None] >> shifts & 1).astype(np.uint8)
    return bits[0] if single else bits


def counts(
    circuit: Circuit,
    shots: int,
    inputs: Any = None,
    weights: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    seed: int | None = None,
    engine: Engine | None = None,
) -> dict[str, int] | list[dict[str, int]]:
    """How often each bit string was measured: a dict, or a list of one a sample if there is a batch dimension."""
    measured, outcomes, single = _outcomes(circuit, shots, inputs, weights, qubits, seed, engine)
    tables = []
    for row in outcomes:
        values, times = np.unique(row, return_counts=True)
        tables.append({f"{v:0{len(measured)}b}": int(t) for v, t in zip(values, times, strict=True)})
    return tables[0] if single else tables


def _outcomes(
    circuit: Circuit, shots: int, inputs: Any, weights: Any, qubits: Sequence[int] | None, seed: int | None,
    engine: Engine | None,
) -> tuple[tuple[int, ...], np.ndarray, bool]:  # fmt: skip
    if not isinstance(shots, int | np.integer) or shots < 1:
        raise CircuitError(f"shots={shots!r}, expected an integer of at least 1")
    measured = checked_qubits(circuit, qubits)
    batch = make_batch(circuit, inputs, weights)
    check_memory(batch.size * shots * (8 + len(measured)), f"{batch.size} x {shots} samples of {len(measured)} qubits")
    evaluator = (engine or StatevectorEngine()).prepare(circuit, Probabilities(measured))
    random, rows = np.random.default_rng(seed), []
    for piece in batch.pieces(evaluator.n_outputs):
        for probabilities in evaluator.values(piece):
            cumulated = np.cumsum(probabilities, dtype=np.float64)
            rows.append(np.searchsorted(cumulated, random.random(shots) * cumulated[-1], side="right"))
    return measured, np.array(rows, np.int64).reshape(batch.size, shots), batch.single
