"""Routes of vehicles: the contract, an independent solver, Augerat's files and their optima."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.formats import read_problem
from qloom.combinatorial.problems.vehicle_routing import VehicleRouting, enough_vehicles, read_vehicle_routing
from qloom.combinatorial.solving import solve
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared


def random_routing(seed: int, n: int = 5, n_vehicles: int = 2, is_whole: bool = True) -> VehicleRouting:
    random = np.random.default_rng(seed)
    points = random.integers(0, 100, (n + 1, 2))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    demands = random.integers(1, 10, n)
    capacity = max(np.ceil(1.2 * demands.sum() / n_vehicles), 10)
    return VehicleRouting(np.round(distances) if is_whole else distances, demands, capacity, n_vehicles, points)


@pytest.mark.parametrize(("n", "n_vehicles", "is_whole"), [(5, 2, True), (5, 3, False), (4, 4, True), (3, 1, True)])
def test_contract(n, n_vehicles, is_whole):
    check_problem(random_routing(n_vehicles, n, n_vehicles, is_whole), seed=n)


@pytest.mark.usefixtures("ctrl_c")  # which OR-Tools takes away
@pytest.mark.parametrize("seed", range(3))
def test_certificate_is_that_of_cp_sat(seed):
    cp_model = pytest.importorskip("ortools.sat.python.cp_model")
    problem = random_routing(seed, 10, 3)
    model, n = cp_model.CpModel(), problem.n + 1
    arcs = {(i, j): model.new_bool_var(f"{i} {j}") for i in range(n) for j in range(n) if i != j}
    loads = [model.new_int_var(int(load), int(problem.capacity), "") for load in (0, *problem.demands)]
    for (i, j), arc in arcs.items():
        if i and j:
            model.add(loads[j] >= loads[i] + int(problem.demands[j - 1])).only_enforce_if(arc)
    model.add_multiple_circuit([(*ends, arc) for ends, arc in arcs.items()])
    model.add(sum(arcs[0, j] for j in range(1, n)) <= problem.n_vehicles)
    model.minimize(sum(int(problem.distances[ends]) * arc for ends, arc in arcs.items()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    certificate = problem.certify(30)
    assert (certificate.objective, certificate.status) == (solver.objective_value, "optimal")
    assert problem.is_feasible(certificate.solution)


@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1, 1e9])
@pytest.mark.parametrize("is_whole", [True, False])
def test_what_is_proven_is_the_best_at_any_scale(scale, is_whole):
    for seed in range(3):
        given = random_routing(seed, 4, 3, is_whole)
        problem = replace(given, distances=scale * given.distances)
        hint = problem.random_solution(np.random.default_rng(seed))
        best = problem.objective(problem.brute_force())
        for certificate in (problem.certify(20, hint), problem.certify(20)):
            assert certificate.status == "optimal"
            np.testing.assert_allclose([certificate.objective, certificate.bound], best, rtol=1e-12)


def test_numbers_of_numpy_become_plain_ones():
    problem = replace(random_routing(0), capacity=np.float32(40), n_vehicles=np.int64(3))
    assert (type(problem.capacity), type(problem.n_vehicles)) == (float, int)
    json.dumps(solve(problem, time_limit=0.1, seed=0).as_dict())


def routes_of(name: str) -> list[list[int]]:
    """The routes of a file of CVRPLIB, the first solution's."""
    text = (INSTANCES / "cvrp" / f"opt-{name}").read_text().split("Solution 2:")[0]
    lines = re.findall(r"(?im)^route.*:(.*)$", text)
    return [[int(word) for word in line.split()] for line in lines]


@shared
def test_published_routes_cost_what_their_files_say():
    paths = sorted((INSTANCES / "cvrp").glob("opt-*"))
    assert len(paths) == 20
    for path in paths:
        name = path.name[4:]
        problem = read_vehicle_routing(INSTANCES / "cvrp" / f"{name.replace('n44-k6', 'n44-k7')}.vrp")
        routes = routes_of(name)
        assert problem.n_vehicles == len(routes)
        solution = np.array([stop for route in routes for stop in (*route, 0)][:-1])
        cost = re.search(r"(?i)cost:? *(\d+)", path.read_text())
        assert problem.violations(solution) == dict.fromkeys(problem.violations(solution), 0)
        assert problem.objective(solution) == float(cost[1])


@shared
@pytest.mark.slow
def test_optimum_of_a_n32_k5_is_found_and_proven():
    problem, random = read_vehicle_routing(INSTANCES / "cvrp" / "A-n32-k5.vrp"), np.random.default_rng(0)
    hint = problem.improve(problem.random_solution(random), 10, random)
    certificate = problem.certify(120, hint)
    assert (certificate.objective, certificate.bound, certificate.status) == (784, 784, "optimal")
    assert problem.is_feasible(certificate.solution)


def test_violations_are_named():
    problem = random_routing(0, 5, 2)
    missed = problem.violations(np.array([1, 2, 3, 4, 4, 0]))
    assert missed["each customer once"] > 0
    all_in_one = np.array([1, 2, 3, 4, 5, 0])
    over = problem.demands.sum() - problem.capacity
    assert problem.violations(all_in_one)["capacity of vehicle[0]"] == over > 0
    assert problem.violations(np.array([1, 0, 2, 0, 3, 4, 5]))["number of vehicles"] == 1


def test_a_full_vehicle_is_repaired():
    problem = replace(random_routing(3, 6, 3), capacity=30.0)
    values = np.eye(3, dtype=int)[[0] * 6].ravel()
    assert problem.is_feasible(problem.decode(values, np.random.default_rng(0)))


TEXT = """NAME : A-n4-k2
COMMENT : (by hand, Min no of trucks: 2, Optimal value: 1)
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 9
NODE_COORD_SECTION
1 0 3
2 4 0
3 0 0
4 0 9
DEMAND_SECTION
1 5
2 4
3 0
4 6
DEPOT_SECTION
 3
 -1
EOF
"""


def test_files_are_read(tmp_path):
    path = tmp_path / "four.vrp"
    path.write_text(TEXT)
    problem = read_vehicle_routing(path)
    assert problem.distances[0].tolist() == [0, 3, 4, 9]
    assert problem.demands.tolist() == [5, 4, 6]
    assert (problem.capacity, problem.n_vehicles) == (9, 2)
    assert problem.notes == ("at most 2 vehicles, as the comment says",)


FIVE = """NAME : five-n5-k2
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 100 0
3 -100 0
4 0 100
5 0 101
DEMAND_SECTION
1 0
2 6
3 6
4 4
5 4
DEPOT_SECTION
1
-1
EOF
"""


def test_a_name_limits_no_vehicles(tmp_path):
    """Three routes of 200, 200 and 202; two would be 684."""
    (tmp_path / "five-n5-k2.vrp").write_text(FIVE)
    problem = read_problem(tmp_path / "five-n5-k2.vrp")
    assert problem.notes == ("the number of vehicles is not limited; --vehicles does",)
    assert problem.certify(10).objective == 602
    limited = read_problem(tmp_path / "five-n5-k2.vrp", vehicles=2)
    assert (limited.certify(10).objective, limited.notes[-1]) == (684, "at most 2 vehicles, as asked for")
    with pytest.raises(ProblemError, match="vehicles=0, expected an integer"):
        read_problem(tmp_path / "five-n5-k2.vrp", vehicles=0)
    (tmp_path / "a.txt").write_text("4 3\n1 2 3\n2 3 -1\n3 4\n")
    with pytest.raises(ProblemError, match="vehicles=2 of a MaxCut, expected a problem of vehicle_routing"):
        read_problem(tmp_path / "a.txt", vehicles=2)


@pytest.mark.parametrize("seed", range(4))
def test_enough_vehicles_are_enough(seed):
    """No more routes make it shorter."""
    problem = random_routing(seed, n=4, n_vehicles=2, is_whole=False)
    enough = enough_vehicles(problem.distances, problem.demands, problem.capacity)
    shortest = [replace(problem, n_vehicles=count).certify(10).objective for count in (enough, max(enough, 4))]
    assert shortest[0] == pytest.approx(shortest[1], rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("TYPE : CVRP", "TYPE : TSP", "TYPE 'TSP', expected CVRP"),
        ("CAPACITY : 9", "CAPACITY : 5.5", "line 6: '5.5', expected an integer"),
        ("CAPACITY : 9", "DISTANCE : 9", "line 6: 'DISTANCE', expected each once of"),
        ("CAPACITY : 9", "CAPACITY : 5", "customer 3 has demand 6, a vehicle's capacity is 5"),
        ("CAPACITY : 9", "CAPACITY : 7", "demands sum to 15, 2 vehicles carry 14"),
        ("2 4\n3 0", "2 4\n2 0", "line 15: node 2 again"),
        (" 3\n -1", " 3\n 1\n -1", "line 18: expected one depot without demand, then -1"),
        (" 3\n -1", " 1\n -1", "line 18: expected one depot without demand, then -1"),
        ("DEMAND_SECTION", "", "has no DEMAND_SECTION"),
    ],
)
def test_damaged_files_are_refused(tmp_path, old, new, message):
    path = tmp_path / "four.vrp"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(ProblemError, match=message):
        read_vehicle_routing(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"demands": [1, 2]}, r"demands has shape \(2,\), expected \(5,\)"),
        ({"demands": [-1, 2, 3, 4, 5]}, "demands from -1, expected none below 0"),
        ({"capacity": 0, "demands": np.zeros(5)}, "capacity=0, expected a number above 0"),
        ({"n_vehicles": 1.5}, "n_vehicles=1.5, expected an integer from 1"),
        ({"coordinates": np.ones((3, 2))}, r"coordinates has shape \(3, 2\), expected \(6, 2\)"),
    ],
)
def test_bad_numbers_are_refused(change, message):
    with pytest.raises(ProblemError, match=message):
        replace(random_routing(0), **change)
