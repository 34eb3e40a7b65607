"""Round trips made shorter by 2-opt and Or-opt moves among near cities, and by kicks from one local optimum on."""

from __future__ import annotations

import time
from math import inf

import numpy as np

from qloom import _searches

# Near cities of each that a move may join it to; what a move must gain at least, as a share of the largest distance.
NEAR, GAIN = 10, 1e-12
# Kicks in one call, and rows of distances that are sorted at once.
KICKS, ROWS = 1000, 1000


class TourSearch:
    """A local search that goes on after each local optimum from a small random change of it.

    Args:
        distances: symmetric, (N, N).
        tour: to begin with, int (N,).

    Attributes:
        tour: int32 (N,), never longer than it was.

    Source: Bentley 1992, ORSA Journal on Computing 4, 387; Martin, Otto, Felten 1991, Complex Systems 5, 299.
    """

    def __init__(self, distances: np.ndarray, tour: np.ndarray):
        self.distances, self.near = np.ascontiguousarray(distances, float), near_cities(distances, NEAR)
        self.tour = np.array(tour, np.int32)
        self.least_gain = GAIN * max(float(distances.max()), -float(distances.min()))

    def run(self, n_kicks: int = 0, seconds: float = inf, seed: int = 0) -> float:
        """Moves until none gains, then kicks, within the time; what is gained in all."""
        return _searches.improve_tour(
            self.distances, self.near, n_kicks, min(seconds, 1e6), self.least_gain, seed, self.tour
        )

    def run_until(self, end: float, random: np.random.Generator) -> None:
        """Moves until none gains, then kicks until that time of `time.perf_counter`."""
        self.run()
        while (left := end - time.perf_counter()) > 0:
            self.run(KICKS, left, int(random.integers(2**62)))


def near_cities(distances: np.ndarray, count: int) -> np.ndarray:
    """The nearest others of each, nearest first, int32 (N, at most count)."""
    n = len(distances)
    count = min(count, n - 1)
    out = np.empty((n, count), np.int32)
    for start in range(0, n, ROWS):
        rows = np.array(distances[start : start + ROWS], float)
        rows[np.arange(len(rows)), np.arange(start, start + len(rows))] = inf
        near = np.argpartition(rows, max(count - 1, 0), axis=1)[:, :count]
        order = np.take_along_axis(rows, near, axis=1).argsort(axis=1, kind="stable")
        out[start : start + ROWS] = np.take_along_axis(near, order, axis=1)
    return out


def nearest_trip(distances: np.ndarray) -> np.ndarray:
    """From city 0 always to the nearest city that is left, int64 (N,)."""
    left, out = np.arange(1, len(distances)), [0]
    while len(left):
        k = int(distances[out[-1], left].argmin())
        out.append(int(left[k]))
        left[k] = left[-1]
        left = left[:-1]
    return np.array(out, np.int64)
