"""Multi-dimensional knapsack: the contract, files of OR-Library and their optima."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial.problems.formats import read_problem
from qloom.combinatorial.problems.knapsack import Knapsack, read_knapsack
from qloom.combinatorial.solving import solve
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared

KNAPSACKS = INSTANCES / "knapsack_mkp"


def random_knapsack(seed: int, n_resources: int = 3) -> Knapsack:
    random = np.random.default_rng(seed)
    loads = random.integers(0, 9, (n_resources, 9))
    return Knapsack(random.integers(1, 20, 9), loads, loads.sum(axis=1) // 2)


@pytest.mark.parametrize("n_resources", [1, 3])
def test_contract(n_resources):
    for seed in range(3):
        check_problem(random_knapsack(seed, n_resources), seed=seed)


@pytest.mark.parametrize("seed", range(5))
def test_repair_leaves_nothing_that_would_still_fit(seed):
    problem, random = random_knapsack(seed), np.random.default_rng(seed)
    for _ in range(20):
        solution = problem.decode(random.integers(0, 2, 9), random)
        assert problem.is_feasible(solution)
        for item in np.flatnonzero(solution == 0):
            assert not problem.is_feasible(solution + np.eye(9, dtype=np.int64)[item])


@shared
@pytest.mark.parametrize("instance", range(1, 8))
def test_stated_optima_are_proven(instance):
    problem = read_knapsack(KNAPSACKS / "mknap1.txt", instance)
    certificate = problem.certify(30)
    assert certificate.status == "optimal"
    assert certificate.objective == pytest.approx(problem.optimum, rel=1e-12)
    assert certificate.bound == pytest.approx(problem.optimum, rel=1e-9)
    assert problem.is_feasible(certificate.solution)


@shared
def test_formats_agree():
    single = read_knapsack(KNAPSACKS / "OR5x100-0.25_1.dat")
    many = read_knapsack(KNAPSACKS / "mknapcb1.txt", 1)
    assert (single.loads == many.loads).all()
    assert single.optimum is None
    files = sorted((KNAPSACKS / "sac94").glob("*/*.dat"))
    assert all(read_knapsack(file).optimum > 0 for file in files)


@shared
def test_search_comes_near_the_optimum():
    problem, random = read_knapsack(KNAPSACKS / "sac94" / "weish" / "weish27.dat"), np.random.default_rng(0)
    found = problem.improve(problem.decode(np.ones(90), random), 0.5, random)
    assert problem.is_feasible(found)
    assert 0.98 * problem.optimum <= problem.objective(found) <= problem.optimum


TEXT = "3 2 7\n4 3 2\n1 2 3\n3 2 1\n4 4\n"


def test_files_are_read(tmp_path):
    (tmp_path / "one.dat").write_text(TEXT)
    problem = read_knapsack(tmp_path / "one.dat")
    assert (problem.values.tolist(), problem.capacities.tolist(), problem.optimum) == ([4, 3, 2], [4, 4], 7)
    assert problem.loads.tolist() == [[1, 2, 3], [3, 2, 1]]
    (tmp_path / "two.txt").write_text("2\n\n" + TEXT + TEXT.replace("7", "0"))
    assert read_knapsack(tmp_path / "two.txt", 2).optimum is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-4], r"line 4: the file ends, expected 2 numbers \(capacities\), there are 0"),
        (TEXT.replace("1 2 3", "1 x 3"), r"line 3: 'x', expected a finite number \(loads\)"),
        (TEXT + "9", "line 6: '9', expected the end of the file"),
        ("0" + TEXT[1:], "line 1: '0', expected an integer from 1"),
        ("2\n" + TEXT + TEXT, "holds 2 problems, expected instance=1 to 2"),
        (TEXT.replace("3 2 1", "3 -2 1"), "loads hold negative numbers"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "one.dat").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_knapsack(tmp_path / "one.dat")


def test_bad_arrays_are_refused():
    with pytest.raises(ProblemError, match=r"expected \(N,\), \(R, N\), \(R,\)"):
        Knapsack(np.ones(3), np.ones((2, 2)), np.ones(2))
    with pytest.raises(ProblemError, match="capacities hold negative numbers"):
        Knapsack(np.ones(1), np.ones((1, 1)), [-1])
    with pytest.raises(ProblemError, match="values holds NaN"):
        Knapsack([np.nan], np.ones((1, 1)), [1])


def test_rounding_does_not_cost_the_optimum():
    """In floating point 0.1 + 0.2 is more than 0.3."""
    problem, everything = Knapsack([1, 1], [[0.1, 0.2]], [0.3]), np.ones(2, np.int64)
    assert problem.is_feasible(everything)
    assert problem.decode(everything, np.random.default_rng(0)).tolist() == [1, 1]
    assert problem.certify(5).objective == problem.objective(problem.certify(5).solution) == 2
    assert not Knapsack([1, 1], [[1e-10, 2e-10]], [2e-10]).is_feasible(everything)


def test_labels_of_many_resources_are_small():
    from matplotlib.figure import Figure

    axes = Figure(figsize=(9, 5)).add_subplot()
    Knapsack([1], np.ones((30, 1)), np.ones(30)).draw(np.ones(1, np.int64), axes)
    row = axes.transData.transform([(0, 0), (0, 1)])[:, 1]
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 30
    assert max(box.height for box in boxes) < abs(row[1] - row[0])


def test_the_layout_that_begins_with_resources_is_told_apart(tmp_path):
    """Items of 10 and 9 that weigh 4 and 5, room for 7: 10."""
    (tmp_path / "a.txt").write_text("1 2\n10 9\n7\n4 5\n10\n")
    problem = read_knapsack(tmp_path / "a.txt")
    assert problem.objective(problem.brute_force()) == 10 == problem.optimum
    assert problem.notes[0].startswith("read as knapsack:resources, ")
    (tmp_path / "b.txt").write_text("2 1 10\n10 9\n4 5\n7\n")
    again = read_knapsack(tmp_path / "b.txt")
    assert (again.objective(again.brute_force()), again.notes[0][:22]) == (10, "read as knapsack:items")


def test_one_beside_a_large_number_does_not_fit():
    problem = Knapsack([10, 1], [[2_000_000_000, 1]], [2_000_000_000])
    assert problem.violations(np.array([1, 1])) == {"resource[0]": 1}
    assert problem.objective(problem.brute_force()) == 10
    assert solve(problem, time_limit=10, seed=0, controls=False).objective == 10


def test_values_near_1e12_are_solved():
    problem = Knapsack(np.array([3, 4, 5, 6]) * 10**12 + 1, [[2, 3, 4, 5]], [7])
    assert solve(problem, time_limit=5, seed=0, controls=False).objective == problem.objective(problem.brute_force())


MKNAP2 = """ Two problems of the literature.

 FILE FORMAT
 <n := #knapsacks> <m := #objects>

 +++++++++++++
 problem ONE.DAT
 +++++++++++++
 1 2
 10 9
 7
 4 5

 10
 +++++++++++++

 problem TWO.DAT

 +++++++++++++
 2 3
 5 4 3
 4 9
 1 2 3
 3 3 3

 9
"""


def test_named_problems_between_rulers_are_read(tmp_path):
    (tmp_path / "a.txt").write_text(MKNAP2)
    first, second = (read_problem(tmp_path / "a.txt", instance=k) for k in (1, 2))
    assert (first.objective(first.brute_force()), first.optimum) == (10, 10)
    assert (second.objective(second.brute_force()), second.optimum) == (9, 9)
    assert second.notes[0].startswith("problem 2 of 2, TWO.DAT; resources and items")
    with pytest.raises(ProblemError, match="holds 2 problems, expected instance=1 to 2"):
        read_problem(tmp_path / "a.txt")


def test_what_is_wrong_with_one_of_them_is_said_by_line(tmp_path):
    (tmp_path / "a.txt").write_text(MKNAP2.replace(" 3 3 3", " 3 x 3"))
    with pytest.raises(ProblemError, match=r"a.txt, line 24: 'x', expected a finite number \(loads\)"):
        read_knapsack(tmp_path / "a.txt", 1)


@shared
@pytest.mark.parametrize(("instance", "name", "optimum"), [(3, "WEING1", 141278), (11, "WEISH01", 4554)])
def test_stated_optima_of_mknap2_are_proven(instance, name, optimum):
    problem = read_knapsack(KNAPSACKS / "mknap2.txt", instance)
    assert name in problem.notes[0]
    assert problem.certify(30).objective == optimum == problem.optimum
