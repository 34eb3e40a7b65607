"""Facilities to locations: the contract, QAPLIB's files, their optima and bounds."""

from __future__ import annotations

import json
from math import ceil

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom import _searches
from qloom.combinatorial.problems.assignment_tree import linear_bound, projection_bound
from qloom.combinatorial.problems.quadratic_assignment import QuadraticAssignment, read_quadratic_assignment
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared


def random_assignment(seed: int, n: int = 6, is_whole: bool = True) -> QuadraticAssignment:
    """Neither matrix is symmetric, and their diagonals count."""
    random = np.random.default_rng(seed)
    if is_whole:
        return QuadraticAssignment(random.integers(-3, 10, (n, n)), random.integers(0, 10, (n, n)))
    return QuadraticAssignment(random.random((n, n)), random.normal(size=(n, n)))


def grid_assignment(seed: int) -> QuadraticAssignment:
    """Symmetric with empty diagonals, so that all values are even."""
    place = np.array([(i, j) for i in range(2) for j in range(3)])
    flows = np.triu(np.random.default_rng(seed).integers(0, 6, (6, 6)), 1)
    return QuadraticAssignment(flows + flows.T, np.abs(place[:, None] - place).sum(axis=-1))


@pytest.mark.parametrize("seed", range(2))
def test_contract(seed):
    check_problem(random_assignment(seed, 5), seed=seed)
    check_problem(random_assignment(seed, 5, is_whole=False), seed=seed)
    check_problem(grid_assignment(seed), seed=seed)


def exchanged(problem: QuadraticAssignment, solution: np.ndarray) -> tuple[np.ndarray, float]:
    """The best of all exchanges of two locations, and by how much it changes the objective."""
    others = []
    for i in range(problem.n):
        for j in range(i):
            other = solution.copy()
            other[[i, j]] = solution[[j, i]]
            others.append(other)
    best = min(others, key=problem.objective)
    return best, problem.objective(best) - problem.objective(solution)


def searched(problem: QuadraticAssignment, solution: np.ndarray, n_moves: int) -> np.ndarray:
    best = solution.astype(np.int32)
    _searches.exchange_locations(problem.flows, problem.distances, n_moves, 60.0, 1e-9, 0, best)
    return best.astype(np.int64)


def test_moves_are_the_best_exchanges_until_none_gains():
    problem = random_assignment(0, 12, is_whole=False)
    start = present = problem.random_solution(np.random.default_rng(0))
    for k in range(1, 100):
        present, change = exchanged(problem, present)
        if change >= 0:
            break
        np.testing.assert_array_equal(searched(problem, start, k), present)
    assert k > 4


def test_no_exchange_gains_after_many_moves():
    """What is kept up from move to move would be wrong by then, were it wrong at all."""
    problem = random_assignment(1, 15, is_whole=False)
    found = searched(problem, problem.random_solution(np.random.default_rng(0)), 2000)
    assert problem.is_feasible(found)
    assert exchanged(problem, found)[1] >= 0


def test_tabu_search_finds_the_optimum_of_small_ones():
    """No seed of 100 failed in a tenth of the time; the false-alarm rate is far below 1 in 1000."""
    problem, random = random_assignment(5, 7), np.random.default_rng(0)
    found = problem.improve(problem.random_solution(random), 0.5, random)
    assert problem.objective(found) == problem.objective(problem.brute_force())


@shared
def test_published_permutations_have_their_values():
    """Those of kra30a and tho30 are written the other way round."""
    paths = sorted((INSTANCES / "qap").glob("*.sln"))
    assert len(paths) == 33
    for path in paths:
        n, value, *places = (int(word) for word in path.read_text().replace(",", " ").split())
        solution = np.array(places[:n]) - min(places)
        if path.stem in ("kra30a", "tho30"):
            solution = np.argsort(solution)
        problem = read_quadratic_assignment(path.with_suffix(".dat"))
        assert problem.is_feasible(solution)
        assert problem.objective(solution) == value, path.stem


@shared
@pytest.mark.parametrize("name", ["nug12", "tai12a", "chr12a", "scr12"])
def test_optima_of_qaplib_are_proven(name):
    problem = read_quadratic_assignment(INSTANCES / "qap" / f"{name}.dat")
    optimum = json.loads((INSTANCES / "best_known.json").read_text())["qap"][name]
    certificate = problem.certify(60)
    assert (certificate.objective, certificate.bound, certificate.status) == (optimum, optimum, "optimal")
    assert problem.objective(certificate.solution) == optimum


@shared
def test_a_bound_is_proven_where_the_time_ends():
    problem = read_quadratic_assignment(INSTANCES / "qap" / "nug30.dat")
    certificate = problem.certify(0.5)
    assert certificate.status == "bounded"
    assert 5266 <= certificate.bound <= 6124 <= certificate.objective
    assert problem.objective(certificate.solution) == certificate.objective


@shared
@pytest.mark.parametrize(("name", "bound"), [("nug12", 472), ("nug15", 973), ("nug20", 2196), ("nug30", 5266)])
def test_projection_bound_is_the_published_one(name, bound):
    """Anstreicher, Brixius 2001, Mathematical Programming 89, 341, table 1, column PB."""
    problem = read_quadratic_assignment(INSTANCES / "qap" / f"{name}.dat")
    assert ceil(projection_bound(problem.flows, problem.distances)) == bound


TEXT = "2\n\n0 1\n2 0\n\n0 3\n4 0\n"


def test_files_are_read(tmp_path):
    (tmp_path / "two.dat").write_text(TEXT)
    problem = read_quadratic_assignment(tmp_path / "two.dat")
    assert problem.flows.tolist() == [[0, 1], [2, 0]]
    assert problem.distances.tolist() == [[0, 3], [4, 0]]
    assert problem.objective(np.array([1, 0])) == 1 * 4 + 2 * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT[:-4], r"line 6: the file ends, expected 4 numbers \(second matrix\), there are 2"),
        (TEXT.replace("3", "x"), r"line 6: 'x', expected a finite number \(second matrix\)"),
        (TEXT + "5", "line 8: '5', expected the end of the file"),
        ("0" + TEXT[1:], "line 1: '0', expected an integer from 2"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "two.dat").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_quadratic_assignment(tmp_path / "two.dat")


def test_bad_matrices_are_refused():
    with pytest.raises(ProblemError, match=r"expected twice \(N, N\)"):
        QuadraticAssignment(np.ones((2, 2)), np.ones((3, 3)))
    with pytest.raises(ProblemError, match="flows holds NaN"):
        QuadraticAssignment(np.full((2, 2), np.nan), np.ones((2, 2)))


def test_no_grid_lies_over_the_picture():
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"axes.grid": True}):
        axes = Figure().add_subplot()
        QuadraticAssignment(np.ones((3, 3)), np.ones((3, 3))).draw(np.arange(3), axes)
    assert not any(line.get_visible() for line in axes.get_xgridlines() + axes.get_ygridlines())


@pytest.mark.parametrize("seed", range(3))
def test_no_assignment_is_below_the_linear_bound(seed):
    for problem in (random_assignment(seed), random_assignment(seed, is_whole=False), grid_assignment(seed)):
        best = problem.objective(problem.brute_force())
        assert linear_bound(problem.flows, problem.distances) <= best + 1e-9
    # Where only facilities with themselves cost, it is the linear assignment's optimum.
    own = QuadraticAssignment(np.diag([3.0, 1, 2]), np.diag([5.0, 7, 4]))
    assert linear_bound(own.flows, own.distances) == own.objective(own.brute_force()) == 3 * 4 + 2 * 5 + 1 * 7
