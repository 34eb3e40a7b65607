"""Facilities and their customers: the contract, files of Holmberg and Delmaire and their optima."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.facility_location import FacilityLocation, read_facility_location
from qloom.combinatorial.problems.formats import read_problem
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared


def random_location(seed: int, n_facilities: int = 3, n_customers: int = 6) -> FacilityLocation:
    random = np.random.default_rng(seed)
    demands = random.integers(3, 9, n_customers)
    return FacilityLocation(
        opening=random.integers(5, 40, n_facilities),
        capacities=np.full(n_facilities, np.ceil(0.6 * demands.sum())),
        demands=demands,
        service=random.integers(1, 30, (n_facilities, n_customers)),
    )


@pytest.mark.parametrize("seed", range(3))
def test_contract(seed):
    check_problem(random_location(seed), seed=seed)


@shared
@pytest.mark.parametrize(
    ("name", "optimum"), [("holmberg_p1", 8848), ("holmberg_p2", 7913), ("holmberg_p13", 8252), ("delmaire_p2", 4251)]
)
def test_optima_are_proven(name, optimum):
    problem = read_facility_location(INSTANCES / "facility_location" / f"{name}.txt")
    certificate = problem.certify(60)
    assert certificate.status == "optimal"
    np.testing.assert_allclose([certificate.objective, certificate.bound], optimum, rtol=1e-6)
    assert problem.is_feasible(certificate.solution)
    assert problem.objective(certificate.solution) == optimum


def test_local_search_finds_the_optimum_of_small_ones():
    """No seed of 100 failed in a tenth of the time; the false-alarm rate is far below 1 in 1000."""
    problem, random = random_location(4), np.random.default_rng(0)
    found = problem.improve(problem.random_solution(random), 0.5, random)
    assert problem.objective(found) == problem.objective(problem.brute_force())


def test_an_overloaded_facility_is_repaired():
    problem = random_location(1)
    rows = np.eye(3, dtype=int)[[0] * 6]
    values = np.concatenate([rows.ravel(), [1, 0, 0]])
    assert problem.violations(np.zeros(6, np.int64))["capacity of facility[0]"] > 0
    assert problem.is_feasible(problem.decode(values, np.random.default_rng(0)))


def test_rounding_does_not_cost_the_optimum():
    """In floating point 0.1 + 0.2 is more than 0.3; the other facility costs 100 more."""
    problem = FacilityLocation([1, 100], [0.3, 1], [0.1, 0.2], np.ones((2, 2)))
    certificate = problem.certify(5)
    assert certificate.solution.tolist() == [0, 0]
    assert problem.objective(certificate.solution) == certificate.bound == 3


@pytest.mark.parametrize("demand", [0, 1e-8])
def test_a_customer_of_no_demand_needs_an_open_facility(demand):
    problem = FacilityLocation([5, 1], [3, 3], [demand, 2], [[0, 9], [9, 0]])
    certificate = problem.certify(5)
    best = problem.objective(problem.brute_force())
    np.testing.assert_allclose([certificate.bound, problem.objective(certificate.solution)], best, rtol=1e-9)


TEXT = "2 3\n7 8\n1 2\n3 4 5\n10 20\n11 21\n12 22\n"


def test_files_are_read(tmp_path):
    (tmp_path / "one.txt").write_text(TEXT)
    problem = read_facility_location(tmp_path / "one.txt")
    assert problem.capacities.tolist() == [7, 8]
    assert problem.opening.tolist() == [1, 2]
    assert problem.demands.tolist() == [3, 4, 5]
    assert problem.objective(np.array([0, 0, 1])) == 10 + 11 + 22 + 1 + 2


CAP = "2 2\n10 7\n10 8\n5\n1 2\n6\n3 4\n"
PAIRS = "2 4\n10 7\n10 8\n5 6 1 1\n1 3 1 1\n2 4 1 1\n"


@pytest.mark.parametrize(
    ("text", "layout", "best"),
    [
        (CAP, "cap", 20),  # one facility cannot serve both: 7 + 8 + 1 + 4 = 20 or 2 + 3
        (PAIRS, "pairs", 7 + 8 + 1 + 4 + 1 + 1),
        (TEXT, "vectors", 10 + 11 + 22 + 3),
    ],
)
def test_published_layouts_are_told_apart_by_their_lines(tmp_path, text, layout, best):
    (tmp_path / "one.txt").write_text(text)
    problem = read_problem(tmp_path / "one.txt")
    assert problem.objective(problem.brute_force()) == best
    assert problem.notes[0].startswith(f"read as facility_location:{layout}, ")


def test_a_file_of_two_layouts_must_say_which(tmp_path):
    (tmp_path / "one.txt").write_text("2 2\n10 7\n10 8\n5 6\n1 3\n2 4\n")
    with pytest.raises(ProblemError, match=r"may be facility_location as vectors .*; or pairs .*--format facility_loc"):
        read_facility_location(tmp_path / "one.txt")
    for layout, best in (("pairs", 20), ("vectors", 23)):
        problem = read_problem(tmp_path / "one.txt", f"facility_location:{layout}")
        assert problem.objective(problem.brute_force()) == best


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-3], r"line 7: the file ends, expected 6 numbers \(service costs\), there are 5"),
        (TEXT.replace("21", "x"), r"line 6: 'x', expected a finite number \(service costs\)"),
        (TEXT + "5", "line 8: '5', expected the end of the file"),
        (TEXT.replace("3 4 5", "3 4 9"), "customer 2 has demand 9, the largest facility capacity 8"),
        (TEXT.replace("3 4 5", "6 4 6"), "demands sum to 16, capacities to 15"),
        (TEXT.replace("1 2\n3", "1 -2\n3"), "opening hold negative numbers"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "one.txt").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_facility_location(tmp_path / "one.txt")


def test_bad_arrays_are_refused():
    with pytest.raises(ProblemError, match=r"expected \(F,\), \(F,\), \(C,\), \(F, C\)"):
        replace(random_location(0), service=np.ones((2, 2)))
    for n_facilities, n_customers in [(0, 1), (1, 0)]:
        sizes = np.ones(n_facilities), np.ones(n_facilities), np.ones(n_customers)
        with pytest.raises(ProblemError, match=r"expected .* none empty"):
            FacilityLocation(*sizes, np.ones((n_facilities, n_customers)))
