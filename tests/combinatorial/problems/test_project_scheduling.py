"""Projects: the contract, schedules checked one by one, PSPLIB's files and optima."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.project_scheduling import ProjectScheduling, read_project_scheduling
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.combinatorial.problems.schedules import check_improving, check_schedules
from tests.shared import shared


def random_project(seed: int, n: int = 6, shortest: int = 1) -> ProjectScheduling:
    random = np.random.default_rng(seed)
    capacities = random.integers(4, 8, 2)
    requests = np.minimum(random.integers(0, 6, (n, 2)), capacities)
    precedences = [(i, j) for i in range(n) for j in range(i + 1, n) if random.random() < 1 / n]
    return ProjectScheduling(random.integers(shortest, 6, n), requests, capacities, precedences)


def optima() -> dict[str, int]:
    with (INSTANCES / "rcpsp" / "j30_optimum.csv").open() as file:
        return {row["problem"]: int(row["optimum"]) for row in csv.DictReader(file)}


def check_schedule(problem: ProjectScheduling, solution: np.ndarray) -> int:
    """Time step by time step: what runs fits the resources, precedences hold; the makespan."""
    starts, ends = problem.schedule(solution)
    assert (ends - starts == problem.durations).all()
    assert (starts >= 0).all()
    for first, second in problem.precedences:
        assert starts[second] >= ends[first]
    for t in range(ends.max()):
        assert (problem.requests[(starts <= t) & (t < ends)].sum(axis=0) <= problem.capacities).all()
    return int(ends.max())


def test_contract():
    for seed in range(3):
        check_problem(random_project(seed), seed=seed)
    check_problem(random_project(9, shortest=0), seed=9)
    check_problem(random_project(3, 15), small=False)


def test_schedules_meet_the_constraints():
    check_schedules(random_project(5, 15), check_schedule, seed=5)


@pytest.mark.parametrize("seed", range(4))
def test_improving_small_projects_finds_the_optimum(seed):
    check_improving(random_project(seed), 0.3, seed)


@shared
@pytest.mark.parametrize("name", ["j301_1.sm", "j305_1.sm", "j309_1.sm", "j3017_1.sm", "j3048_1.sm"])
def test_optima_of_psplib_are_proven(name):
    problem, optimum = read_project_scheduling(INSTANCES / "rcpsp" / name), optima()[name]
    certificate = problem.certify(60)
    assert (certificate.objective, certificate.bound, certificate.status) == (optimum, optimum, "optimal")
    assert check_schedule(problem, certificate.solution) == optimum


@shared
@pytest.mark.slow
def test_all_of_psplib():
    """What a second of improving reaches, and what three prove, on either side of the optimum."""
    for path in sorted((INSTANCES / "rcpsp").glob("*.sm")):
        problem, random = read_project_scheduling(path), np.random.default_rng(0)
        improved = problem.improve(problem.random_solution(random), 1, random)
        certificate = problem.certify(3, improved)
        optimum = optima()[path.name]
        assert (
            problem.lower_bound <= certificate.bound <= optimum <= check_schedule(problem, improved) <= 1.05 * optimum
        )


TEXT = """************
jobs (incl. supersource/sink ):  3
RESOURCES
  - renewable                 :  2   R
  - nonrenewable              :  0   N
  - doubly constrained        :  0   D
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           3
   3        1          0
************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1  R 2
------------------------------
  1      1     0       0    0
  2      1     8       4    0
  3      1     4       1    2
************
RESOURCEAVAILABILITIES:
  R 1  R 2
   12   13
"""


def test_files_are_read(tmp_path):
    (tmp_path / "one.sm").write_text(TEXT)
    problem = read_project_scheduling(tmp_path / "one.sm")
    assert problem.durations.tolist() == [0, 8, 4]
    assert problem.requests.tolist() == [[0, 0], [4, 0], [1, 2]]
    assert problem.capacities.tolist() == [12, 13]
    assert problem.precedences.tolist() == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[: TEXT.index("   12")], "line 21: the file ends, expected 1 lines of 'RESOURCEAVAILABILITIES:'"),
        (TEXT[: TEXT.index("RESOURCEAV")], "line 19: the file ends, expected 'RESOURCEAVAILABILITIES:'"),
        (TEXT.replace("8       4", "8       x"), "line 17: 'x', expected a finite number"),
        (TEXT.replace("2      1     8", "2      2     8"), "line 17: '2', expected an integer from 1 to 1 .mode."),
        (TEXT.replace("1           3", "1           4"), "line 10: '4', expected an integer from 1 to 3 .successors."),
        (TEXT.replace("nonrenewable              :  0", "nonrenewable              :  1"), "line 5: '1', expected an"),
        (TEXT.replace("1           3\n", "1           1\n"), r"tasks \[0, 1, 2\] wait for one another in a circle"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "one.sm").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_project_scheduling(tmp_path / "one.sm")


def test_colours_are_told():
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    ProjectScheduling([2, 3, 1], [[0, 2], [1, 0], [0, 0]], [2, 2], []).draw(np.arange(3), axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["resource 0", "resource 1", "none"]


def test_bad_input_is_refused():
    with pytest.raises(ProblemError, match="activity 1 requests 5 of resource 0, expected at most its capacity 4"):
        ProjectScheduling([1, 2], [[1], [5]], [4], [])
    with pytest.raises(ProblemError, match=r"expected \(A,\), \(A, R\), \(R,\)"):
        ProjectScheduling([1, 2], [[1]], [4], [])
    with pytest.raises(ProblemError, match="precedences name activity 2, expected numbers below 2"):
        ProjectScheduling([1, 2], [[1], [1]], [4], [(0, 2)])
    with pytest.raises(ProblemError, match="durations hold numbers below 0 or not whole"):
        ProjectScheduling([1, -2], [[1], [1]], [4], [])
    with pytest.raises(ProblemError, match="durations sum up to 1000001, expected at most 1000000; use other units"):
        ProjectScheduling([1, 10**6], [[1], [1]], [4], [])
    with pytest.raises(ProblemError, match=r"expected each activity of .* once"):
        random_project(0).objective(np.zeros(6, np.int64))
