"""Tabu search: always the best flip that was not made lately, even if it leads up.

Source: Glover, Kochenberger, Alidaee 1998, Management Science 44, 336; iterated as in Palubeckis 2006, Informatica 17,
279.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qloom import _searches
from qloom.checks import whole
from qloom.combinatorial.deadline import left
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, random_seeds, random_states

# A flip is forbidden for TENURE + N / SHARE flips, and up to twice as many.
TENURE, SHARE = 8, 40
# The share of variables that are thrown anew between two searches is drawn between this and 1.
LEAST_THROWN = 0.1
# Of patience, a variable.
FLIPS = 20


class TabuSearch(Solver):
    """Chains side by side, natively: a search, a part of its best state thrown anew, the next search from there.

    A chain goes on from the better of its last two states.

    Args:
        patience: flips without a better state that end a search; None for 20 N.
        n_chains: a round is one search of each.
        tenure: flips for which one that was made is forbidden, and up to twice as many; None picks it by N.
        threads: None for all processors.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Glover, Kochenberger, Alidaee 1998, Management Science 44, 336; iterated as in Palubeckis 2006, Informatica
    17,
    279.
    """

    def __init__(
        self, patience: int | None = None, n_chains: int = 8, tenure: int | None = None, threads: int | None = None
    ):
        super().__init__(threads)
        whole(1, n_chains=n_chains)
        whole(1, or_none=True, patience=patience, tenure=tenure)
        self.patience, self.n_chains, self.tenure = patience, n_chains, tenure

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        kept, lowest = random_states(self.n_chains, spins.n, random), np.full(self.n_chains, np.inf)
        states = kept.copy()
        while True:
            energies = search_tabu(self, spins, states, random, self.patience, self.tenure)
            yield states, energies
            better = energies <= lowest
            kept[better], lowest[better] = states[better], energies[better]
            thrown = random.random(kept.shape) < random.uniform(LEAST_THROWN, 1, (self.n_chains, 1))
            states = np.where(thrown, random_states(self.n_chains, spins.n, random), kept)


def search_tabu(
    solver: Solver, spins: Quadratic, states: np.ndarray, random: np.random.Generator, patience: int | None = None,
    tenure: int | None = None,
) -> np.ndarray:  # fmt: skip
    """From each row of states, which the best ones are written over; their energies."""
    energies, seeds = np.empty(len(states)), random_seeds(len(states), random)
    tenure, patience = tenure or TENURE + spins.n // SHARE, patience or FLIPS * spins.n
    how = tenure, tenure, patience, seeds, states, energies, solver.n_threads
    _searches.tabu(*spins.couplings, spins.linear, *how, left())
    return energies + spins.constant
