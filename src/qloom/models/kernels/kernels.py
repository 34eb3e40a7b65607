"""Quantum kernels: matrices of similarities of samples, from one state a sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from qloom.circuits import Circuit
from qloom.circuits.composition import connected_qubits
from qloom.engines import Batch, Engine, make_batch
from qloom.engines.batch import check_memory
from qloom.engines.evaluation import checked_engine
from qloom.errors import ShapeError
from qloom.observables import PauliSum, X, Y, Z

KERNELS = ("fidelity", "projected")

# States of this many bytes are held at once on either side of a product.
MOST_BYTES = 1 << 28


def fidelity_kernel(
    circuit: Circuit, x: Any, y: Any = None, weights: Any = None, *, engine: Engine | None = None
) -> np.ndarray:
    """|<phi(x_i)|phi(y_j)>|^2 from N states, not N^2 circuits.

    Qubits that no gate connects are taken apart: the kernel is the product of their kernels. Where the states of all
    samples take much memory, those of blocks of samples are made again for each pair of blocks.

    Args:
        circuit: makes phi(x) from inputs x.
        x, y: inputs of samples; y is x if None, and then the matrix is symmetric with a diagonal of exactly 1.
        weights: of the circuit, if it has any.
        engine: one that gives states; StatevectorEngine() by default.

    Shapes: x (N, I), y (M, I), weights (W,) -> (N, M) or (N, N), of the inputs' dtype.

    Raises:
        ShapeError: for arrays that do not fit; one row is (1, I).
        UnsupportedError: for an engine without states.
        MemoryLimitError: for a matrix that does not fit in memory.

    Source: Havlicek et al. 2019, Nature 567, 209.
    """
    engine = checked_engine(engine)
    rows = _samples(circuit, x, weights)
    columns = None if y is None else _samples(circuit, y, weights)
    n_columns = rows.size if columns is None else columns.size
    check_memory(2 * rows.dtype.itemsize * rows.size * n_columns, f"kernel of {rows.size} x {n_columns} samples")
    out = np.ones((rows.size, n_columns), rows.dtype)
    for part in circuit.components():
        _multiply_fidelities(out, engine, part, rows, columns)
    if columns is None:
        np.fill_diagonal(out, 1)
    return out


def projected_features(
    circuit: Circuit, x: Any, weights: Any = None, *, observables: Any = None, engine: Engine | None = None
) -> np.ndarray:
    """Expectation values that a projected kernel compares: X, Y and Z of every qubit by default.

    By default qubits that no gate connects are taken apart.

    Args:
        circuit: makes the states from inputs x.
        x: inputs of samples.
        weights: of the circuit, if it has any.
        observables: Pauli sums instead of X, Y and Z.
        engine: StatevectorEngine() by default.

    Shapes: x (N, I) -> (N, O); by default O = 3 n in the order X_0, Y_0, Z_0, X_1, ...

    Raises:
        ShapeError: for arrays that do not fit; one row is (1, I).
    """
    engine, batch = checked_engine(engine), _samples(circuit, x, weights)
    if observables is not None:
        return engine.prepare(circuit, observables).values(batch)
    out = np.empty((batch.size, circuit.n_qubits, 3), batch.dtype)
    for part, qubits in zip(circuit.components(), connected_qubits(circuit), strict=True):
        values = engine.prepare(part, projected_words(part.n_qubits)).values(batch)
        out[:, qubits] = values.reshape(batch.size, len(qubits), 3)
    return out.reshape(batch.size, 3 * circuit.n_qubits)


def projected_words(n_qubits: int) -> list[PauliSum]:
    """X_0, Y_0, Z_0, X_1, ..."""
    return [letter(qubit) for qubit in range(n_qubits) for letter in (X, Y, Z)]


def projected_kernel(
    circuit: Circuit, x: Any, y: Any = None, weights: Any = None, *, gamma: float = 1.0, observables: Any = None,
    engine: Engine | None = None,
) -> np.ndarray:  # fmt: skip
    """exp(-gamma |f(x_i) - f(y_j)|^2) of expectation values f, `projected_features`.

    Args:
        circuit: makes the states from inputs x.
        x, y: inputs of samples; y is x if None.
        weights: of the circuit, if it has any.
        gamma: above 0.
        observables, engine: as of `projected_features`.

    Shapes: x (N, I), y (M, I), weights (W,) -> (N, M) or (N, N).

    Raises:
        ShapeError: for arrays that do not fit; one row is (1, I).

    Source: Huang et al. 2021, Nature Communications 12, 2631.
    """
    from sklearn.metrics.pairwise import rbf_kernel

    values, others = (
        None
        if samples is None
        else projected_features(circuit, samples, weights, observables=observables, engine=engine)
        for samples in (x, y)
    )
    assert values is not None
    shape = (len(values), len(values if others is None else others))
    if 0 in shape:
        return np.ones(shape, values.dtype)
    return rbf_kernel(values, others, gamma=gamma)


def _samples(circuit: Circuit, x: Any, weights: Any) -> Batch:
    batch = make_batch(circuit, x, weights)
    if batch.single or batch.weights.ndim == 2:
        raise ShapeError(
            f"inputs has shape {np.shape(x)} and weights {np.shape(weights)}, expected (N, {circuit.n_inputs}) and "
            f"({circuit.n_weights},); one row is (1, {circuit.n_inputs})"
        )
    return batch


def _multiply_fidelities(out: np.ndarray, engine: Engine, circuit: Circuit, rows: Batch, columns: Batch | None) -> None:
    """Multiply by the fidelities of a circuit's states, of rows with columns, or with themselves for None."""
    for here, states in _blocks(engine, circuit, rows):
        if columns is not None:
            for there, others in _blocks(engine, circuit, columns):
                out[here, there] *= _fidelities(states, others)
            continue
        square = _fidelities(states, states)
        out[here, here] *= (square + square.T) / 2  # a product of matrices is symmetric but for rounding
        for there, others in _blocks(engine, circuit, rows, start=here.stop):
            block = _fidelities(states, others)
            out[here, there] *= block
            out[there, here] *= block.T


def _blocks(engine: Engine, circuit: Circuit, batch: Batch, start: int = 0) -> Iterator[tuple[slice, np.ndarray]]:
    """States of as many samples as may be held at once, with where they are."""
    step = max(1, MOST_BYTES // (2 * batch.dtype.itemsize * 2**circuit.n_qubits))
    for first in range(start, batch.size, step):
        here = slice(first, min(first + step, batch.size))
        yield here, engine.state(circuit, Batch(batch.inputs[here], batch.weights, single=False))


def _fidelities(states: np.ndarray, others: np.ndarray) -> np.ndarray:
    overlaps = states @ others.conj().T
    return overlaps.real**2 + overlaps.imag**2
