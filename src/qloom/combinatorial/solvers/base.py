"""What a solver is: an endless stream of states, out of which the best within a time is taken."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from qloom import _searches
from qloom.checks import duration, generator, whole
from qloom.combinatorial.deadline import left
from qloom.combinatorial.quadratic import Quadratic
from qloom.errors import ProblemError


@dataclass(frozen=True)
class Found:
    """What a search ended with.

    Attributes:
        state: the best one, of the function's kind, int8 (N,).
        energy: its value.
        seconds: that the search took.
        improvements: seconds and value whenever a better one came up, the last the best.
        interrupted: whether Ctrl-C ended it.
    """

    state: np.ndarray
    energy: float
    seconds: float
    improvements: tuple[tuple[float, float], ...]
    interrupted: bool

    def seconds_to(self, energy: float) -> float:
        """Until a value this low was there; infinite if it never was."""
        return next((seconds for seconds, value in self.improvements if value <= energy), inf)


class Solver(ABC):
    """Base of the searches for states of low energy.

    Args:
        threads: None for all processors; results do not depend on them.

    Raises:
        ProblemError: for numbers that cannot be.
    """

    takes: ClassVar[tuple[type, ...]] = (Quadratic,)

    def __init__(self, threads: int | None = None):
        whole(1, or_none=True, threads=threads)
        self.threads = threads

    @property
    def n_threads(self) -> int:
        """That native searches may use."""
        return self.threads or _searches.available_threads()

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"{type(self).__name__}({options})"

    @abstractmethod
    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Without end, states int8 (R, N) of -1 and 1 and their energies (R,).

        Args:
            spins: the function, of spins.
            random: draws whatever is random.
        """

    def minimize(
        self, function: Quadratic, time_limit: float = 10.0, target: float = -inf, seed: int | None = None
    ) -> Found:
        """The best state within a time; a round that is under way is finished, Ctrl-C ends it with the best so far.

        Args:
            function: to minimize.
            time_limit: seconds, above 0.
            target: a value that is low enough to stop at.
            seed: of everything random; None for fresh entropy.

        Raises:
            ProblemError: for a time of zero, a function without variables, or one that the search cannot take.
        """
        time_limit, random = duration(time_limit), generator(seed)
        if not isinstance(function, self.takes):
            names = " or ".join(kind.__name__ for kind in self.takes)
            raise ProblemError(f"function is {type(function).__name__}, expected {names}")
        if not function.n:
            raise ProblemError("the function has no variables, expected at least one")
        start, best, interrupted = time.perf_counter(), np.ones(function.n, np.int8), False
        spins = function.as_spins()
        improvements = [(0.0, float(spins.energies(best)))]
        try:
            for states, energies in self.rounds(spins, random):
                seconds, k = time.perf_counter() - start, int(energies.argmin())
                if energies[k] < improvements[-1][1]:
                    best = states[k].copy()
                    improvements.append((seconds, float(energies[k])))
                if seconds >= time_limit or improvements[-1][1] <= target:
                    break
        except KeyboardInterrupt:
            interrupted = True
        state = best if function.kind == "spin" else ((best + 1) // 2).astype(np.int8)
        energy = float(function.energies(state))
        return Found(state, energy, time.perf_counter() - start, tuple(improvements), interrupted)

    def _anneal(self, spins: Quadratic, states: np.ndarray, betas: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Each row of states through a schedule, written over; their energies."""
        energies = np.empty(len(states))
        _searches.anneal(*spins.couplings, spins.linear, betas, True, seeds, states, energies, self.n_threads, left())
        return energies + spins.constant

    def _descend(self, spins: Quadratic, states: np.ndarray) -> np.ndarray:
        """Each row of states by single flips, written over; their energies."""
        energies = np.empty(len(states))
        _searches.descend(*spins.couplings, spins.linear, False, states, energies, self.n_threads, left())
        return energies + spins.constant


def random_states(n_states: int, n: int, random: np.random.Generator) -> np.ndarray:
    """Of spins, int8 (R, N)."""
    return random.integers(0, 2, (n_states, n), dtype=np.int8) * 2 - 1


def random_seeds(n_seeds: int, random: np.random.Generator) -> np.ndarray:
    """uint64 (R,)."""
    return random.integers(0, 2**63, n_seeds, dtype=np.uint64)


def temperatures(spins: Quadratic) -> tuple[float, float]:
    """Where annealing begins and ends: about the local fields of random states, and a share of the smallest coupling.

    At the first one most flips are taken, at the last one hardly any that raise the energy.
    """
    starts, _, values = spins.couplings
    squares = np.add.reduceat(np.append(values**2, 0.0), starts[:-1]) * (np.diff(starts) > 0) + spins.linear**2
    hot = float(np.sqrt(squares.mean())) or 1.0
    sizes = np.abs(np.concatenate([values, spins.linear]))
    smallest = float(sizes[sizes > 0].min()) if (sizes > 0).any() else hot
    return hot, max(0.4 * smallest, hot / 12)


def schedule(hot: float, cold: float, n_sweeps: int) -> np.ndarray:
    """Inverse temperatures of equal steps in temperature, (n_sweeps,)."""
    return 1 / np.linspace(hot, cold, n_sweeps)
