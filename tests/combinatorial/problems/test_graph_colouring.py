"""Graph colouring: the contract, chromatic numbers that are known, files of DIMACS."""

from __future__ import annotations

import time

import networkx as nx
import numpy as np
import pytest
from matplotlib.figure import Figure

from qloom.combinatorial.problems.formats import read_problem
from qloom.combinatorial.problems.graph_colouring import GraphColouring, greedy_colours, read_graph_colouring
from qloom.combinatorial.problems.node_classes import network_layout
from qloom.combinatorial.solving import solve
from qloom.errors import ProblemError
from qloom.testing import check_problem


def colouring(graph: nx.Graph, n_colours: int) -> GraphColouring:
    graph = nx.convert_node_labels_to_integers(graph)
    return GraphColouring(len(graph), np.array(graph.edges), n_colours)


@pytest.mark.parametrize(("seed", "n_colours"), [(0, 3), (2, 3), (1, 4)])
def test_contract(seed, n_colours):
    check_problem(colouring(nx.gnp_random_graph(7, 0.45, seed=seed), n_colours), seed=seed)


@pytest.mark.parametrize(
    ("graph", "chromatic"),
    [
        (nx.petersen_graph(), 3),
        (nx.complete_graph(5), 5),
        (nx.cycle_graph(7), 3),
        (nx.grotzsch_graph() if hasattr(nx, "grotzsch_graph") else nx.mycielski_graph(4), 4),
    ],
    ids=["petersen", "complete", "odd cycle", "mycielski"],
)
def test_chromatic_numbers_are_proven(graph, chromatic):
    problem, random = colouring(graph, chromatic), np.random.default_rng(0)
    assert problem.is_feasible(problem.improve(problem.random_solution(random), 2.0, random))
    assert problem.certify(30).status == "optimal"
    assert colouring(graph, chromatic - 1).certify(30).status == "infeasible"
    with pytest.raises(ProblemError, match="no solution"):
        colouring(nx.cycle_graph(5), 2).brute_force()


def test_tabu_search_colours_the_queens_of_a_seven_by_seven_board():
    """Seven colours; greedy colouring takes more."""
    squares = [(i, j) for i in range(7) for j in range(7)]
    graph = nx.Graph(
        (a, b) for a in squares for b in squares
        if a < b and (a[0] == b[0] or a[1] == b[1] or abs(a[0] - b[0]) == abs(a[1] - b[1]))
    )  # fmt: skip
    problem, random = colouring(graph, 7), np.random.default_rng(1)
    assert greedy_colours(problem.n_nodes, problem.edges) > 7
    assert problem.is_feasible(problem.improve(problem.random_solution(random), 20.0, random))


RING = "p edge 6 6\ne 1 3\ne 3 5\ne 5 2\ne 2 4\ne 4 6\ne 6 1\n"


def test_the_fewest_colours_are_looked_for(tmp_path):
    """A ring of six nodes whose order misleads a greedy colouring to three."""
    (tmp_path / "ring.col").write_text(RING)
    problem = read_problem(tmp_path / "ring.col")
    assert "the fewest colours are looked for, at most the 3" in problem.notes[0]
    solved = solve(problem, time_limit=2, seed=0, controls=False)
    assert (solved.objective, solved.optimal, solved.feasible) == (2, True, True)
    with pytest.raises(ProblemError, match="no solution meets all constraints"):
        solve(read_problem(tmp_path / "ring.col", colours=1), time_limit=2, seed=0, controls=False)


@pytest.mark.parametrize(("graph", "chromatic"), [(nx.petersen_graph(), 3), (nx.cycle_graph(9), 3)])
def test_superfluous_colours_are_done_without(graph, chromatic):
    problem, random = colouring(graph, 6), np.random.default_rng(0)
    found = problem.improve(problem.random_solution(random), 1.0, random)
    assert (problem.is_feasible(found), problem.objective(found)) == (True, chromatic)


TEXT = "c a triangle and a node\np edge 4 3\ne 1 2\ne 2 3\ne 1 3\n"


def test_files_are_read(tmp_path):
    (tmp_path / "one.col").write_text(TEXT)
    problem = read_graph_colouring(tmp_path / "one.col")
    assert (problem.n_nodes, problem.edges.tolist(), problem.n_classes) == (4, [[0, 1], [0, 2], [1, 2]], 3)
    assert read_graph_colouring(tmp_path / "one.col", n_colours=2).n_classes == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("e 2 3", "e 2 9"), "line 4: '9', expected an integer from 1 to 4"),
        (TEXT.replace("e 2 3", "x 2 3"), "line 4: 'x 2 3', expected 'p edge NODES EDGES'"),
        (TEXT.replace("e 1 3\n", ""), "has 2 edges, expected a line 'p edge NODES EDGES' and as many"),
        (TEXT.replace("e 1 3", "e 1 1"), "join a node to itself"),
        ("4 3\n1 2\n", "line 1: '4 3', expected 'p edge"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "one.col").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_graph_colouring(tmp_path / "one.col")


def test_pictures_keep_isolated_nodes_near():
    """A ring, a lone edge and isolated nodes: no two nodes meet, and the ring takes half of the picture at least."""
    ring = nx.cycle_graph(20)
    problem = GraphColouring(26, np.array([*ring.edges, (20, 21)]), 3)
    places = network_layout(problem.adjacency)
    apart = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(26, 1)]
    assert apart.min() > 0.02 * apart.max()
    assert np.ptp(places[:20], axis=0).max() > 0.5 * np.ptp(places, axis=0).max()


def test_a_graph_of_ten_thousand_edges_is_drawn_with_some_of_them():
    random = np.random.default_rng(0)
    edges = np.argwhere(np.triu(random.random((200, 200)) < 0.5, 1))
    problem, axes = GraphColouring(200, edges, 30), Figure().add_subplot()
    start = time.process_time()
    problem.draw(problem.random_solution(random), axes)
    assert time.process_time() - start < 5  # every edge by itself took 15 s and more
    assert " of 9," in axes.get_title()
    assert sum(len(lines.get_segments()) for lines in axes.collections if hasattr(lines, "get_segments")) <= 2000
