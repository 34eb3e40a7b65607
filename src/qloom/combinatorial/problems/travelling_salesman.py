"""Travelling salesman: the shortest round trip through all cities."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np

from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.model import Model
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.permutations import every_order, n_missing, nearest_order
from qloom.combinatorial.problems.places import check_places, draw_map
from qloom.combinatorial.problems.text import chosen
from qloom.combinatorial.problems.tour_bounds import certify_trip
from qloom.combinatorial.problems.tour_search import TourSearch, nearest_trip
from qloom.combinatorial.problems.tsplib import Tsplib, read_tsplib
from qloom.errors import ProblemError


@dataclass(frozen=True, eq=False)
class TravellingSalesman(Problem):
    """Cities on a round trip; a solution (N,) holds the cities in the order they are visited, from 0.

    Args:
        distances: between cities, the same both ways, (N, N), N at least 3; the diagonal is not read.
        coordinates: for the picture, (N, 2), or None.

    Raises:
        ProblemError: for shapes that do not fit, NaN, or distances that differ by direction.
    """

    distances: np.ndarray
    coordinates: np.ndarray | None = None

    def __post_init__(self) -> None:
        distances, coordinates = check_places(self.distances, self.coordinates, 3)
        object.__setattr__(self, "distances", distances)
        object.__setattr__(self, "coordinates", coordinates)

    @property
    def n(self) -> int:
        """N cities."""
        return len(self.distances)

    @property
    def model_size(self) -> ModelSize:
        n = self.n - 1
        products = max(n - 1, 0) * n**2
        return ModelSize(n**2, 2 * n + products, products).constrained(2 * n, n)

    @cached_property
    def model(self) -> Model:
        """City 0 is visited first; of the others one bit for each position from 1."""
        model, d = Model(), self.distances
        x = model.one_hot("city at position", self.n - 1, self.n - 1)
        model.constrain("position of city", x.T, 1, "==", 1)
        model.add(d[0, 1:], x[0])
        model.add(d[1:, 0], x[-1])
        model.add(d[1:, 1:], x[:-1, :, None], x[1:, None, :])
        return model

    def objective(self, solution: np.ndarray) -> float:
        return fsum(self.distances[solution, np.roll(solution, -1)])  # the same wherever the trip begins

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        return {"each city once": n_missing(solution, self.n)}

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return np.append(0, nearest_order(values, random) + 1)

    def encode(self, solution: np.ndarray) -> np.ndarray:
        order = np.roll(solution, -int(np.flatnonzero(solution == 0)[0]))[1:] - 1
        return np.eye(self.n - 1, dtype=np.int64)[order].ravel()

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        return random.permutation(self.n)

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A part of the trip is gone in the other direction."""
        i, j = np.sort(random.integers(0, self.n + 1, 2))
        out = solution.copy()
        out[i:j] = solution[i:j][::-1]
        return out

    def candidates(self) -> Iterator[np.ndarray]:
        return (np.append(0, order + 1) for order in every_order(self.n - 1))

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """2-opt and Or-opt moves among near cities, and after each local optimum a kick nearby; Ctrl-C ends it."""
        end, search = time.perf_counter() + seconds, self._search
        search.tour = min(solution, self._nearest, key=self.cost).astype(np.int32)
        with suppress(KeyboardInterrupt):
            search.run_until(end, random)
        return search.tour.astype(np.int64)

    @cached_property
    def _nearest(self) -> np.ndarray:
        return nearest_trip(self.distances)

    @cached_property
    def _search(self) -> TourSearch:
        return TourSearch(self.distances, self._nearest)

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """1-trees, and HiGHS on the edges that they leave where these are not too many."""
        return certify_trip(self, self.distances, time_limit, hint)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """The trip on a map; without coordinates, of points whose distances are near the given ones."""
        places = draw_map(self.distances, self.coordinates, axes)
        axes.plot(*places[np.append(solution, solution[:1])].T, color="C0", linewidth=1.2, zorder=1)
        axes.set_title(f"{self.n} cities, length {self.objective(solution):g}")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        return {"round trip": solution.tolist(), "length": self.objective(solution)}


def read_travelling_salesman(path: str | Path, instance: int | None = None) -> TravellingSalesman:
    """TSPLIB's format, TYPE TSP, or ATSP if distances are the same both ways.

    Distances are EXPLICIT, EUC_2D, EUC_3D, CEIL_2D, MAN_2D, MAN_3D, MAX_2D, MAX_3D, ATT or GEO.

    Args:
        path: of the file.
        instance: 1 or None; a file holds one problem.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line.
    """
    file = read_tsplib(path, "TSP", "ATSP")
    chosen(path, instance, 1)
    if file.values.get("EDGE_WEIGHT_FORMAT") == "FULL_MATRIX":
        _check_both_ways(file)
    return TravellingSalesman(file.distances, file.coordinates)


def _check_both_ways(file: Tsplib) -> None:
    one_way = np.argwhere(file.distances != file.distances.T)
    if len(one_way):
        i, j = one_way[0].tolist()
        there, back = file.distances[i, j], file.distances[j, i]
        raise ProblemError(
            f"{file.path}, line {file.lines['EDGE_WEIGHT_SECTION']}: {there:g} from city {i + 1} to {j + 1}, {back:g} "
            "back, expected distances that are the same both ways; round trips of others (ATSP) are not solved here"
        )
