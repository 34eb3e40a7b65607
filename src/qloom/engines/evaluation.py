"""Evaluation in one call: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom import _native
from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, FinalState, Probabilities, as_outputs, checked_qubits
from qloom.engines.batch import check_memory, make_batch
from qloom.engines.shots import checked_shots
from qloom.engines.statevector import StatevectorEngine
from qloom.engines.streams import make_generator
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
    evaluator = _engine(engine).prepare(circuit, observables, shots=shots, seed=seed)
    return batch.unbatched(evaluator.values(batch))


def variance(
    circuit: Circuit,
    observables: Any = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    engine: Engine | None = None,
) -> np.ndarray:
    """Variances <O^2> - <O>^2 of observables, exact; None for Z on every qubit.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, O), or (O,) without a batch dimension.
    """
    outputs = as_outputs(circuit, observables)
    if isinstance(outputs, Probabilities | FinalState):
        raise CircuitError(f"variance of {observables!r}, expected Pauli sums")
    squares = tuple(observable @ observable for observable in outputs)
    values = expectation(circuit, outputs + squares, inputs, weights, engine=engine)
    means, means_of_squares = np.split(values, 2, axis=-1)
    return np.maximum(means_of_squares - means**2, 0)


def state(circuit: Circuit, inputs: Any = None, weights: Any = None, *, engine: Engine | None = None) -> np.ndarray:
    """Final states: complex64 for float32 angles, complex128 for float64.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, 2^n), or (2^n,) without a batch dimension.
    """
    batch = make_batch(circuit, inputs, weights)
    return batch.unbatched(_engine(engine).state(circuit, batch))


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
    return batch.unbatched(_engine(engine).prepare(circuit, outputs).values(batch))


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
    drawn = _draw(circuit, shots, inputs, weights, qubits, seed, engine)
    bits = _bits(drawn.outcomes, len(drawn.measured))
    return bits[0] if drawn.single else bits


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
    drawn = _draw(circuit, shots, inputs, weights, qubits, seed, engine)
    tables = []
    for row in drawn.outcomes:
        values, times = np.unique(row, return_counts=True)
        tables.append({f"{v:0{len(drawn.measured)}b}": int(t) for v, t in zip(values, times, strict=True)})
    return tables[0] if drawn.single else tables


def _engine(engine: Engine | None) -> Engine:
    if engine is not None and not isinstance(engine, Engine):
        raise CircuitError(f"engine={engine!r}, expected an Engine such as StatevectorEngine()")
    return engine or StatevectorEngine()


@dataclass(frozen=True)
class _Drawn:
    """Outcomes (B, shots) of measured qubits."""

    measured: tuple[int, ...]
    outcomes: np.ndarray
    single: bool


def _draw(
    circuit: Circuit, shots: int, inputs: Any, weights: Any, qubits: Sequence[int] | None, seed: int | None,
    engine: Engine | None,
) -> _Drawn:  # fmt: skip
    shots = checked_shots(shots)
    measured = checked_qubits(circuit, qubits)
    batch = make_batch(circuit, inputs, weights)
    check_memory(batch.size * shots * (24 + len(measured)), f"{batch.size} x {shots} samples of {len(measured)} qubits")
    evaluator = _engine(engine).prepare(circuit, Probabilities(measured))
    outcomes, random = np.empty((batch.size, shots), np.int64), make_generator(seed)
    rows = iter(outcomes)
    for piece in batch.pieces(evaluator.n_outputs):
        for probabilities in evaluator.values(piece):
            _native.draw(probabilities, random.random(shots), next(rows))
    return _Drawn(measured, outcomes, batch.single)


def _bits(outcomes: np.ndarray, n_bits: int) -> np.ndarray:
    """The lowest bits of each outcome (...), highest first: (..., n_bits), uint8."""
    n_bytes = (n_bits + 7) // 8
    leading = (outcomes << (8 * n_bytes - n_bits)).astype(">i8")
    return np.unpackbits(leading[..., None].view(np.uint8)[..., 8 - n_bytes :], axis=-1, count=n_bits)
