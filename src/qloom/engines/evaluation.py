"""Evaluation in one call: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine, check_engine
from qloom.engines.batch import check_memory, make_batch
from qloom.engines.density import DensityEngine
from qloom.engines.measuring.shots import Shots, checked_shots
from qloom.engines.noisy import with_noise
from qloom.engines.outcomes import bit_counts, counted
from qloom.engines.outputs import Expectations, Probabilities, as_expectations, checked_qubits, refuse_numbers
from qloom.engines.statevector import StatevectorEngine
from qloom.engines.streams import Stream
from qloom.noise.model import NoiseModel


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
        seed: of the measurements; None for fresh entropy.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, O), or (O,) without a batch dimension.

    Raises:
        CircuitError: for observables that the circuit does not have, or numbers in their place.
        ShapeError: for inputs or weights that do not fit the circuit.
        UnsupportedError: for gates that the engine does not run.
    """
    refuse_numbers(observables)
    batch = make_batch(circuit, inputs, weights)
    evaluator = checked_engine(engine, shots, seed).prepare(circuit, observables)
    return batch.unbatched(evaluator.values(batch))


def variance(
    circuit: Circuit,
    observables: Any = None,
    inputs: Any = None,
    weights: Any = None,
    *,
    engine: Engine | None = None,
) -> np.ndarray:
    """Variances <O^2> - <O>^2 of observables.

    Args:
        circuit: the circuit.
        observables: a Pauli sum or several; None for Z on every qubit.
        engine: StatevectorEngine() by default. Variances are exact where its values are.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, O), or (O,) without a batch dimension.

    Raises:
        CircuitError: for observables that the circuit does not have, or other outputs.
        ShapeError: for inputs or weights that do not fit the circuit.
        UnsupportedError: for gates that the engine does not run.
    """
    sums = as_expectations(circuit, observables, "variance").observables
    squares = tuple(observable @ observable for observable in sums)
    values = expectation(circuit, Expectations(sums + squares), inputs, weights, engine=engine)
    means, means_of_squares = np.split(values, 2, axis=-1)
    return np.maximum(means_of_squares - means**2, 0)


def state(circuit: Circuit, inputs: Any = None, weights: Any = None, *, engine: Engine | None = None) -> np.ndarray:
    """Final states: complex64 for float32 angles, complex128 for float64.

    The first qubit is the most significant bit of an amplitude's number.

    Args:
        circuit: of unitary gates.
        engine: StatevectorEngine() by default.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, 2^n), or (2^n,) without a batch dimension.

    Raises:
        ShapeError: for inputs or weights that do not fit the circuit.
        UnsupportedError: for gates that are not unitary, or an engine that gives no states.
        MemoryLimitError: for states that do not fit in memory.
    """
    batch = make_batch(circuit, inputs, weights)
    return batch.unbatched(checked_engine(engine).state(circuit, batch))


def probabilities(
    circuit: Circuit,
    inputs: Any = None,
    weights: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    engine: Engine | None = None,
) -> np.ndarray:
    """Probabilities of the outcomes of some qubits, in order of the bit string, the first qubit leftmost.

    Args:
        circuit: the circuit.
        qubits: k of them, in the order of the bits; None for all.
        engine: StatevectorEngine() by default.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, 2^k), or (2^k,) without a batch dimension.

    Raises:
        CircuitError: for qubits that the circuit does not have, or that are named twice.
        ShapeError: for inputs or weights that do not fit the circuit.
        UnsupportedError: for gates that the engine does not run, or an engine that gives no probabilities.
    """
    outputs = Probabilities(checked_qubits(circuit, qubits))
    batch = make_batch(circuit, inputs, weights)
    return batch.unbatched(checked_engine(engine).prepare(circuit, outputs).values(batch))


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

    Args:
        circuit: the circuit.
        shots: measurements of each sample.
        qubits: k of them, in the order of the bits; None for all.
        seed: of the measurements; None for fresh entropy.
        engine: StatevectorEngine() by default.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W) -> (B, shots, k), or (shots, k) without a batch dimension.

    Raises:
        CircuitError: for `shots` below 1, or qubits that the circuit does not have.
        ShapeError: for inputs or weights that do not fit the circuit.
        UnsupportedError: for gates that the engine does not run, or an engine that measures nothing.
        MemoryLimitError: for more bits than fit in memory.
    """
    bits, single = _draw(circuit, shots, inputs, weights, qubits, seed, engine)
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
    """How often each bit string was measured: a dict, or a list of one a sample if there is a batch dimension.

    Of a circuit that measures into classical bits these are their strings, bit 0 leftmost, unless `qubits` are named.

    Args:
        circuit: the circuit.
        shots: measurements of each sample.
        qubits: in the order of the bits; None for all, or for the classical bits where there are some.
        seed: of the measurements; None for fresh entropy.
        engine: StatevectorEngine() by default.

    Shapes: inputs (B, I) or (I,), weights (W,) or (B, W).

    Raises:
        CircuitError: for `shots` below 1, or qubits that the circuit does not have.
        ShapeError: for inputs or weights that do not fit the circuit.
        UnsupportedError: for gates that the engine does not run.
        MemoryLimitError: for more bits than fit in memory.
    """
    if isinstance(circuit, Circuit) and circuit.n_bits and qubits is None:
        batch = make_batch(circuit, inputs, weights)
        found = bit_counts(circuit, shots, batch, seed, engine)
        return found[0] if batch.single else found
    bits, single = _draw(circuit, shots, inputs, weights, qubits, seed, engine)
    tables = [counted(row) for row in bits]
    return tables[0] if single else tables


def checked_engine(
    engine: Engine | None, shots: int | None = None, seed: int | None = None, noise: NoiseModel | None = None
) -> Engine:
    """An engine; for None StatevectorEngine(), with noise DensityEngine(). CircuitError for anything else.

    With `noise` circuits are the model's noisy ones, on the device where it is one's; with `shots` they are measured.
    """
    if engine is not None:
        check_engine(engine)
    if noise is not None:
        engine = with_noise(engine or DensityEngine(), noise)
    engine = engine or StatevectorEngine()
    return engine if shots is None else Shots(engine, shots, seed)


def _draw(
    circuit: Circuit, shots: int, inputs: Any, weights: Any, qubits: Sequence[int] | None, seed: int | None,
    engine: Engine | None,
) -> tuple[np.ndarray, bool]:  # fmt: skip
    """Bits (B, shots, k), and whether the caller gave no batch dimension."""
    shots = checked_shots(shots)
    measured = checked_qubits(circuit, qubits)
    batch = make_batch(circuit, inputs, weights)
    check_memory(batch.size * shots * (24 + len(measured)), f"{batch.size} x {shots} samples of {len(measured)} qubits")
    return checked_engine(engine).sampler(circuit, measured).draw(batch, shots, Stream(seed)), batch.single
