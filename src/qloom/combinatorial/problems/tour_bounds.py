"""What is proven of a round trip: by 1-trees, then by HiGHS on the edges that these leave."""

from __future__ import annotations

import time
from dataclasses import replace
from math import inf, isfinite
from typing import Any

import numpy as np

from qloom.combinatorial.certificates import CLOSED, Certificate, Program, divisor
from qloom.combinatorial.cutting_planes import Cuts, certify_by_cuts
from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.edges import Edges, in_order
from qloom.combinatorial.problems.tour_search import TourSearch, nearest_trip
from qloom.combinatorial.problems.trees import Ascent, ascend, trip_relaxation, trip_rises
from qloom.errors import ProblemError

# The share of the time that 1-trees may take.
TREES = 0.5
# HiGHS is asked where so many edges are left at most, and they are looked for among so many cities.
MOST_EDGES, MOST_CITIES = 50_000, 2_000
# The integers of a maximum flow are multiples of one part in so many.
FLOW_UNITS = 10_000_000


def certify_trip(problem: Problem, distances: np.ndarray, time_limit: float, hint: np.ndarray | None) -> Certificate:
    """1-trees give a bound, and say which edges no shorter trip has; on the others two edges a city, by HiGHS.

    Rows against trips through some of the cities are added as they are met. Where too many edges are left the 1-trees
    have all of the time.

    Args:
        problem: whose solutions are round trips, int (N,).
        distances: (N, N).
        time_limit: seconds.
        hint: a solution, or None.

    Raises:
        ProblemError: for a time limit that is not above 0.

    Source: Held, Karp 1971, Mathematical Programming 1, 6; Dantzig, Fulkerson, Johnson 1954, Operations Research 2,
    393.
    """
    if not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
    start = time.perf_counter()
    hint = hint if hint is not None and problem.is_feasible(hint) else None
    value = inf if hint is None else problem.objective(hint)
    share = TREES if len(distances) * (len(distances) - 1) <= 2 * MOST_EDGES else 1.0
    step = divisor(distances)
    trees = _trees(distances, hint, step, start + share * time_limit)
    bound, objective = min(trees.bound, value), None if hint is None else value
    proven = Certificate(hint, objective, bound, "bounded", "1-trees", time.perf_counter() - start)
    if trees.is_interrupted:
        return replace(proven, status="interrupted")
    if value < inf and trees.bound >= value - CLOSED * abs(value):
        return replace(proven, bound=value, status="optimal")
    edges = _edges_left(distances, trees, value - step)
    left = start + time_limit - time.perf_counter()
    if edges is None or left <= 0:
        return replace(proven, seconds=time.perf_counter() - start)
    found = _certify_by_edges(problem, distances, edges, left, hint)
    bound = found.bound if found.status == "optimal" else max(found.bound, bound)
    seconds = time.perf_counter() - start
    return replace(found, bound=bound, method=f"1-trees, {found.method}", seconds=seconds)


def _trees(distances: np.ndarray, hint: np.ndarray | None, step: float, end: float) -> Ascent:
    """Their bound is rounded up to the next multiple of the step, where that is not 0."""
    search = TourSearch(distances, nearest_trip(distances) if hint is None else hint)
    search.run()
    near = float(distances[search.tour, np.roll(search.tour, -1)].sum())
    trees = ascend(lambda weights: trip_relaxation(distances, weights), len(distances), near, end)
    return trees._replace(bound=step * float(np.ceil(trees.bound / step))) if step and isfinite(trees.bound) else trees


def _edges_left(distances: np.ndarray, trees: Ascent, most: float) -> Edges | None:
    """Those that a trip of at most that length may have; None if they are too many for HiGHS."""
    n, kept = len(distances), None
    if most < inf and n <= MOST_CITIES:
        sizes = abs(most) + np.abs(trees.weights).sum()
        kept = trees.bound + trip_rises(distances, trees.weights) <= most + CLOSED * sizes
    count = n * (n - 1) // 2 if kept is None else int(np.triu(kept, 1).sum())
    return Edges(n, kept) if count <= MOST_EDGES else None


def _certify_by_edges(
    problem: Problem, distances: np.ndarray, edges: Edges, time_limit: float, hint: np.ndarray | None
) -> Certificate:
    end, n = time.perf_counter() + time_limit, edges.n
    two, one = np.full(n, 2.0), np.ones(len(edges.first))
    program = Program(distances[edges.first, edges.second], 0.0, edges.degrees, two, two, 0 * one, one, one)

    def separate(values: np.ndarray) -> Cuts:
        sets = subtours(edges, values, end)
        return edges.cuts(values, sets, np.ones(len(sets)))

    def read(values: np.ndarray) -> np.ndarray:
        return in_order(edges.graph(values), np.arange(n))

    return certify_by_cuts(problem, program, separate, read, time_limit, hint)


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
