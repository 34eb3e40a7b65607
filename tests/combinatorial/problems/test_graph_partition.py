"""Graph partition: the contract, cuts that are known, files of METIS."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from qloom.combinatorial.problems.graph_partition import GraphPartition, read_graph_partition
from qloom.errors import ProblemError
from qloom.testing import check_problem


@pytest.mark.parametrize("n_parts", [1, 2, 3])
def test_contract(n_parts):
    for seed in range(2):
        graph = nx.gnp_random_graph(7, 0.5, seed=seed)
        weights = np.random.default_rng(seed).normal(size=graph.number_of_edges())
        check_problem(GraphPartition(7, np.array(graph.edges), weights, n_parts), seed=seed)


@pytest.mark.parametrize(("n_parts", "cut"), [(2, 1), (4, 3)])
def test_a_chain_of_cliques_is_cut_at_its_joints(n_parts, cut):
    """Four cliques of five nodes, one edge from each to the next."""
    graph = nx.disjoint_union_all([nx.complete_graph(5)] * 4)
    graph.add_edges_from([(4, 5), (9, 10), (14, 15)])
    problem, random = GraphPartition(20, np.array(graph.edges), np.ones(43), n_parts), np.random.default_rng(0)
    found = problem.improve(problem.random_solution(random), 1.0, random)
    assert problem.is_feasible(found)
    assert problem.objective(found) == cut


def test_sizes_differ_by_one_at_most():
    problem, random = GraphPartition(11, np.array([[0, 1]]), [1], 3), np.random.default_rng(0)
    for _ in range(20):
        values = random.integers(0, 2, problem.model.n)
        assert np.bincount(problem.decode(values, random)).tolist() == [4, 4, 3]


TEXT = "% a square with a diagonal\n4 5\n2 3 4\n1 3\n1 2 4\n1 3\n"


def test_files_are_read(tmp_path):
    (tmp_path / "one.graph").write_text(TEXT)
    problem = read_graph_partition(tmp_path / "one.graph")
    assert problem.edges.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]
    assert problem.objective(np.array([0, 0, 1, 1])) == 3
    (tmp_path / "two.graph").write_text("3 1 1\n2 7\n1 7\n\n")
    weighted = read_graph_partition(tmp_path / "two.graph", n_parts=3)
    assert (weighted.n_nodes, weighted.weights.tolist()) == (3, [7])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("1 2 4", "1 2 9"), "line 5: '9', expected an integer from 1 to 4"),
        (TEXT.replace("1 2 4", "1 2"), "expected each of 5 edges twice; 4 and 3 do not both name the other"),
        (TEXT.replace("4 5", "4 6"), "names 10 neighbours, expected each of 6 edges twice"),
        (TEXT[:-4], "has 3 lines after its first, expected 4, one a node"),
        ("3 3\n1 2 1\n2 3 1\n1 3 1\n", "expected each of 3 edges twice"),
    ],
)
def test_damaged_files_are_refused(tmp_path, text, message):
    (tmp_path / "one.graph").write_text(text)
    with pytest.raises(ProblemError, match=message):
        read_graph_partition(tmp_path / "one.graph")


def test_bad_input_is_refused():
    with pytest.raises(ProblemError, match="n_classes=5, expected at most 3 parts"):
        GraphPartition(3, np.array([[0, 1]]), [1], 5)
    with pytest.raises(ProblemError, match=r"weights has shape \(2,\), expected \(1,\)"):
        GraphPartition(3, np.array([[0, 1]]), [1, 2])
    with pytest.raises(ProblemError, match="nodes outside 0 to 2"):
        GraphPartition(3, np.array([[0, 3]]), [1])
