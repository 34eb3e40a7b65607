"""Capacitated vehicle routing: vehicles from one depot bring each customer its demand, on the shortest routes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from math import comb, factorial, fsum
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from qloom.checks import finite, positive, whole
from qloom.combinatorial.certificates import Certificate
from qloom.combinatorial.model import TOLERANCE, Model, room
from qloom.combinatorial.model_size import ModelSize
from qloom.combinatorial.problems.base import MOST_CANDIDATES, Problem
from qloom.combinatorial.problems.layouts import noted
from qloom.combinatorial.problems.permutations import every_order, n_missing
from qloom.combinatorial.problems.places import check_places, draw_map
from qloom.combinatorial.problems.route_bounds import certify_routes
from qloom.combinatorial.problems.route_search import RouteSearch, routes_by_savings
from qloom.combinatorial.problems.text import chosen
from qloom.combinatorial.problems.tour_search import TourSearch
from qloom.combinatorial.problems.tsplib import Tsplib, read_tsplib
from qloom.errors import ProblemError

# Temperatures when an annealing of routes begins and ends, as shares of the mean distance, and how many follow each
# other.
HOT, COLD, ANNEALINGS = 0.4, 0.004, 3
# Vehicles that a picture names.
NAMED = 10


@dataclass(frozen=True, eq=False)
class VehicleRouting(Problem):
    """Vehicles with one capacity; a solution (N + K - 1,) holds the customers 1 to N in the order they are visited.

    A 0 stands where one vehicle's route ends and the next one's begins; routes may be empty.

    Args:
        distances: between places, the same both ways, (N + 1, N + 1); place 0 is the depot.
        demands: of the customers, (N,).
        capacity: of each vehicle.
        n_vehicles: K, that there are at most; those that stay at the depot cost nothing.
        coordinates: of the places, for the picture, (N + 1, 2), or None.

    Raises:
        ProblemError: for shapes that do not fit, NaN, negative demands, a customer that no vehicle can serve, or more
            demand than all vehicles carry.
    """

    distances: np.ndarray
    demands: np.ndarray
    capacity: float
    n_vehicles: int
    coordinates: np.ndarray | None = None

    is_exact = False

    def __post_init__(self) -> None:
        distances, coordinates = check_places(self.distances, self.coordinates, 2)
        object.__setattr__(self, "distances", distances)
        object.__setattr__(self, "coordinates", coordinates)
        object.__setattr__(self, "demands", finite("demands", self.demands))
        if self.demands.shape != (self.n,):
            raise ProblemError(f"demands has shape {self.demands.shape}, expected ({self.n},), one a customer")
        whole(1, n_vehicles=self.n_vehicles)
        positive(capacity=self.capacity)
        object.__setattr__(self, "n_vehicles", int(self.n_vehicles))
        object.__setattr__(self, "capacity", float(self.capacity))
        if (self.demands < 0).any():
            raise ProblemError(f"demands from {self.demands.min():g}, expected none below 0")
        largest, total = int(self.demands.argmax()), self.demands.sum()
        if not self.demands[largest] <= self.capacity:
            raise ProblemError(
                f"customer {largest + 1} has demand {self.demands[largest]:g}, a vehicle's capacity is "
                f"{self.capacity:g}; no vehicle can serve it"
            )
        if total > self.n_vehicles * self.capacity * (1 + TOLERANCE):
            raise ProblemError(
                f"demands sum to {total:g}, {self.n_vehicles} vehicles carry {self.n_vehicles * self.capacity:g}; "
                "expected no more, add vehicles or capacity"
            )

    @property
    def n(self) -> int:
        """N customers."""
        return len(self.distances) - 1

    @property
    def model_size(self) -> ModelSize:
        bits, products = self.n * self.n_vehicles, self.n * (self.n - 1) // 2 * self.n_vehicles
        size = ModelSize(bits, products, products)
        return size.constrained(self.n, self.n_vehicles).constrained(self.n_vehicles, self.n)

    @cached_property
    def model(self) -> Model:
        """Which vehicle serves a customer; two of one vehicle cost the square of their distance.

        The order on the routes is not in it: it leads to solutions, and its objective is not theirs.
        """
        model = Model()
        x = model.one_hot("vehicle of customer", self.n, self.n_vehicles)
        model.constrain("capacity of vehicle", x.T, self.demands, "<=", self.capacity)
        i, j = np.triu_indices(self.n, 1)
        model.add(self.distances[1:, 1:][i, j, None] ** 2, x[i], x[j])
        return model

    def objective(self, solution: np.ndarray) -> float:
        stops = np.concatenate([[0], solution, [0]])
        return fsum(self.distances[stops[:-1], stops[1:]])  # the same in whichever order the routes stand

    def violations(self, solution: np.ndarray) -> dict[str, float]:
        routes = self.routes(solution)
        limit = float(room(np.array(self.capacity), self.demands))
        over = [load - self.capacity if (load := self._load(route)) > limit else 0.0 for route in routes]
        return {
            "each customer once": n_missing(solution[solution != 0] - 1, self.n),
            "number of vehicles": float(max(len(routes) - self.n_vehicles, 0)),
        } | {f"capacity of vehicle[{k}]": amount for k, amount in enumerate(over)}

    def routes(self, solution: np.ndarray) -> list[list[int]]:
        """The customers of each vehicle in the order of visiting."""
        return [part[part != 0].tolist() for part in np.split(solution, np.flatnonzero(solution == 0))]

    def decode(self, values: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Customers that their vehicle has no room for go to a near one; each route is then made short."""
        wanted = values.reshape(self.n, self.n_vehicles) + 1e-3 * random.random((self.n, self.n_vehicles))
        return self.joined([self._short(route) for route in self._packed(wanted.argmax(axis=1))])

    def encode(self, solution: np.ndarray) -> np.ndarray:
        vehicle_of = np.zeros(self.n, np.int64)
        for k, route in enumerate(self.routes(solution)):
            vehicle_of[np.array(route, np.int64) - 1] = k
        return np.eye(self.n_vehicles, dtype=np.int64)[vehicle_of].ravel()

    def random_solution(self, random: np.random.Generator) -> np.ndarray:
        routes = self._packed(random.integers(0, self.n_vehicles, self.n))
        return self.joined([random.permutation(route).tolist() for route in routes])

    def neighbour(self, solution: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """A stretch is reversed, or a customer moved, or two exchanged; ends of routes count as customers."""
        i, j = np.sort(random.integers(0, len(solution), 2))
        out, move = solution.copy(), random.integers(3)
        if move == 0:
            out[i : j + 1] = solution[i : j + 1][::-1]
        elif move == 1:
            out[i : j + 1] = np.roll(solution[i : j + 1], random.choice([-1, 1]))
        else:
            out[[i, j]] = solution[[j, i]]
        return out

    def candidates(self) -> Iterator[np.ndarray]:
        count = factorial(self.n) * comb(self.n + self.n_vehicles - 1, self.n)
        if count > MOST_CANDIDATES:
            raise ProblemError(f"{count:.3g} candidates, expected at most {MOST_CANDIDATES} for brute force; use solve")
        ends = list(combinations_with_replacement(range(self.n + 1), self.n_vehicles - 1))
        return (np.insert(order + 1, end, 0) for order in every_order(self.n) for end in ends)

    def improve(self, solution: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
        """Strings of customers leave neighbouring routes and are put back, in a few annealings; Ctrl-C ends it."""
        begin, chance = time.perf_counter(), Random(int(random.integers(2**62)))
        saved, search = self.savings, self._search
        best = min(solution, self.joined(saved), key=self.cost) if len(saved) <= self.n_vehicles else solution
        search.begin(self.routes(best))
        mean = float(self.distances.mean())
        try:
            while (share := (time.perf_counter() - begin) / seconds) < 1:
                search.step(mean * HOT * (COLD / HOT) ** (ANNEALINGS * share % 1), chance)
        except KeyboardInterrupt:
            pass
        return min(best, self.joined(search.best), key=self.cost)

    def certify(self, time_limit: float, hint: np.ndarray | None = None) -> Certificate:
        """Trees, and HiGHS on edges where these are not too many."""
        return certify_routes(self, time_limit, hint)

    def draw(self, solution: np.ndarray, axes: Any) -> None:
        """The routes on a map, each in its colour; the depot is a square."""
        places = draw_map(self.distances, self.coordinates, axes)
        routes = self.routes(solution)
        for k, route in enumerate(routes):
            label = f"vehicle {k}: {self._load(route):g} of {self.capacity:g}"
            axes.plot(*places[[0, *route, 0]].T, color=f"C{k % 10}", linewidth=1.2, zorder=1, label=label)
        axes.scatter(*places[:1].T, s=60, marker="s", color="black", zorder=3)
        if len(routes) <= NAMED:
            axes.legend(fontsize=7)
        axes.set_title(f"{self.n} customers, length {self.objective(solution):g}")

    def describe(self, solution: np.ndarray) -> dict[str, Any]:
        routes = self.routes(solution)
        return {"customers of vehicle": routes, "load of vehicle": [self._load(route) for route in routes]}

    def _load(self, route: list[int]) -> float:
        return float(self.demands[np.array(route, np.int64) - 1].sum())

    def trips(self, demand: Any) -> np.ndarray:
        """Vehicles that must carry a demand at least. Shapes: any."""
        return np.maximum(np.ceil(np.asarray(demand) / self.capacity - TOLERANCE), 1)

    def joined(self, routes: list[list[int]]) -> np.ndarray:
        """The solution of these routes, and of vehicles that stay at the depot up to K."""
        stops = [stop for route in routes for stop in (*route, 0)][:-1]
        return np.array(stops + [0] * (self.n_vehicles - len(routes)), np.int64)

    @cached_property
    def _search(self) -> RouteSearch:
        return RouteSearch(self.distances, np.append(0, self.demands), self.capacity)

    @cached_property
    def savings(self) -> list[list[int]]:
        """Routes that were joined as long as that saved most, each then made short; they may be more than K."""
        return [self._short(route) for route in routes_by_savings(self.distances, self.demands, self.capacity)]

    def _packed(self, vehicle_of: np.ndarray) -> list[list[int]]:
        """Routes of these vehicles; a customer that finds its own full goes to the fitting one nearest to it.

        Where none fits, to the emptiest.
        """
        routes, left = [list[int]() for _ in range(self.n_vehicles)], np.full(self.n_vehicles, float(self.capacity))
        for c in np.argsort(-self.demands, kind="stable"):
            k = vehicle_of[c]
            if left[k] < self.demands[c]:
                way = np.array([self.distances[c + 1, route or [0]].mean() for route in routes])
                fits = left >= self.demands[c]
                k = np.where(fits, way, np.inf).argmin() if fits.any() else left.argmax()
            routes[k].append(int(c) + 1)
            left[k] -= self.demands[c]
        return routes

    def _short(self, route: list[int]) -> list[int]:
        """The customers in the order of a round trip from the depot that no move of `TourSearch` makes shorter."""
        places = np.array([0, *route])
        search = TourSearch(self.distances[np.ix_(places, places)], np.arange(len(places)))
        search.run()
        trip = places[search.tour]
        return np.roll(trip, -int(trip.argmin()))[1:].tolist()


def read_vehicle_routing(path: str | Path, instance: int | None = None) -> VehicleRouting:
    """CVRPLIB's format, TYPE CVRP, that is TSPLIB's with CAPACITY, DEMAND_SECTION and DEPOT_SECTION.

    The number of vehicles is what VEHICLES says, or the comment ("trucks: 5"); the routes are then at most so many.
    Else there are as many as can help; a name's "-k5" is only noted, as most sets have no such limit.

    Args:
        path: of the file.
        instance: 1 or None; a file holds one problem.

    Raises:
        ProblemError: for a file that cannot be read or is damaged, with the number of the line, or with several depots.
    """
    file = read_tsplib(path, "CVRP")
    chosen(path, instance, 1)
    demands = file.rows("DEMAND_SECTION", 1, "demand")[:, 0]
    capacity = file.words("CAPACITY").integer("CAPACITY", 1)
    depots = file.section("DEPOT_SECTION")
    line, depot = depots.line, depots.integer("depot", 1, file.n) - 1
    if depots.integer("end of depots, -1") != -1 or demands[depot]:
        raise ProblemError(f"{path}, line {line}: expected one depot without demand, then -1")
    depots.end()
    order = np.append(depot, np.delete(np.arange(file.n), depot))
    points = None if file.coordinates is None else file.coordinates[order]
    distances, own = file.distances[np.ix_(order, order)], demands[order[1:]]
    n_vehicles, note = _n_vehicles(file, distances, own, capacity)
    return noted(VehicleRouting(distances, own, capacity, n_vehicles, points), note)


def _n_vehicles(file: Tsplib, distances: np.ndarray, demands: np.ndarray, capacity: int) -> tuple[int, str]:
    """And where it is from."""
    if "VEHICLES" in file.values:
        count = file.words("VEHICLES").counts("VEHICLES", 1)[0]
        return count, f"at most {count} vehicles, as VEHICLES says"
    if found := re.search(r"trucks: *([0-9]{1,9})\b", file.values.get("COMMENT", "")):
        return int(found[1]), f"at most {found[1]} vehicles, as the comment says"
    return enough_vehicles(distances, demands, capacity), "the number of vehicles is not limited; --vehicles does"


def enough_vehicles(distances: np.ndarray, demands: np.ndarray, capacity: float) -> int:
    """So many routes that more gain nothing, as any two that fit one vehicle are joined; N if that may cost more."""
    n, out, back = len(demands), distances[1:, :1], distances[:1, 1:]
    if (distances[1:, 1:] > out + back).any():
        return max(n, 1)
    return max(min(n, int(2 * demands.sum() / capacity) + 1), 1)
