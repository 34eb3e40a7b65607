"""Derivatives that are measured one by one, and plans of how many measurements each takes."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import numpy as np

from qloom.errors import CircuitError


class ShotPlan:
    """How many measurements the slope by each rotation takes, and what they showed.

    Slopes by inputs take as many as values do.

    Args:
        shots: of each of a slope's two shifted circuits, for every sample, (R,); at least 2. May be written to.

    Attributes:
        variances: of the derivatives by weights' rotations, summed over samples, times the shots they took; (R,).
        runs, spent: circuits at one sample and measurements.
    """

    def __init__(self, shots: np.ndarray):
        self.shots = shots
        self.restart()

    def restart(self) -> None:
        """Forget what was measured, and what it took."""
        self.variances = np.zeros(len(self.shots))
        self.runs = self.spent = 0


class MeasuredSlopes:
    """R derivatives by single rotations, each measured with shots of its own, and the plan that they follow.

    Args:
        count: R.
    """

    def __init__(self, count: int):
        self.count = count
        self._plan: Callable[[], ShotPlan | None] = lambda: None

    @property
    def plan(self) -> ShotPlan | None:
        """The one that is followed, as long as someone keeps it."""
        return self._plan()

    def follow(self, plan: ShotPlan) -> None:
        """Let a plan say how many measurements slopes take; it takes the place of another.

        Raises:
            CircuitError: for a plan of other slopes, or of fewer than 2 measurements.
        """
        shots = np.asarray(plan.shots)
        if shots.shape != (self.count,) or shots.dtype.kind not in "iu" or shots.min() < 2:
            raise CircuitError(f"shots={plan.shots!r}, expected {self.count} integers of at least 2, one a slope")
        self._plan = weakref.ref(plan)

    def go_on_from(self, other: MeasuredSlopes | None) -> None:
        """Follow what others followed, where there are as many."""
        if other is not None and other.count == self.count:
            self._plan = other._plan
