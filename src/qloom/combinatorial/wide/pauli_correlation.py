"""Pauli-correlation encoding: many more variables than qubits, each the sign of a correlator.

The state of n qubits has 3 C(n, k) correlators of k qubits. Their means, made steep by a tanh, are the means of
independent spins; the energy of these is descended on.

Source: Sciorilli, Borges, Patti, Garcia-Martin, Camilo, Anandkumar, Aolita 2025, Nature Communications 16, 476.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import comb
from typing import Any

import numpy as np

from qloom.checks import finite, float_type, positive, whole
from qloom.circuits import Circuit
from qloom.circuits.entanglers import entangler_pairs
from qloom.combinatorial.deadline import left
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, temperatures
from qloom.combinatorial.wide.correlators import Correlators
from qloom.engines.batch import check_memory
from qloom.errors import ProblemError

# Some ten states are held at once.
MOST_QUBITS = 24
# Of the default circuit, a variable.
WEIGHTS = 2
# Steps after which signs are read out and descended from.
STRIDE = 10
# Adam's shares of what was: of slopes, and of their squares.
SLOPE, SQUARE = 0.9, 0.99


class PauliCorrelation(Solver):
    """A circuit's weights descended on by Adam; every ten steps the signs of all correlators, brought down by flips.

    Args:
        n_qubits: n; None for the fewest that have a correlator for each variable.
        order: k, qubits a correlator.
        n_layers: of the circuit; None for two weights a variable.
        steepness: of the tanh, in units of 2^(n/2), the inverse spread of a random state's correlators.
        regularization: of the mean square of the spins' means, squared, in units of N times the field a spin feels.
        rate: of Adam, radians a step.
        n_steps: of a descent; then the next one starts, from random weights.
        dtype: of the simulation, float64 or float32.
        threads: None for all processors; results do not depend on them.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Sciorilli, Borges, Patti, Garcia-Martin, Camilo, Anandkumar, Aolita 2025, Nature Communications 16, 476.
    """

    def __init__(
        self, n_qubits: int | None = None, order: int = 5, n_layers: int | None = None, steepness: float = 1.0,
        regularization: float = 0.5, rate: float = 0.03, n_steps: int = 300, dtype: Any = np.float32,
        threads: int | None = None,
    ):  # fmt: skip
        super().__init__(threads)
        whole(1, order=order, n_steps=n_steps)
        whole(1, or_none=True, n_qubits=n_qubits, n_layers=n_layers)
        positive(steepness=steepness, rate=rate)
        if not finite("regularization", regularization) >= 0:
            raise ProblemError(f"{regularization=}, expected a number from 0")
        if not order <= (MOST_QUBITS if n_qubits is None else n_qubits) <= MOST_QUBITS:
            raise ProblemError(f"n_qubits={n_qubits}, order={order}, expected order <= n_qubits <= {MOST_QUBITS}")
        self.n_qubits, self.order, self.n_layers, self.dtype = n_qubits, order, n_layers, float_type(dtype)
        self.steepness, self.regularization, self.rate = steepness, regularization, rate
        self.n_steps = n_steps

    def qubits(self, n_variables: int) -> int:
        """n for so many variables.

        Raises:
            ProblemError: if they have not enough correlators.
        """
        choices = range(self.order, MOST_QUBITS + 1) if self.n_qubits is None else [self.n_qubits]
        fit = [n for n in choices if 3 * comb(n, self.order) >= n_variables]
        if not fit:
            most = 3 * comb(choices[-1], self.order)
            raise ProblemError(
                f"{n_variables} variables, expected at most {most}, the correlators of order {self.order} of "
                f"{choices[-1]} qubits; take more qubits or another order"
            )
        return fit[0]

    def circuit(self, n_variables: int) -> Circuit:
        """Brickwork on `qubits`: a turn of every qubit about X, Y or Z in turn, then XX on every second pair.

        Shapes: weights (W,), layer by layer.
        """
        n = self.qubits(n_variables)
        a_layer = n + (n - 1) / 2
        return brickwork(n, self.n_layers or max(3, round(WEIGHTS * n_variables / a_layer)))

    def loss(self, spins: Quadratic) -> tuple[int, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        """W, and what takes weights (B, W) to losses (B,), their gradients (B, W) and correlators (B, N)."""
        from scipy.sparse import csr_array

        starts, neighbours, values = spins.couplings
        pairs = csr_array((values, neighbours, starts), shape=(spins.n, spins.n))
        circuit, scale = self.circuit(spins.n), self.regularization * spins.n * temperatures(spins)[0]
        check_memory(20 * self.dtype.itemsize * 2**circuit.n_qubits, f"correlators of {circuit.n_qubits} qubits")
        correlators = Correlators(circuit, self.order, spins.n, self.dtype, self.threads)
        alpha = self.steepness * 2 ** (circuit.n_qubits / 2)

        def evaluate(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            found, back = correlators(weights)
            means = np.tanh(alpha * found)
            fields, squares = (pairs @ means.T).T, (means**2).mean(axis=1)
            losses = (means * (fields / 2 + spins.linear)).sum(axis=1) + scale * squares**2 + spins.constant
            slopes = fields + spins.linear + 4 * scale / spins.n * squares[:, None] * means
            return losses, back(slopes * alpha * (1 - means**2)), found

        return circuit.n_weights, evaluate

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        n_weights, evaluate = self.loss(spins)
        while True:
            weights = random.uniform(-np.pi, np.pi, (1, n_weights))
            slope, square = np.zeros_like(weights), np.zeros_like(weights)
            for step in range(1, self.n_steps + 1):
                _, gradients, found = evaluate(weights)
                if step % STRIDE == 0 or step in (1, self.n_steps) or not left():
                    states = np.where(found < 0, -1, 1).astype(np.int8)
                    yield states, self._descend(spins, states)
                slope += (1 - SLOPE) * (gradients - slope)
                square += (1 - SQUARE) * (gradients**2 - square)
                size = np.sqrt(square / (1 - SQUARE**step)) + 1e-12
                weights -= self.rate * slope / (1 - SLOPE**step) / size


def brickwork(n_qubits: int, n_layers: int) -> Circuit:
    """Turns of all qubits about one axis, X, Y and Z layer by layer, and XX rotations, even and odd pairs in turn.

    Args:
        n_qubits: n.
        n_layers: L.

    Shapes: weights (W,), layer by layer.

    Source: Sciorilli et al. 2025, Nature Communications 16, 476, figure 1; XX is the Molmer-Sorensen gate.
    """
    circuit, pairs = Circuit(n_qubits), entangler_pairs("linear", n_qubits)
    for layer in range(n_layers):
        for qubit, angle in enumerate(circuit.weights(n_qubits)):
            circuit.append(("rx", "ry", "rz")[layer % 3], (angle,), (qubit,))
        for pair in pairs[layer % 2 :: 2]:
            circuit.rxx(circuit.weights(1)[0], *pair)
    return circuit
