"""What is proven of vehicles' routes: by trees, then by HiGHS with rows for customers that need several vehicles."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from qloom.combinatorial.certificates import Certificate, Program, divisor
from qloom.combinatorial.cutting_planes import Cuts, certify_by_cuts
from qloom.combinatorial.model import TOLERANCE
from qloom.combinatorial.problems.edge_certificates import certify_by_edges
from qloom.combinatorial.problems.edges import BROKEN, Edges, in_order
from qloom.combinatorial.problems.trees import ROUNDING, route_relaxation

if TYPE_CHECKING:
    from qloom.combinatorial.problems.vehicle_routing import VehicleRouting

# How often the search for rows disturbs the edges, by what deviation of their logarithms, and its sets at once at most.
DISTURBED, DISTURBANCE, STARTS = 10, 0.5, 1000

# Vehicles that must enter sets of customers at least, of the sets' demands, (S,) -> (S,).
Trips = Callable[[np.ndarray], np.ndarray]


def certify_routes(problem: VehicleRouting, time_limit: float, hint: np.ndarray | None) -> Certificate:
    """Trees; then HiGHS on edges, two at each customer, where these are not too many.

    Rows for sets that need more vehicles are added as they are met.

    Source: Lysgaard, Letchford, Eglese 2004, Mathematical Programming 100, 423 (rounded capacity inequalities).
    """
    distances, n = problem.distances, problem.n
    least, most = min(int(problem.trips(problem.demands.sum())), n), min(problem.n_vehicles, n)

    def solve(edges: Edges, end: float, hint: np.ndarray | None) -> Certificate:
        random = np.random.default_rng(0)

        def separate(values: np.ndarray) -> Cuts:
            grown = broken_sets(edges.graph(values).toarray(), problem.demands, problem.trips, random, end)
            sets = np.concatenate([edges.parts(values, 1), grown])
            return edges.cuts(values, sets, problem.trips(sets[:, 1:] @ problem.demands))

        def read(values: np.ndarray) -> np.ndarray:
            graph, parts = edges.graph(values), edges.parts(values, 1)
            return problem.joined([in_order(graph, np.flatnonzero(part)).tolist() for part in parts])

        program = _program(edges, distances, least, problem.n_vehicles)
        return certify_by_cuts(problem, program, separate, read, max(end - time.perf_counter(), 1e-3), hint)

    return certify_by_edges(
        problem, n + 1, lambda weights: route_relaxation(distances, weights, least, most),
        lambda: problem.objective(problem.joined(problem.savings)), divisor(distances),
        lambda trees, value, most: Edges(n + 1) if n * (n + 1) <= 2 * most else None, solve, time_limit, hint,
        radial_bound(distances, problem.demands, problem.capacity),
    )  # fmt: skip


def radial_bound(distances: np.ndarray, demands: np.ndarray, capacity: float) -> float:
    """A route is as long as the way to its farthest customer and back, and so than the mean by what each one takes.

    No lengths are below 0, else nothing is said. Shapes: distances (N + 1, N + 1), node 0 the depot, demands (N,).

    Source: Haimovich, Rinnooy Kan 1985, Mathematics of Operations Research 10, 527.
    """
    from scipy.sparse.csgraph import csgraph_from_dense, dijkstra

    if np.triu(distances, 1).min(initial=0.0) < 0:
        return -inf
    ways = dijkstra(csgraph_from_dense(distances, null_value=inf), indices=0)[1:]
    return float(2 * ways @ demands / (capacity * (1 + TOLERANCE)) * (1 - ROUNDING))


def _program(edges: Edges, distances: np.ndarray, least: int, most: int) -> Program:
    at_depot, two = edges.first == 0, np.full(edges.n - 1, 2.0)
    return Program(
        costs=distances[edges.first, edges.second],
        constant=0.0,
        rows=edges.degrees,
        row_lower=np.append(2 * least, two),
        row_upper=np.append(2 * most, two),
        lower=np.zeros(len(at_depot)),
        upper=np.where(at_depot, 2.0, 1.0),  # a route to a single customer takes its edge twice
        whole=np.ones(len(at_depot)),
    )


def broken_sets(
    weights: np.ndarray, demands: np.ndarray, trips: Trips, random: np.random.Generator, end: float = inf
) -> np.ndarray:
    """Sets with more edges inside than its nodes less the trips to it, bool (K, N + 1).

    They grow from each customer by the one with most edges into the set, the edges as they are and disturbed, until
    that time of `time.perf_counter`.

    Shapes: weights (N + 1, N + 1), demands (N,).
    """
    n = len(weights)
    noise = DISTURBANCE * random.standard_normal((DISTURBED, n, n))
    disturbed = weights * np.exp(np.concatenate([np.zeros((1, n, n)), noise]))
    which, start = (numbers.ravel() for numbers in np.mgrid[: len(disturbed), 1:n])
    if len(start) > max(STARTS, n - 1):
        chosen = random.choice(np.arange(n - 1, len(start)), max(STARTS - n + 1, 0), replace=False)
        which, start = (np.append(numbers[: n - 1], numbers[chosen]) for numbers in (which, start))
    rows, sets, own = np.arange(len(start)), np.eye(n, dtype=bool)[start], np.append(0.0, demands)
    pull, real, inside, load = disturbed[which, start], weights[start], np.zeros(len(start)), own[start]
    found = dict[bytes, None]()
    for size in range(2, n):
        if time.perf_counter() >= end:
            break
        joined = np.where(sets, -1.0, pull)
        joined[:, 0] = -1.0
        node = joined.argmax(axis=1)
        inside, load = inside + real[rows, node], load + own[node]
        sets[rows, node] = True
        pull, real = pull + disturbed[which, node], real + weights[node]
        for place in np.flatnonzero(inside - (size - trips(load)) > BROKEN):
            found[sets[place].tobytes()] = None
    return np.frombuffer(b"".join(found), bool).reshape(-1, n)
