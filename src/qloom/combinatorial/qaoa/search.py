"""What searches by circuits share: angles are descended on from several starts, then states are measured."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.checks import float_type, generator, whole
from qloom.combinatorial.qaoa.angles import field
from qloom.combinatorial.qaoa.cost import Polynomial, as_polynomial
from qloom.combinatorial.qaoa.descent import Descents
from qloom.combinatorial.qaoa.landscape import Landscape
from qloom.combinatorial.qaoa.objectives import Mean, Objective
from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.solvers.base import Solver
from qloom.errors import ProblemError

# Steps of a descent after which states are measured, so that a search has some before its angles are the best.
STRIDE = 10


@dataclass(frozen=True)
class Optimized:
    """What a descent on the angles ended with.

    Attributes:
        angles: the best ones, (W,), in the order of the circuit's weights.
        value: the objective there.
        n_evaluations: of the objective with its gradient, over all starts.
        landscape: the objective, and the states measured.
    """

    angles: np.ndarray
    value: float
    n_evaluations: int
    landscape: Landscape

    def sample(self, shots: int, random: np.random.Generator) -> np.ndarray:
        """Measured states. int8 (shots, N) of -1 and 1."""
        return self.landscape.sample(self.angles, shots, random)


class CircuitSearch(Solver):
    """Base of the searches whose states are measured.

    Args:
        objective: what angles are chosen by; None for the mean.
        shots: states a round; rounds come at the starts and after every ten steps.
        n_starts: descents side by side.
        n_steps: of each descent, at most.
        dtype: of the simulation, float64 or float32.
        threads: None for all processors; results do not depend on them.
    """

    takes = (Quadratic, Polynomial)

    def __init__(
        self, objective: Objective | None = None, shots: int = 1024, n_starts: int = 4, n_steps: int = 200,
        dtype: Any = np.float64, threads: int | None = None,
    ):  # fmt: skip
        super().__init__(threads)
        whole(1, shots=shots, n_starts=n_starts)
        whole(0, n_steps=n_steps)
        if objective is not None and not isinstance(objective, Objective):
            raise ProblemError(f"objective={objective!r}, expected Mean(), CVaR(alpha) or Gibbs(eta)")
        self.objective, self.dtype = objective or Mean(), float_type(dtype)
        self.shots, self.n_starts, self.n_steps = shots, n_starts, n_steps

    @abstractmethod
    def landscape(self, cost: Polynomial) -> Landscape:
        """The objective of a cost as a function of the angles."""

    @abstractmethod
    def starts(
        self, cost: Polynomial, n_angles: int, fresh: bool, random: np.random.Generator
    ) -> tuple[np.ndarray, int]:
        """Where descents begin, (n_starts, W), and how many evaluations it took to find out.

        `fresh` tells that no round has been yet.
        """

    def units(self, cost: Polynomial, n_angles: int) -> np.ndarray:
        """Of the angles, (W,)."""
        return np.ones(n_angles)

    def optimize(self, function: Quadratic | Polynomial, seed: int | None = None) -> Optimized:
        """The best angles of one round.

        Args:
            function: to minimize.
            seed: of everything random; None for fresh entropy.

        Raises:
            ProblemError: for more variables than state vectors have room for.
        """
        cost, random = as_polynomial(function), generator(seed)
        *_, found = self._descent(cost, self.landscape(cost), True, random)
        return found

    def rounds(
        self, spins: Quadratic | Polynomial, random: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
        cost, fresh = as_polynomial(spins), True
        landscape = self.landscape(cost)
        while True:
            for found in self._descent(cost, landscape, fresh, random):
                states = found.sample(self.shots, random)
                yield states, cost.energies(states)
            fresh = False

    def _descent(
        self, cost: Polynomial, landscape: Landscape, fresh: bool, random: np.random.Generator
    ) -> Iterator[Optimized]:
        """The best angles at the starts, after every few steps, and at the end."""
        starts, spent = self.starts(cost, landscape.n_angles, fresh, random)
        descents = self.descents(cost, landscape, starts)
        for step in range(0, self.n_steps + STRIDE, STRIDE):
            best = int(descents.values.argmin())
            total = spent + descents.n_evaluations
            yield Optimized(
                descents.points[best].copy(), float(descents.values[best]) + landscape.offset, total, landscape
            )
            if not len(descents.going):
                return
            descents.run(min(STRIDE, self.n_steps - step))

    def descents(self, cost: Polynomial, landscape: Landscape, starts: np.ndarray) -> Descents:
        """From all starts, (B, W), to where the dtype shows no slope any more."""
        tolerance = 1e-5 if self.dtype == np.float64 else 1e-3
        return Descents(landscape.centred, starts, tolerance, self.units(cost, landscape.n_angles), field(cost))
