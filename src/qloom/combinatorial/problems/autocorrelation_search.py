"""Memetic tabu search for binary sequences of low autocorrelation: many runs side by side, a row of the arrays each.

A run keeps a population. It makes a child of two members, or of one, throws some of its spins over, lets a short tabu
search by single flips improve it, and puts the best sequence of that search in the place of a random member.

Source: Gallardo, Cotta, Fernandez 2009, Applied Soft Computing 9, 1252. Parameters as Gomez Cadavid et al. 2025, arXiv
2511.04553, are reported to have them.
"""

from __future__ import annotations

import numpy as np

from qloom.errors import ProblemError

# A child has two parents with this chance, else one; a parent is the better of two random members.
CROSSED = 0.9
# A tabu search takes from N / 2 to 3 N / 2 steps; a flip is held for 1 / 10 of them, and up to 1 / 50 longer.
LEAST, MOST = 0.5, 1.5
HELD, LONGER = 10, 50


def energies(spins: np.ndarray) -> np.ndarray:
    """Sums over k from 1 to N - 1 of C_k^2. Shapes: spins (..., N), of -1 and 1 -> int64 (...)."""
    waves = _waves(spins)
    lags = np.rint(np.fft.irfft(np.abs(waves) ** 2))[..., 1 : spins.shape[-1]]
    return (lags**2).sum(axis=-1).astype(np.int64)


def flip_changes(spins: np.ndarray) -> np.ndarray:
    """What each flip adds to the energy. Shapes: spins (..., N) -> float64 (..., N).

    A flip of s_i takes 2 s_i a_k off C_k, where a_k = s_{i-k} + s_{i+k} and spins beyond the ends are 0: it adds
    4 sum_k (a_k^2 - s_i C_k a_k). Sums of C_k a_k are a convolution of C and s, those of a_k^2 one of s with itself.
    """
    n, waves = spins.shape[-1], _waves(spins)
    crossed = np.fft.irfft((np.abs(waves) ** 2 - n) * waves)[..., :n]
    mirrored = np.fft.irfft(waves**2)[..., : 2 * n : 2]
    return 4 * np.rint(n - 2 + mirrored - spins * crossed)


def _waves(spins: np.ndarray) -> np.ndarray:
    """The Fourier transform, of spins and as many zeros that sequences do not meet round the end."""
    return np.fft.rfft(spins, 1 << (2 * spins.shape[-1] - 1).bit_length())


class SequenceSearches:
    """Memetic tabu searches side by side.

    Args:
        populations: to start from, (R, K, N) of -1 and 1.
        random: draws for all runs; a run's course depends on those beside it.

    Attributes:
        best, lowest: of each run, int8 (R, N) and int64 (R,).
        evaluations: energies that each run had asked for when it found its best, int64 (R,): those of the members up to
            it, then N a step of tabu search, and the child's.
        going: numbers of the runs that have not ended.

    Raises:
        ProblemError: for populations of another shape or with other numbers.
    """

    def __init__(self, populations: np.ndarray, random: np.random.Generator):
        populations = np.array(populations, np.int8)
        if populations.ndim != 3 or not populations.size or (np.abs(populations) != 1).any():
            raise ProblemError(f"populations has shape {populations.shape}, expected (R, K, N) of -1 and 1")
        n_runs, size, n = populations.shape
        self.populations, self.random = populations, random
        self._levels = energies(populations)
        first = self._levels.argmin(axis=1)
        self.going = np.arange(n_runs)
        self.best, self.lowest = populations[self.going, first], self._levels[self.going, first]
        self.evaluations, self._asked = first + 1, np.full(n_runs, size)
        self._spins, self._energy = np.empty((n_runs, n)), np.empty(n_runs)
        self._child, self._child_energy = np.empty((n_runs, n), np.int8), np.empty(n_runs, np.int64)
        self._left, self._tenure, self._extra = (np.empty(n_runs, np.int64) for _ in range(3))
        self._held = np.empty((n_runs, n), np.int64)
        self._breed(self.going)

    def run(self, target: float, most: int) -> None:
        """Until each has found the target or asked for so many energies."""
        while True:
            self.going = self.going[(self.lowest[self.going] > target) & (self._asked[self.going] < most)]
            if not len(self.going):
                return
            self.step()

    def step(self) -> None:
        """A flip of each run that is going: the best that is not held, or that leads below all of its tabu search."""
        going = self.going
        spins, held = self._spins[going], self._held[going]
        after = self._energy[going, None] + flip_changes(spins)
        free = (held >= self._left[going, None]) | (after < self._child_energy[going, None])
        # Energies are whole numbers, so what is added only decides between equal ones.
        flips = np.where(free, after + 0.5 * self.random.random(after.shape), np.inf).argmin(axis=1)
        rows = np.arange(len(going))
        spins[rows, flips] *= -1
        self._spins[going], self._energy[going] = spins, after[rows, flips]
        self._asked[going] += spins.shape[1]
        self._left[going] -= 1
        # Held until so few steps are left.
        kept = self._tenure[going] + self.random.integers(0, self._extra[going] + 1)
        self._held[going, flips] = self._left[going] - kept
        self._note(going)
        ended = going[self._left[going] == 0]
        if len(ended):
            self._replace(ended)
            self._breed(ended)

    def _note(self, rows: np.ndarray) -> None:
        """Sequences that are the best of their tabu search, or of their run."""
        rows = rows[self._energy[rows] < self._child_energy[rows]]
        self._child[rows], self._child_energy[rows] = self._spins[rows], self._energy[rows]
        rows = rows[self._energy[rows] < self.lowest[rows]]
        self.best[rows], self.lowest[rows] = self._spins[rows], self._energy[rows]
        self.evaluations[rows] = self._asked[rows]

    def _replace(self, rows: np.ndarray) -> None:
        """A random member, by the best of the tabu search."""
        members = self.random.integers(0, self.populations.shape[1], len(rows))
        self.populations[rows, members], self._levels[rows, members] = self._child[rows], self._child_energy[rows]

    def _breed(self, rows: np.ndarray) -> None:
        """A child, and a tabu search that begins from it."""
        random, shape = self.random, (len(rows), self.populations.shape[2])
        from_second = (random.random(shape) < 0.5) & (random.random((len(rows), 1)) < CROSSED)
        child = np.where(from_second, self._parents(rows), self._parents(rows))
        self._spins[rows] = np.where(random.random(shape) < 1 / shape[1], -child, child)
        self._energy[rows] = energies(self._spins[rows])
        self._asked[rows] += 1
        self._child_energy[rows] = np.iinfo(np.int64).max
        self._note(rows)
        steps = random.integers(int(np.ceil(LEAST * shape[1])), int(MOST * shape[1]) + 1, len(rows))
        self._left[rows], self._tenure[rows], self._extra[rows] = steps, steps // HELD, steps // LONGER
        self._held[rows] = steps[:, None]

    def _parents(self, rows: np.ndarray) -> np.ndarray:
        """The better of two random members each, (len(rows), N)."""
        pair = self.random.integers(0, self.populations.shape[1], (2, len(rows)))
        first, second = self._levels[rows, pair]
        return self.populations[rows, np.where(first <= second, *pair)]
