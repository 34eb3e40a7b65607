"""Simulated annealing: single flips at a temperature that falls, from random states, many at once.

Source: Kirkpatrick, Gelatt, Vecchi 1983, Science 220, 671.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qloom.checks import positive, whole
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, random_seeds, random_states, schedule, temperatures


class SimulatedAnnealing(Solver):
    """Restarts of one length, natively; each ends in a state that no single flip improves.

    Args:
        n_sweeps: over all variables, a restart.
        n_restarts: a round.
        hot, cold: temperatures in units of the energy; None picks them by the couplings.
        threads: None for all processors.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Kirkpatrick, Gelatt, Vecchi 1983, Science 220, 671.
    """

    def __init__(
        self, n_sweeps: int = 1000, n_restarts: int = 16, hot: float | None = None, cold: float | None = None,
        threads: int | None = None,
    ):  # fmt: skip
        super().__init__(threads)
        whole(1, n_sweeps=n_sweeps, n_restarts=n_restarts)
        positive(or_none=True, hot=hot, cold=cold)
        self.n_sweeps, self.n_restarts, self.hot, self.cold = n_sweeps, n_restarts, hot, cold

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        hot, cold = temperatures(spins)
        betas = schedule(self.hot or hot, self.cold or cold, self.n_sweeps)
        while True:
            states = random_states(self.n_restarts, spins.n, random)
            yield states, self._anneal(spins, states, betas, random_seeds(len(states), random))
