"""What is proven of a round trip: by 1-trees, then by HiGHS with rows against trips through some of the cities."""

from __future__ import annotations

import time
from math import inf
from typing import Any

import numpy as np

from qloom.combinatorial.certificates import CLOSED, Certificate, Program, divisor
from qloom.combinatorial.cutting_planes import Cuts, certify_by_cuts
from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.edge_certificates import certify_by_edges
from qloom.combinatorial.problems.edges import Edges, in_order
from qloom.combinatorial.problems.tour_search import TourSearch, nearest_trip
from qloom.combinatorial.problems.trees import Ascent, trip_relaxation, trip_rises

# Edges that no shorter trip has are looked for among so many cities.
MOST_CITIES = 2_000
# The integers of a maximum flow are multiples of one part in so many.
FLOW_UNITS = 10_000_000


def certify_trip(problem: Problem, distances: np.ndarray, time_limit: float, hint: np.ndarray | None) -> Certificate:
    """1-trees, and HiGHS on the edges that they leave: two at each city, and rows against shorter round trips.

    Args:
        problem: whose solutions are round trips, int (N,).
        distances: (N, N).
        time_limit: seconds.
        hint: a solution, or None.

    Source: Held, Karp 1971, Mathematical Programming 1, 6; Dantzig, Fulkerson, Johnson 1954, Operations Research 2,
    393.
    """

    def near() -> float:
        search = TourSearch(distances, nearest_trip(distances))
        search.run()
        return problem.objective(search.tour)

    def solve(edges: Edges, end: float, hint: np.ndarray | None) -> Certificate:
        two, one = np.full(edges.n, 2.0), np.ones(len(edges.first))
        program = Program(distances[edges.first, edges.second], 0.0, edges.degrees, two, two, 0 * one, one, one)

        def separate(values: np.ndarray) -> Cuts:
            sets = subtours(edges, values, end)
            return edges.cuts(values, sets, np.ones(len(sets)))

        def read(values: np.ndarray) -> np.ndarray:
            return in_order(edges.graph(values), np.arange(edges.n))

        return certify_by_cuts(problem, program, separate, read, max(end - time.perf_counter(), 1e-3), hint)

    return certify_by_edges(
        problem, len(distances), lambda weights: trip_relaxation(distances, weights), near, divisor(distances),
        lambda trees, value, most: _edges_left(distances, trees, value, most), solve, time_limit, hint,
    )  # fmt: skip


def _edges_left(distances: np.ndarray, trees: Ascent, value: float, most: int) -> Edges | None:
    """Those that a trip of at most that length may have; None if they are more than a number."""
    n, kept = len(distances), None
    if value < inf and n <= MOST_CITIES:
        sizes = abs(value) + np.abs(trees.weights).sum()
        kept = trees.bound + trip_rises(distances, trees.weights) <= value + CLOSED * sizes
    count = n * (n - 1) // 2 if kept is None else int(np.triu(kept, 1).sum())
    return Edges(n, kept) if count <= most else None


def subtours(edges: Edges, values: np.ndarray, end: float = inf) -> np.ndarray:
    """Sets of at most half of the nodes that less than two edges leave, bool (K, N). Shapes: values (E,).

    Some may be missing where nodes hang together by parts of edges and that time of `time.perf_counter` has come.
    """
    sets = edges.parts(values)
    if len(sets) == 1:
        sets = np.array(_minimum_cuts(edges.graph(values), end), bool).reshape(-1, edges.n)
    return np.where(sets.sum(axis=1, keepdims=True) > edges.n / 2, ~sets, sets)


def _minimum_cuts(graph: Any, end: float) -> list[np.ndarray]:
    """Sets that hold node 0 and that edges of less than 2 leave, one for each other node that is not parted yet."""
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    capacity = (graph * FLOW_UNITS).astype(np.int32)
    n, found = graph.shape[0], list[np.ndarray]()
    together = np.ones(n, bool)
    for node in range(1, n):
        if not together[node]:
            continue
        if time.perf_counter() >= end:
            break
        flow = maximum_flow(capacity, 0, node)
        if flow.flow_value < 2 * FLOW_UNITS * (1 - 1e-4):
            left = capacity - flow.flow
            left.eliminate_zeros()
            side = np.zeros(n, bool)
            side[breadth_first_order(left, 0, return_predecessors=False)] = True
            found.append(side)
            together &= side
    return found
