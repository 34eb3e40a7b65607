"""First weights from something already known: a smaller circuit, or the best Clifford circuit."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.circuits import Circuit
from qloom.engines import Engine, expectation
from qloom.errors import CircuitError, ShapeError
from qloom.observables import PauliSum
from qloom.trainability.restriction import used_slots


def extended_weights(circuit: Circuit, n_qubits: int, weights: Any, others: float = 0.0) -> np.ndarray:
    """Weights of a circuit from those of its restriction to the first qubits, for a start from a smaller problem.

    Args:
        circuit: the wider one.
        n_qubits: of the narrower one, `restricted(circuit, n_qubits)`.
        weights: of that.
        others: for the weights that it has not.

    Shapes: weights of the narrower circuit -> (W,) of the wider one.

    Raises:
        ShapeError: for other numbers of weights than the narrower circuit has.
    """
    places, weights = sorted(used_slots(circuit, n_qubits)["weight"]), np.asarray(weights, float).ravel()
    if len(weights) != len(places):
        raise ShapeError(f"weights has {weights.size} numbers, expected {len(places)} of the first {n_qubits} qubits")
    out = np.full(circuit.n_weights, others)
    out[places] = weights
    return out


def clifford_start(
    circuit: Circuit, observable: PauliSum, n_sweeps: int = 3, seed: int = 0, *, engine: Engine | None = None
) -> np.ndarray:
    """Weights of 0, 1, 2 or 3 times pi / 2 at which an observable is low: circuits that computers simulate easily.

    Angle by angle the best of the four is taken, from random ones on, until a sweep changes nothing.

    Args:
        circuit: without inputs.
        observable: to be low.
        n_sweeps: at most, over all weights.
        seed: of the first choice.
        engine: StatevectorEngine() by default.

    Shapes: (W,).

    Raises:
        CircuitError: for a circuit with inputs, or without weights.

    Source: Ravi et al. 2022, arXiv 2202.12924 (CAFQA), searched coordinate by coordinate.
    """
    if circuit.n_inputs or not circuit.n_weights:
        raise CircuitError(f"{circuit!r}, expected a circuit with weights and without inputs")
    weights = np.random.default_rng(seed).integers(4, size=circuit.n_weights) * np.pi / 2
    for _ in range(n_sweeps):
        before = weights.copy()
        for index in range(circuit.n_weights):
            tried = np.repeat(weights[None], 4, axis=0)
            tried[:, index] = np.arange(4) * np.pi / 2
            values = expectation(circuit, observable, None, tried, engine=engine)[:, 0]
            here = round(weights[index] * 2 / np.pi)
            if values.min() < values[here] - 1e-9:
                weights = tried[values.argmin()]
        if np.array_equal(weights, before):
            break
    return weights
