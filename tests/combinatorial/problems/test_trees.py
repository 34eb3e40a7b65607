"""Trees that bound round trips: against scipy's trees, forced edges, brute force."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree

from qloom.combinatorial.problems.tour_bounds import certify_trip
from qloom.combinatorial.problems.tour_search import TourSearch, near_cities, nearest_trip
from qloom.combinatorial.problems.travelling_salesman import TravellingSalesman
from qloom.combinatorial.problems.trees import ascend, least_tree, trip_relaxation, trip_rises


def distances_of(n: int, seed: int = 0) -> np.ndarray:
    points = 1000 * np.random.default_rng(seed).random((n, 2))
    return np.linalg.norm(points[:, None] - points, axis=-1)


def bound_of(distances: np.ndarray, target: float) -> float:
    return ascend(lambda w: trip_relaxation(distances, w), len(distances), target, time.perf_counter() + 60).bound


@pytest.mark.parametrize("first", [0, 1, 5])
def test_a_least_tree_is_that_of_scipy(first):
    n, random = 30, np.random.default_rng(first)
    distances, weights = distances_of(n, first), 300 * random.standard_normal(n)
    tree = least_tree(distances, weights, first)
    lengths = distances + weights[:, None] + weights
    shift = 1 - lengths.min()  # scipy takes no edge of length 0 or less
    other = minimum_spanning_tree((lengths + shift)[first:, first:])
    assert tree.length == pytest.approx(other.sum() - shift * (n - first - 1))
    assert sorted(tree.order) == list(range(first, n))
    ends = np.bincount(np.concatenate(other.nonzero()) + first, minlength=n)
    np.testing.assert_array_equal(tree.degrees(), ends)


def test_no_trip_is_below_what_trees_prove():
    for seed in range(2):
        problem = TravellingSalesman(distances_of(8, seed))
        best = problem.objective(problem.brute_force())
        assert 0.97 * best <= bound_of(problem.distances, best) <= best


def test_a_rise_is_what_forcing_an_edge_costs():
    """An edge made shorter by more than anything is in the least 1-tree."""
    n, random, far = 12, np.random.default_rng(1), 1e6
    distances, weights = distances_of(n), 100 * random.standard_normal(n)
    before, rises = trip_relaxation(distances, weights)[0], trip_rises(distances, weights)
    for i in range(n):
        for j in range(i):
            forced = distances.copy()
            forced[i, j] = forced[j, i] = distances[i, j] - far
            after = trip_relaxation(forced, weights)[0] + far
            assert rises[i, j] == pytest.approx(after - before, abs=1e-3)


def test_a_tour_of_many_cities_is_near_its_bound():
    """Of 300 random points; the bound itself is some .7% below the optimum (Johnson, McGeoch 1996)."""
    distances = distances_of(300)
    search = TourSearch(distances, nearest_trip(distances))
    search.run(3000)
    length = distances[search.tour, np.roll(search.tour, -1)].sum()
    assert sorted(search.tour) == list(range(300))
    assert length <= 1.03 * bound_of(distances, length)


def test_near_cities_are_the_nearest():
    distances = distances_of(1500)
    near, far = near_cities(distances, 5), distances + np.diag(np.full(1500, np.inf))
    np.testing.assert_array_equal(np.take_along_axis(far, near, axis=1), np.sort(far, axis=1)[:, :5])
    assert near_cities(distances[:1, :1], 5).shape == (1, 0)


def test_a_trip_goes_to_the_nearest_city_left():
    distances = distances_of(40)
    trip = nearest_trip(distances)
    for k, (city, following) in enumerate(pairwise(trip)):
        assert distances[city, following] == distances[city, trip[k + 1 :]].min()


def test_too_many_edges_for_highs_are_left_to_trees():
    problem = TravellingSalesman(distances_of(400))
    hint = problem.improve(nearest_trip(problem.distances), 0.05, np.random.default_rng(0))
    certificate = certify_trip(problem, problem.distances, 0.4, None)
    assert (certificate.method, certificate.solution, certificate.status) == ("trees", None, "bounded")
    assert 0 < certificate.bound < problem.objective(hint)
