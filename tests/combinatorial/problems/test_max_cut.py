"""Graphs: cuts, files, certificates of others."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial import MaxCut, MemeticAnnealing, read_max_cut, solve
from qloom.combinatorial.problems.max_cut import eigenvalue_bound
from qloom.errors import ProblemError
from qloom.testing import check_problem
from tests.shared import shared


def test_a_cut_is_the_weight_between_both_sides():
    random = np.random.default_rng(0)
    edges = np.array([(i, j) for i in range(6) for j in range(i) if random.random() < 0.7])
    problem = MaxCut(6, edges, random.normal(size=len(edges)))
    for sides in product((-1, 1), repeat=6):
        between = sum(w for (i, j), w in zip(problem.edges, problem.weights, strict=True) if sides[i] != sides[j])
        assert problem.cut(sides) == pytest.approx(between)


def test_contract():
    for seed in range(3):
        random = np.random.default_rng(seed)
        edges = np.array([(i, j) for i in range(7) for j in range(i) if random.random() < 0.6])
        check_problem(MaxCut(7, edges, random.integers(-2, 4, len(edges))), seed=seed)


def test_files_are_read(tmp_path):
    (tmp_path / "square.txt").write_text("4 4\n1 2\n2 3 1\n3 4 1.5\n4 1 -1\n\n")
    problem = read_max_cut(tmp_path / "square.txt")
    assert problem.n_nodes == 4
    assert problem.edges.tolist() == [[0, 1], [1, 2], [2, 3], [3, 0]]
    assert problem.weights.tolist() == [1, 1, 1.5, -1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("4\n", "line 1: the file ends, expected 1 numbers .edges."),
        ("3 1\n1 4 1\n", "line 2: '4', expected an integer from 1 to 3 .two nodes."),
        ("3 1\n1 2 x\n", "line 2: 'x', expected a finite number"),
        ("3 1\n1 2 nan\n", "line 2: 'nan', expected a finite number"),
        ("3 1\n1 2.5 1\n", r"line 2: '2\.5', expected an integer from 1 to 3"),
        ("3 1\n1 2 1 1\n", "line 2: '1', expected the end"),
        ("3 2\n1 2 1\n", "has 1 edges, expected 2 as its line 1 says"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "graph.txt").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_max_cut(tmp_path / "graph.txt")
    with pytest.raises(ProblemError, match=r"no\.txt cannot be read"):
        read_max_cut(tmp_path / "no.txt")


@shared
@pytest.mark.parametrize(
    ("name", "value"),
    [("maxcut_gset/G1", 11624), ("maxcut_gset/G43", 6660), ("qubo_bqp/bqp250-1", 45607), ("qubo_bqp/bqp500-1", 116586)],
)
def test_certificates_of_others_and_our_own_searches(name, value):
    """The cut that others published has the value they say, and the search finds one as good within seconds."""
    file = next(path for path in (INSTANCES / f"{name}.txt", INSTANCES / f"{name}.sparse.mc") if path.exists())
    problem = read_max_cut(file)
    sides = np.array((INSTANCES / f"{name}_opt_cut.txt").read_text().replace(",", " ").split(), int)
    assert problem.cut(sides) == value
    found = MemeticAnnealing().minimize(problem.quadratic, time_limit=20, target=-value, seed=0)
    assert found.energy == -value
    assert problem.cut(found.state) == value


def test_no_cut_passes_the_eigenvalue_bound():
    """On a ring of five all nodes are alike and the bound is 5 (5 + sqrt 5) / 8; random graphs by brute force."""
    ring = MaxCut(5, np.array([(k, (k + 1) % 5) for k in range(5)]), np.ones(5))
    assert eigenvalue_bound(ring.laplacian, 1.0) == pytest.approx(5 * (5 + np.sqrt(5)) / 8)
    for seed in range(5):
        random = np.random.default_rng(seed)
        edges = np.array([(i, j) for i in range(10) for j in range(i) if random.random() < 0.6])
        problem = MaxCut(10, edges, random.integers(-2, 4, len(edges)))
        best = problem.objective(problem.brute_force())
        bound = eigenvalue_bound(problem.laplacian, 0.5)
        assert best <= bound <= problem.weights[problem.weights > 0].sum() * 1.2 + 1


@pytest.mark.parametrize("n", [24, 31])
@pytest.mark.parametrize("weight", [1.0, 1 / 3, 1e6])
def test_the_eigenvalue_bound_of_complete_bipartite_graphs_is_their_cut(n, weight):
    """N / 4 times the largest eigenvalue, 2 n, of the Laplacian of K_n,n with N = 2 n nodes: n^2, all edges."""
    edges = np.array([(i, n + j) for i in range(n) for j in range(n)])
    problem = MaxCut(2 * n, edges, np.full(n * n, weight))
    bound = eigenvalue_bound(problem.laplacian, 1.0)
    assert n * n * weight <= bound * (1 + 1e-14)
    assert bound == pytest.approx(n * n * weight, rel=1e-6)
    solved = solve(problem, time_limit=1, seed=0, controls=False)
    assert solved.objective == pytest.approx(n * n * weight)


@pytest.mark.parametrize(("n", "weight"), [(1, 1.0), (40, 0.0)])
def test_graphs_without_cuts_are_solved(n, weight):
    edges = np.array([(k % n, 7 * k % n) for k in range(600)])
    assert solve(MaxCut(n, edges, np.full(600, weight)), time_limit=1, seed=0).objective == 0


@shared
def test_the_bound_of_a_large_graph_is_near_its_best_cut():
    problem = read_max_cut(INSTANCES / "maxcut_gset" / "G1.txt")
    certificate = problem.certify(6.0, problem.random_solution(np.random.default_rng(0)))
    assert 11624 <= certificate.bound <= 12400
    assert certificate.status == "bounded"
