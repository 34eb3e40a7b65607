"""What is proven of routes before any program: against brute force and sets that are counted one by one."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest

from qloom.combinatorial.problems.route_bounds import broken_sets, radial_bound
from qloom.combinatorial.problems.route_search import routes_by_savings
from qloom.combinatorial.problems.trees import ascend, route_relaxation
from qloom.combinatorial.problems.vehicle_routing import VehicleRouting


def random_routing(seed: int, n: int, n_vehicles: int) -> VehicleRouting:
    random = np.random.default_rng(seed)
    points = random.random((n + 1, 2))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    demands = random.integers(1, 10, n)
    return VehicleRouting(distances, demands, max(np.ceil(1.2 * demands.sum() / n_vehicles), 10), n_vehicles, points)


@pytest.mark.parametrize("seed", range(4))
def test_no_routes_are_below_what_trees_and_radii_prove(seed):
    problem = random_routing(seed, 5, 1 + seed)
    best, d = problem.objective(problem.brute_force()), problem.distances
    least = int(problem.trips(problem.demands.sum()))
    trees = ascend(lambda w: route_relaxation(d, w, least, problem.n_vehicles), 6, best, time.perf_counter() + 10)
    assert 0.6 * best <= trees.bound <= best
    assert radial_bound(d, problem.demands, problem.capacity) <= best


def test_weights_of_nodes_do_not_make_a_bound_wrong():
    problem, random = random_routing(0, 5, 3), np.random.default_rng(0)
    best = problem.objective(problem.brute_force())
    for _ in range(200):
        assert route_relaxation(problem.distances, random.standard_normal(6), 1, 3)[0] <= best


def test_a_radial_bound_is_met_by_customers_of_whole_vehicles():
    """Each customer fills a vehicle: out and back for each; one of them lies where the depot does."""
    points = np.array([[0, 0], [3, 4], [0, 0], [-5, 12]])
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    assert radial_bound(distances, np.full(3, 7.0), 7.0) == pytest.approx(2 * (5 + 0 + 13), rel=1e-8)
    assert radial_bound(-distances, np.full(3, 7.0), 7.0) == -np.inf


def test_sets_that_grow_are_broken_ones():
    """Halves of edges between customers of a clique, which all sets of three and more break."""
    n, demands = 7, np.full(6, 2.0)
    weights = np.zeros((n, n))
    weights[1:, 1:] = 1.0 - np.eye(6)
    problem = random_routing(0, 6, 3)
    found = broken_sets(weights, demands, problem.trips, np.random.default_rng(0))
    there = {tuple(np.flatnonzero(row)) for row in found}
    assert there
    assert all(0 not in own for own in there)
    inside = {own: len(own) * (len(own) - 1) / 2 for size in range(2, 7) for own in combinations(range(1, n), size)}
    broken = {own for own, edges in inside.items() if edges > len(own) - problem.trips(2.0 * len(own))}
    assert there <= broken
    assert len(broken_sets(weights, demands, problem.trips, np.random.default_rng(0), end=0.0)) == 0


def test_savings_join_routes_within_the_capacity():
    problem = random_routing(1, 40, 6)
    routes = routes_by_savings(problem.distances, problem.demands, problem.capacity)
    assert sorted(customer for route in routes for customer in route) == list(range(1, 41))
    assert max(problem.demands[np.array(route) - 1].sum() for route in routes) <= problem.capacity
    apart = 2 * problem.distances[0].sum()
    assert sum(problem.distances[[0, *r], [*r, 0]].sum() for r in routes) < 0.6 * apart
