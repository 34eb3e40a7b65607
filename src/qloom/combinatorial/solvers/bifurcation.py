"""Simulated bifurcation: oscillators, one a variable, whose place of rest splits in two while they pull at each other.

In steps of length d, with the parameters p_i falling from 1 and the forces c:

    y_i -= d (p_i x_i + c sum_j J_ij z_j),   x_i += d y_i,   x_i beyond -1 or 1 is put back there and y_i to 0,
    p_i -= (1 - A x_i^2) p_i / (steps left),

with z = x, and the signs of x where discrete. With A = 0 all p_i fall in a line to 0. With A > 0 those of oscillators
at a wall fall late, so that they can leave it again; near the A at which the motion becomes chaotic it searches best.

Source: Goto et al. 2021, Science Advances 7, eabe7953 (ballistic, discrete). Goto, Hidaka, Tatsumura 2025,
arXiv:2508.17655, eq. (3)-(5) and (7) (generalized; the equations as others quote them, the strengths A are our own).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np

from qloom import _searches
from qloom.checks import finite, positive, whole
from qloom.combinatorial.deadline import left
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver, random_seeds
from qloom.errors import ProblemError

Mode = Literal["ballistic", "discrete", "generalized"]
# Steps are this share of the longest stable one.
STABLE = {"ballistic": 0.9, "discrete": 0.6, "generalized": 0.9}
# Positions and speeds begin within this.
START = 0.1
# Of small functions, replicas without signs end in the same few states wherever they begin: from the second round on
# forces are changed, mostly by little and by up to this factor, either way.
FACTOR = {"ballistic": 8.0, "discrete": 1.0, "generalized": 8.0}
# The strengths A of a round's replicas, evenly: which one is at the edge of chaos depends on the function.
LEAST_CONTROL, MOST_CONTROL = 0.0, 0.8


class SimulatedBifurcation(Solver):
    """Replicas side by side, natively; each ends in a state that no single flip improves.

    Args:
        mode: "ballistic" (A = 0), "discrete" (A = 0, forces of signs) or "generalized".
        n_steps: of a replica.
        n_restarts: replicas a round; multiples of 32 fill the processor's vectors and two threads.
        control: A of the generalized mode; None spreads the replicas of a round over a range.
        step: d; None takes nearly the longest stable one.
        scale: c; None makes the first oscillators split at the beginning, as if the couplings were random.
            Rounds after the first vary it, but not those of the discrete mode.
        threads: None for all processors.

    Raises:
        ProblemError: for another mode, or numbers that cannot be.

    Source: Goto et al. 2021, Science Advances 7, eabe7953 (ballistic, discrete); Goto, Hidaka, Tatsumura 2025,
    arXiv:2508.17655 (generalized; the strengths A are our own).
    """

    def __init__(
        self, mode: Mode = "generalized", n_steps: int = 1000, n_restarts: int = 32, control: float | None = None,
        step: float | None = None, scale: float | None = None, threads: int | None = None,
    ):  # fmt: skip
        super().__init__(threads)
        if mode not in get_args(Mode):
            raise ProblemError(f"mode={mode!r}, expected 'ballistic', 'discrete' or 'generalized'")
        whole(1, n_steps=n_steps, n_restarts=n_restarts)
        positive(or_none=True, step=step, scale=scale)
        if control is not None and (mode != "generalized" or not finite("control", control) >= 0):
            raise ProblemError(f"control={control} and mode={mode!r}, expected a number from 0 of 'generalized'")
        self.mode, self.n_steps, self.n_restarts = mode, n_steps, n_restarts
        self.control, self.step, self.scale = control, step, scale

    def rounds(self, spins: Quadratic, random: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        joined = join_fields(spins)
        scale, largest, factor = self.scale or force_scale(joined), radius(joined), 1.0
        while True:
            states = np.empty((self.n_restarts, joined.n), np.int8)
            seeds, discrete = random_seeds(self.n_restarts, random), self.mode == "discrete"
            force = scale * factor
            step = self.step or STABLE[self.mode] * longest_step(force, largest)
            _searches.bifurcate(*joined.couplings, joined.linear, self.n_steps, step, force, START, self.controls(),
                              discrete, seeds, states, self.n_threads, left())  # fmt: skip
            if joined.n > spins.n:
                states = states[:, :-1] * states[:, -1:]
            yield states, self._descend(spins, states)
            factor = FACTOR[self.mode] ** (random.uniform(-1, 1) ** 3)

    def controls(self) -> np.ndarray:
        """A of every replica of a round, (R,)."""
        if self.mode != "generalized":
            return np.zeros(self.n_restarts)
        if self.control is not None:
            return np.full(self.n_restarts, float(self.control))
        return np.linspace(LEAST_CONTROL, MOST_CONTROL, self.n_restarts)


def join_fields(spins: Quadratic) -> Quadratic:
    """Fields as couplings to one more spin, the last; where it is -1, all others are the other way round."""
    held = np.flatnonzero(spins.linear)
    if not len(held):
        return spins
    first, second = np.append(spins.first, held), np.append(spins.second, np.full(len(held), spins.n))
    values = np.append(spins.values, spins.linear[held])
    return Quadratic.from_pairs("spin", first, second, values, np.zeros(spins.n + 1), spins.constant)


def force_scale(spins: Quadratic) -> float:
    """1 over the largest eigenvalue of random couplings as large as these: twice the root of a row's squares."""
    squares = 2 * float((spins.values**2).sum())
    return 0.5 * float(np.sqrt(spins.n / squares)) if squares else 1.0


def longest_step(scale: float, largest: float) -> float:
    """Beyond which the fastest oscillation, of square 1 + c |J|, grows: 2 over its frequency."""
    return 2 / float(np.sqrt(1 + scale * largest))


def radius(spins: Quadratic) -> float:
    """|J|, the largest size of an eigenvalue of the couplings, to about 5%."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import eigsh

    if spins.n < 3 or not len(spins.values):
        return float(np.abs(spins.values).sum())
    starts, neighbours, values = spins.couplings
    matrix = csr_array((values, neighbours, starts), shape=(spins.n, spins.n))
    # A start that is the same every time: the step must not depend on chance.
    start = np.random.default_rng(0).normal(size=spins.n)
    return abs(float(eigsh(matrix, 1, which="LM", tol=0.05, v0=start, return_eigenvectors=False)[0]))
