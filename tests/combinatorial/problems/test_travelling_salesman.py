"""Round trips: the contract, TSPLIB's files and their optima."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.formats import read_problem
from qloom.combinatorial.problems.tour_search import TourSearch, nearest_trip
from qloom.combinatorial.problems.travelling_salesman import TravellingSalesman, read_travelling_salesman
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared

FIRST = ["gr17", "burma14", "ulysses22", "bayg29", "bays29", "dantzig42", "att48", "berlin52"]


def random_trip(seed: int, n: int = 7, is_whole: bool = True) -> TravellingSalesman:
    random = np.random.default_rng(seed)
    points = random.integers(0, 100, (n, 2)) if is_whole else random.random((n, 2))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    return TravellingSalesman(np.round(distances) if is_whole else distances, points)


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("n", [3, 4, 7])
def test_contract(n, is_whole):
    check_problem(random_trip(n, n, is_whole), seed=n)


def test_contract_holds_without_coordinates_and_triangle_inequality():
    distances = np.triu(np.random.default_rng(0).integers(-20, 100, (7, 7)), 1)
    check_problem(TravellingSalesman(distances + distances.T))


@pytest.mark.parametrize("scale", [1e-9, 1e-5, 1, 1e9])
@pytest.mark.parametrize("is_whole", [True, False])
def test_what_is_proven_is_the_best_at_any_scale(scale, is_whole):
    for seed in range(3):
        problem = TravellingSalesman(scale * random_trip(seed, 7, is_whole).distances)
        hint = problem.random_solution(np.random.default_rng(seed))
        best = problem.objective(problem.brute_force())
        for certificate in (problem.certify(20, hint), problem.certify(20)):
            assert certificate.status == "optimal"
            np.testing.assert_allclose([certificate.objective, certificate.bound], best, rtol=1e-12)
        improved = problem.improve(hint, 0.02, np.random.default_rng(seed))
        np.testing.assert_allclose(problem.objective(improved), best)


def test_a_distance_that_stands_for_never_leaves_the_rest_provable():
    distances = random_trip(0, 7, is_whole=False).distances.copy()
    distances[1, 2:4] = distances[2:4, 1] = 1e12
    problem = TravellingSalesman(distances)
    best = problem.brute_force()
    certificate = problem.certify(20, best)
    assert (certificate.status, certificate.bound) == ("optimal", problem.objective(best))


def test_moves_gain_what_they_say():
    problem, random = random_trip(1, 40, is_whole=False), np.random.default_rng(0)
    for _ in range(20):
        start = problem.random_solution(random)
        search = TourSearch(problem.distances, start)
        for n_kicks in (0, 300):
            before = problem.objective(search.tour)
            gain = search.run(n_kicks, seed=n_kicks)
            assert problem.is_feasible(search.tour)
            np.testing.assert_allclose(before - problem.objective(search.tour), gain, atol=1e-9)


@shared
@pytest.mark.parametrize("name", FIRST)
def test_optima_of_tsplib_are_proven(name):
    problem = read_travelling_salesman(INSTANCES / "tsp" / f"{name}.tsp")
    optimum = json.loads((INSTANCES / "best_known.json").read_text())["tsp_tour"][name]
    random = np.random.default_rng(0)
    hint = problem.improve(problem.random_solution(random), 0.2, random)
    certificate = problem.certify(60, hint)
    assert (certificate.objective, certificate.bound, certificate.status) == (optimum, optimum, "optimal")
    assert problem.is_feasible(certificate.solution)
    assert problem.objective(certificate.solution) == optimum


@shared
def test_kicks_lead_to_the_optimum():
    problem = read_travelling_salesman(INSTANCES / "tsp" / "eil51.tsp")
    random = np.random.default_rng(0)
    search = TourSearch(problem.distances, problem.random_solution(random))
    search.run(4000)
    assert problem.objective(search.tour) <= 426 * 1.01


@shared
def test_a_bound_is_proven_even_where_the_time_ends():
    problem = read_travelling_salesman(INSTANCES / "tsp" / "pr76.tsp")
    certificate = problem.certify(2)
    assert certificate.status == "bounded"
    assert 0.9 * 108159 < certificate.bound < 108159


TEXT = """NAME: four
TYPE: TSP
DIMENSION: 4
EDGE_WEIGHT_TYPE: EXPLICIT
EDGE_WEIGHT_FORMAT: {layout}
EDGE_WEIGHT_SECTION
{numbers}
EOF
"""
MATRIX = np.array([[0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]])


@pytest.mark.parametrize(
    ("layout", "numbers"),
    [
        ("FULL_MATRIX", "0 1 2 3 1 0 4 5 2 4 0 6 3 5 6 0"),
        ("UPPER_ROW", "1 2 3\n4 5\n6"),
        ("LOWER_ROW", "1\n2 4\n3 5 6"),
        ("UPPER_DIAG_ROW", "0 1 2 3 0 4 5 0 6 0"),
        ("LOWER_DIAG_ROW", "0 1 0 2 4 0 3 5 6 0"),
        ("UPPER_COL", "1\n2 4\n3 5 6"),
        ("LOWER_DIAG_COL", "0 1 2 3 0 4 5 0 6 0"),
    ],
)
def test_layouts_of_a_matrix(tmp_path, layout, numbers):
    path = tmp_path / "four.tsp"
    path.write_text(TEXT.format(layout=layout, numbers=numbers))
    assert (read_travelling_salesman(path).distances == MATRIX).all()


POINTS = """TYPE : TSP
COMMENT : by hand
DIMENSION : 3
EDGE_WEIGHT_TYPE : {kind}
NODE_COORD_SECTION
2 3 4
1 0 0
3 1.5 2.1
"""


# Exact distances are 5, 2.58 and 2.42; over the square root of 10 they are 1.58, 0.82 and 0.77. Sums of steps: 3 + 4,
# 1.5 + 2.1 = 3.6, 1.5 + 1.9 = 3.4; the larger step, each rounded first: 4, 2, 2.
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("EUC_2D", [5, 3, 2]),
        ("CEIL_2D", [5, 3, 3]),
        ("ATT", [2, 1, 1]),
        ("MAN_2D", [7, 4, 3]),
        ("MAX_2D", [4, 2, 2]),
    ],
)
def test_distances_of_points(tmp_path, kind, expected):
    path = tmp_path / "three.tsp"
    path.write_text(POINTS.format(kind=kind))
    problem = read_travelling_salesman(path)
    assert problem.distances[[0, 0, 1], [1, 2, 2]].tolist() == expected
    assert problem.coordinates.tolist() == [[0, 0], [3, 4], [1.5, 2.1]]


@pytest.mark.parametrize(("kind", "expected"), [("EUC_3D", [7, 2]), ("MAN_3D", [11, 3]), ("MAX_3D", [6, 2])])
def test_distances_in_space(tmp_path, kind, expected):
    """Steps of 2, 3, 6 (7 = sqrt(49)) and of 1.6, 1.2, 0.1 (2.002)."""
    path = tmp_path / "three.tsp"
    points = "1 0 0 0\n2 2 3 6\n3 1.6 1.2 0.1\n"
    path.write_text(f"TYPE : TSP\nDIMENSION : 3\nEDGE_WEIGHT_TYPE : {kind}\nNODE_COORD_SECTION\n{points}EOF\n")
    problem = read_travelling_salesman(path)
    assert problem.distances[0, 1:].tolist() == expected
    assert problem.coordinates.tolist() == [[0, 0], [2, 3], [1.6, 1.2]]


def test_asymmetric_tours_are_named_and_symmetric_ones_of_that_type_read(tmp_path):
    path = tmp_path / "four.atsp"
    text = TEXT.format(layout="FULL_MATRIX", numbers="9999 1 2 3\n1 9999 4 5\n2 4 9999 6\n3 5 6 9999")
    path.write_text(text.replace("TSP", "ATSP"))
    assert (read_problem(path).distances == MATRIX).all()
    path.write_text(path.read_text().replace("2 4 9999 6", "2 7 9999 6"))
    with pytest.raises(ProblemError, match=r"four.atsp, line 6: 4 from city 2 to 3, 7 back, expected distances that"):
        read_problem(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("COMMENT", "FIXED_EDGES_SECTION", "line 2: 'FIXED_EDGES_SECTION', expected each once of"),
        ("EUC_2D", "XRAY1", "line 4: EDGE_WEIGHT_TYPE 'XRAY1', expected one of EUC_2D"),
        ("EUC_2D", "EXPLICIT", "EDGE_WEIGHT_FORMAT '', expected one of FULL_MATRIX"),
        ("TYPE : TSP", "TYPE : SOP", "line 1: TYPE 'SOP', expected TSP or ATSP"),
        ("DIMENSION : 3", "DIMENSION : x", "line 3: 'x', expected a finite number"),
        ("3 1.5 2.1\n", "", "line 7: the file ends"),
        ("3 1.5", "2 1.5", "line 8: node 2 again"),
        ("1 0 0", "4 0 0", "line 7: '4', expected an integer from 1 to 3"),
        ("3 1.5 2.1", "3 1.5 nan", "line 8: 'nan', expected a finite number"),
        ("3 1.5 2.1", "3 1.5 2.1 7", "line 8: '7', expected the end"),
        ("NODE_COORD_SECTION", "DISPLAY_DATA_SECTION", "has no NODE_COORD_SECTION"),
    ],
)
def test_damaged_files_are_refused(tmp_path, old, new, message):
    path = tmp_path / "three.tsp"
    path.write_text(POINTS.format(kind="EUC_2D").replace(old, new))
    with pytest.raises(ProblemError, match=message):
        read_travelling_salesman(path)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        (np.ones((2, 3)), r"expected \(N, N\) with N at least 3"),
        (np.triu(np.ones((3, 3))), r"distances\[0, 1\] is 1 and distances\[1, 0\] 0"),
        (np.full((3, 3), np.nan), "distances holds NaN"),
    ],
)
def test_bad_distances_are_refused(distances, message):
    with pytest.raises(ProblemError, match=message):
        TravellingSalesman(distances)


def test_no_time_is_too_short_for_a_local_optimum():
    """Of 200 cities from a random trip: far below the trip to the nearest city left, which it begins with."""
    problem, random = random_trip(0, 200, is_whole=False), np.random.default_rng(0)
    found = problem.improve(problem.random_solution(random), 1e-9, random)
    assert problem.is_feasible(found)
    assert problem.objective(found) < 0.95 * problem.objective(nearest_trip(problem.distances))
