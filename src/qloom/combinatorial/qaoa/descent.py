"""BFGS from many starts at once: each step of all of them is one evaluation of a batch.

Source: Nocedal, Wright 2006, Numerical Optimization, eq. (6.17), with backtracking by parabolas (section 3.5).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from qloom.combinatorial.deadline import left

# Shapes: points (B, W) -> values (B,), gradients (B, W).
Function = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

# A step must lower the value by this share of what the slope promises; a line is given up after so many tries.
ARMIJO, TRIES = 1e-4, 12


class Descents:
    """Minimizations of one function, side by side.

    Args:
        function: values and gradients of points, each by itself.
        starts: (B, W).
        tolerance: a descent ends where no entry of the gradient is larger, in units, or a step gains less than its
            square of the value.
        units: of the coordinates, (W,), in which the function changes by about as much along each.
        unit: of the value.

    Attributes:
        points, values: (B, W), (B,); of the starts, or where `run` ended.
        going: which descents have not ended.
        n_evaluations: points that the function was evaluated at.
    """

    def __init__(
        self, function: Function, starts: np.ndarray, tolerance: float = 1e-5, units: Any = 1.0, unit: float = 1.0
    ):  # fmt: skip
        self.function, self.tolerance = function, tolerance
        self.points, start = np.array(starts, np.float64), time.perf_counter()
        self.values, self.gradients = function(self.points)
        self._seconds_a_point = (time.perf_counter() - start) / max(len(self.points), 1)
        self.n_evaluations, self._unit = len(self.points), unit
        self._units = np.broadcast_to(units, self.points.shape[1])
        steep = np.maximum(1.0, 2 * np.linalg.norm(self.gradients * self._units, axis=1) / unit)
        self._inverse = np.diag(self._units**2) / unit / steep[:, None, None]
        self._fresh = np.ones(len(self.points), bool)
        self.going = np.arange(len(self.points))

    def run(self, n_steps: int) -> None:
        """At most so many steps more of each; none that a deadline leaves no time for, which ends all."""
        for _ in range(n_steps):
            steepest = np.abs(self.gradients[self.going] * self._units).max(axis=1, initial=0.0) / self._unit
            self.going = going = self.going[steepest > self.tolerance]
            if not len(going) or not self._in_time(len(going)):
                self.going = going[:0]
                return
            before = self.points[going], self.values[going], self.gradients[going]
            self._search(going, -np.einsum("bij,bj->bi", self._inverse[going], before[2]))
            self._learn(going, self.points[going] - before[0], self.gradients[going] - before[2])
            gained = before[1] - self.values[going]
            self.going = going[gained > self.tolerance**2 * (self._unit + np.abs(self.values[going]))]

    def _search(self, going: np.ndarray, directions: np.ndarray) -> None:
        """Move each point along its line to where the value is low enough, if there is such a place."""
        slopes = np.einsum("bi,bi->b", directions, self.gradients[going])
        lengths = np.ones(len(going))
        for _ in range(TRIES):
            points = self.points[going] + lengths[:, None] * directions
            values, gradients = self.function(points)
            self.n_evaluations += len(going)
            low = values <= self.values[going] + ARMIJO * lengths * slopes
            taken, high = going[low], ~low
            self.points[taken], self.values[taken], self.gradients[taken] = points[low], values[low], gradients[low]
            if not high.any():
                return
            going, directions, slopes, lengths, values = (a[high] for a in (going, directions, slopes, lengths, values))
            if not self._in_time(len(going)):
                return
            bend = values - self.values[going] - slopes * lengths
            lengths = np.clip(-slopes * lengths**2 / (2 * bend), 0.1 * lengths, 0.5 * lengths)

    def _in_time(self, n_points: int) -> bool:
        return left() >= n_points * self._seconds_a_point

    def _learn(self, going: np.ndarray, steps: np.ndarray, bends: np.ndarray) -> None:
        """Bring each inverse Hessian up to date, where the step saw the function curve upwards."""
        curvature = np.einsum("bi,bi->b", steps, bends)
        up = curvature > 1e-10 * np.linalg.norm(steps, axis=1) * np.linalg.norm(bends, axis=1)
        going, s, y, rho = going[up], steps[up], bends[up], 1 / curvature[up]
        new = self._fresh[going]
        size = 1 / (rho * np.einsum("bi,bi,i->b", y, y, self._units**2))
        self._inverse[going[new]] = size[new, None, None] * np.diag(self._units**2)
        self._fresh[going] = False
        hy = np.einsum("bij,bj->bi", self._inverse[going], y)
        weight = rho + rho**2 * np.einsum("bi,bi->b", y, hy)
        cross = np.einsum("b,bi,bj->bij", rho, hy, s)
        self._inverse[going] += np.einsum("b,bi,bj->bij", weight, s, s) - cross - cross.transpose(0, 2, 1)
