"""Variational search: an ansatz that knows nothing of the cost, its weights descended on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from qloom.ansatze import hardware_efficient
from qloom.checks import whole
from qloom.circuits import Circuit
from qloom.combinatorial.qaoa.cost import Polynomial
from qloom.combinatorial.qaoa.landscape import CircuitLandscape, check_width
from qloom.combinatorial.qaoa.objectives import CVaR, Objective
from qloom.combinatorial.qaoa.search import CircuitSearch


class VariationalSearch(CircuitSearch):
    """States of an ansatz, by default layers of RY and CZ, which are all real. At most 26 variables.

    Args:
        n_layers: of the default ansatz, at least 1.
        ansatz: n -> a circuit on n qubits without inputs; None for the default.
        objective: None for `CVaR(0.1)`.
        shots: states a round.
        n_starts: descents side by side, from random weights.
        n_steps: of each descent, at most.
        dtype: of the simulation, float64 or float32.
        threads: None for all processors; results do not depend on them.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Nannicini 2019, Physical Review E 99, 013304; Barkoutsos et al. 2020, Quantum 4, 256.
    """

    def __init__(
        self, n_layers: int = 2, ansatz: Callable[[int], Circuit] | None = None, objective: Objective | None = None,
        shots: int = 1024, n_starts: int = 4, n_steps: int = 100, dtype: Any = np.float64,
        threads: int | None = None,
    ):  # fmt: skip
        super().__init__(objective or CVaR(), shots, n_starts, n_steps, dtype, threads)
        whole(1, n_layers=n_layers)
        self.ansatz = ansatz or (lambda n: _real_layers(n, n_layers))

    def landscape(self, cost: Polynomial) -> CircuitLandscape:
        check_width(cost.n)
        return CircuitLandscape(self.ansatz(cost.n), cost, self.objective, self.dtype, self.threads)

    def starts(
        self, cost: Polynomial, n_angles: int, fresh: bool, random: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        return random.uniform(-np.pi, np.pi, (self.n_starts, n_angles)), 0


def _real_layers(n: int, n_layers: int) -> Circuit:
    """RY on every qubit after each layer of CZ too, so that the last CZ are not in vain."""
    layers = hardware_efficient(n, n_layers, ("ry",), "linear", "cz")
    return layers + hardware_efficient(n, 1, ("ry",), "none")
