"""Memetic searches: good states are crossed and improved again, by annealing from a low temperature or by tabu search.

What two parents agree on is kept, the rest is thrown anew; improving repairs the seams. A population that has grown
alike starts again.

Source: Wu, Hao 2012, Computers and Operations Research 39, 2145 (with tabu search).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from qloom.checks import whole
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, random_seeds, random_states, schedule, temperatures
from qloom.combinatorial.solvers.tabu import search_tabu

# Rounds without a better child after which a population starts again; crossed states are annealed from REHEATED times
# the first temperature.
PATIENCE, REHEATED = 25, 0.35

# States are written over by better ones; their energies come back.
Improver = Callable[[np.ndarray], np.ndarray]


class MemeticAnnealing(Solver):
    """A population of annealed states that is crossed, natively annealed, round by round.

    Args:
        n_sweeps: over all variables: of a first state; crossed ones take half as many.
        population: states, at least 4.
        n_children: crossed at once.
        threads: None for all processors.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Wu, Hao 2012, Computers and Operations Research 39, 2145 (with tabu search).
    """

    def __init__(
        self, n_sweeps: int = 2000, population: int = 24, n_children: int = 8, threads: int | None = None
    ):  # fmt: skip
        super().__init__(threads)
        whole(2, n_sweeps=n_sweeps)
        whole(4, population=population)
        whole(1, n_children=n_children)
        self.n_sweeps, self.population, self.n_children = n_sweeps, population, n_children

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        hot, cold = temperatures(spins)
        first, again = schedule(hot, cold, self.n_sweeps), schedule(REHEATED * hot, cold, self.n_sweeps // 2)

        def annealed(betas: np.ndarray) -> Improver:
            return lambda states: self._anneal(spins, states, betas, random_seeds(len(states), random))

        return evolve(spins.n, self.population, self.n_children, annealed(first), annealed(again), random)


class MemeticTabu(Solver):
    """A population of states found by tabu search that is crossed, natively searched, round by round.

    Args:
        patience: flips without a better state that end a search; None for 20 N.
        population: states, at least 4.
        n_children: crossed at once.
        threads: None for all processors.

    Raises:
        ProblemError: for numbers that cannot be.

    Source: Wu, Hao 2012, Computers and Operations Research 39, 2145.
    """

    def __init__(
        self, patience: int | None = None, population: int = 16, n_children: int = 8, threads: int | None = None
    ):
        super().__init__(threads)
        whole(1, or_none=True, patience=patience)
        whole(4, population=population)
        whole(1, n_children=n_children)
        self.patience, self.population, self.n_children = patience, population, n_children

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        def searched(states: np.ndarray) -> np.ndarray:
            return search_tabu(self, spins, states, random, self.patience)

        return evolve(spins.n, self.population, self.n_children, searched, searched, random)


def evolve(
    n: int, size: int, n_children: int, first: Improver, again: Improver, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rounds without end: of random states by `first` until a population is whole, then of crossed ones by `again`."""
    while True:
        population = Population(n)
        for begin in range(0, size, n_children):
            states = random_states(min(n_children, size - begin), n, random)
            energies = first(states)
            population.grow(states, energies)
            yield states, energies
        idle = 0
        while idle < PATIENCE:
            states = population.crossed(n_children, random)
            energies = again(states)
            idle = 0 if population.take(states, energies) else idle + 1
            yield states, energies


class Population:
    """States and their energies, all different; s and -s count as two."""

    def __init__(self, n: int):
        self.states, self.energies = np.empty((0, n), np.int8), np.empty(0)

    def grow(self, states: np.ndarray, energies: np.ndarray) -> None:
        """Take states in, however good."""
        self.states = np.concatenate([self.states, states])
        self.energies = np.concatenate([self.energies, energies])

    def crossed(self, n_children: int, random: np.random.Generator) -> np.ndarray:
        """Of two parents each; of a parent and its partner's opposite where they agree in less than half."""
        pairs = np.array([random.choice(len(self.states), 2, replace=False) for _ in range(n_children)])
        mine, other = self.states[pairs[:, 0]], self.states[pairs[:, 1]].copy()
        agreement = (mine.astype(np.int32) * other).sum(axis=1)
        other[agreement < 0] *= -1
        return np.where(mine == other, mine, random_states(len(mine), mine.shape[1], random))

    def take(self, states: np.ndarray, energies: np.ndarray) -> bool:
        """Put children in the place of worse states, near copies in that of what they resemble; whether one was."""
        taken = False
        for state, energy in zip(states, energies, strict=True):
            distance = self.states.shape[1] - np.abs((self.states.astype(np.int32) * state).sum(axis=1))
            near = int(distance.argmin())
            place = near if distance[near] <= 4 else int(self.energies.argmax())
            if energy < self.energies[place]:
                self.states[place], self.energies[place], taken = state, energy, True
        return taken
