"""Landscapes: an objective as a function of the angles, with its gradient, and the states that are measured there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np

from qloom.checks import finite, float_type, whole
from qloom.circuits import Circuit
from qloom.combinatorial.qaoa.cost import Polynomial
from qloom.combinatorial.qaoa.objectives import Mean, Objective
from qloom.engines import StatevectorEngine, make_batch, sample
from qloom.engines.batch import check_memory
from qloom.errors import ProblemError

MOST_QUBITS = 26
# Angles that differ from sample to sample make no table of a diagonal. Registers up to this many qubits are quicker all
# the same with the samples as lanes of vectors.
MOST_QUBITS_IN_LANES = 13


def check_width(n: int) -> None:
    """Refuse registers too wide for state vectors."""
    if n > MOST_QUBITS:
        raise ProblemError(
            f"{n} variables, expected at most {MOST_QUBITS} for state vectors; annealing, bifurcation, "
            "Pauli-correlation encoding and the light cone fit wider ones"
        )


def as_points(angles: Any, n_angles: int) -> np.ndarray:
    """Angles as float64 (B, W).

    Raises:
        ProblemError: for another shape, NaN or infinity.
    """
    points = finite("angles", angles)
    if points.ndim != 2 or points.shape[1] != n_angles:
        raise ProblemError(f"angles has shape {points.shape}, expected (B, {n_angles})")
    return points


class Landscape(ABC):
    """Of W angles.

    Attributes:
        n_angles: W.
        offset: the constant's part of the objective. Beside a large one differences would be lost.
    """

    n_angles: int
    offset: float

    def __call__(self, angles: Any) -> tuple[np.ndarray, np.ndarray]:
        """The objective and its gradient. Shapes: angles (B, W) -> (B,), (B, W).

        Raises:
            ProblemError: for angles of another shape, or that are not finite.
        """
        values, gradients = self.centred(as_points(angles, self.n_angles))
        return values + self.offset, gradients

    def sample(self, angles: Any, shots: int, random: np.random.Generator) -> np.ndarray:
        """Measured states of -1 and 1. Shapes: angles (W,) -> int8 (shots, N).

        Raises:
            ProblemError: for angles of another shape, or that are not finite, or no shots.
        """
        whole(1, shots=shots)
        return self._measured(as_points(np.asarray(angles)[None], self.n_angles)[0], shots, random)

    @abstractmethod
    def centred(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The objective less its offset, and its gradient. Shapes: angles float64 (B, W) -> (B,), (B, W)."""

    @abstractmethod
    def _measured(self, angles: np.ndarray, shots: int, random: np.random.Generator) -> np.ndarray:
        """States of -1 and 1. Shapes: angles float64 (W,) -> int8 (shots, N)."""


class CircuitLandscape(Landscape):
    """Of the weights of a circuit, natively.

    Args:
        circuit: without inputs.
        cost: of as many spins as the circuit has qubits.
        objective: the mean is measured word by word, another one from the probabilities of all basis states.
        dtype: of the simulation, float64 or float32.
        threads: None for all processors; results do not depend on them.

    Raises:
        ProblemError: for a circuit with inputs, or of other numbers of qubits than the cost has spins.
    """

    def __init__(
        self, circuit: Circuit, cost: Polynomial, objective: Objective | None = None, dtype: Any = np.float64,
        threads: int | None = None,
    ):  # fmt: skip
        check_width(cost.n)
        if circuit.n_qubits != cost.n or circuit.n_inputs:
            raise ProblemError(
                f"a circuit of {circuit.n_qubits} qubits and {circuit.n_inputs} inputs, expected {cost.n} qubits, as "
                "many as the cost has spins, and no inputs"
            )
        self.circuit, self.n_angles, self.dtype = circuit, circuit.n_weights, float_type(dtype)
        self.engine, objective = StatevectorEngine(threads), objective or Mean()
        self.offset, cost = objective.offset(cost.constant), replace(cost, constant=0.0)
        by_words = isinstance(objective, Mean)
        numbers = 2 ** (cost.n + 2) if by_words else 2 ** (cost.n + 3)
        check_memory(numbers * self.dtype.itemsize, f"QAOA of {cost.n} qubits in {self.dtype}")
        self._weigh = objective.on(np.ones(1) if by_words else cost.diagonal())
        observables = [cost.observable()] if by_words else "probabilities"
        self._evaluator = self.engine.prepare_adjoint(circuit, observables)

    def centred(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        walks = map(self._walk, [angles] if self.circuit.n_qubits <= MOST_QUBITS_IN_LANES else angles)
        values, gradients = zip(*walks, strict=True)
        return np.concatenate(values), np.vstack(gradients)

    def _walk(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """With angles (B, W), or of one sample (W,)."""
        batch = make_batch(self.circuit, None, angles.astype(self.dtype))
        outputs, kept = self._evaluator.forward(batch, keep=True)
        values, slopes = self._weigh(outputs)
        _, gradients = self._evaluator.backward(batch, slopes, kept, (False, True))
        assert gradients is not None
        return values.astype(np.float64), gradients.astype(np.float64)

    def _measured(self, angles: np.ndarray, shots: int, random: np.random.Generator) -> np.ndarray:
        seed, weights = int(random.integers(2**63)), angles.astype(self.dtype)
        bits = sample(self.circuit, shots, weights=weights, seed=seed, engine=self.engine)
        return 1 - 2 * bits.astype(np.int8)
