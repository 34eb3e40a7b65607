"""Parallel tempering: replicas at a ladder of temperatures that exchange places.

Source: Hukushima, Nemoto 1996, Journal of the Physical Society of Japan 65, 1604. The ladder: Syed, Bouchard-Cote,
Deligiannidis, Doucet 2022, Journal of the Royal Statistical Society B 84, 321, eq. (22): rejections between neighbours
are made alike.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qloom import _searches
from qloom.checks import positive, whole
from qloom.combinatorial.deadline import left
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, random_seeds, random_states, temperatures

# Rounds after which the ladder stays as it is.
ADAPTED = 8


class ParallelTempering(Solver):
    """Ladders side by side, natively; a round gives the lowest state that each passed, after a descent.

    Args:
        n_temperatures: replicas of a ladder, at least 2; None for half the root of N, at least 8.
        n_ladders: each of its own.
        n_exchanges: of neighbours, a round.
        n_sweeps: over all variables between two exchanges.
        hot, cold: ends of the ladder in units of the energy; None picks them by the couplings.
        threads: None for all processors.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Hukushima, Nemoto 1996, Journal of the Physical Society of Japan 65, 1604; the ladder: Syed, Bouchard-Cote,
    Deligiannidis, Doucet 2022, Journal of the Royal Statistical Society B 84, 321.
    """

    def __init__(
        self, n_temperatures: int | None = None, n_ladders: int = 4, n_exchanges: int = 50, n_sweeps: int = 2,
        hot: float | None = None, cold: float | None = None, threads: int | None = None,
    ):  # fmt: skip
        super().__init__(threads)
        whole(2, or_none=True, n_temperatures=n_temperatures)
        whole(1, n_ladders=n_ladders, n_exchanges=n_exchanges, n_sweeps=n_sweeps)
        positive(or_none=True, hot=hot, cold=cold)
        self.n_temperatures, self.n_ladders, self.n_exchanges = n_temperatures, n_ladders, n_exchanges
        self.n_sweeps, self.hot, self.cold = n_sweeps, hot, cold

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        hot, cold = temperatures(spins)
        count = self.n_temperatures or max(8, round(spins.n**0.5 / 2))
        betas = 1 / np.geomspace(self.hot or hot, self.cold or cold, count)
        replicas = random_states(self.n_ladders * len(betas), spins.n, random)
        energies, accepted = np.empty(len(replicas)), np.zeros(len(betas) - 1, np.int64)
        # Every other exchange is of the even places.
        tried = self.n_ladders * np.array([(self.n_exchanges + 1) // 2, self.n_exchanges // 2])
        round_ = 0
        while True:
            best, lowest = np.empty((self.n_ladders, spins.n), np.int8), np.empty(self.n_ladders)
            seeds = random_seeds(self.n_ladders, random)
            _searches.temper(*spins.couplings, spins.linear, betas, self.n_sweeps, self.n_exchanges, seeds, replicas,
                           energies, best, lowest, accepted, self.n_threads, left())  # fmt: skip
            yield best, lowest + spins.constant
            if (round_ := round_ + 1) <= ADAPTED:
                tries = np.maximum(np.resize(tried, len(accepted)), 1)
                betas = respaced(betas, 1 - accepted / tries)


def respaced(betas: np.ndarray, rejected: np.ndarray) -> np.ndarray:
    """The ladder on which rejections would be alike, by linear interpolation of their sum. (K,), (K - 1,) -> (K,)"""
    # An even part keeps apart those that always change places.
    sums = np.append(0.0, np.cumsum(rejected + 0.02))
    return np.interp(np.linspace(0, sums[-1], len(betas)), sums, betas)
