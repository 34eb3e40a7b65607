"""Light cones: the whole circuit on small functions, closed forms and trees on wide ones, nothing merged wrongly."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from qloom.combinatorial import MaxCut, Quadratic
from qloom.combinatorial.qaoa import CircuitLandscape, Polynomial, Tree, qaoa_circuit, tree_angles
from qloom.combinatorial.wide import LightCone, light_cone_value
from qloom.errors import ProblemError


def regular(n: int, degree: int, seed: int) -> MaxCut:
    """A random graph whose nodes have equally many neighbours: pairings of stubs until one is a simple graph."""
    random = np.random.default_rng(seed)
    while True:
        edges = np.sort(random.permutation(np.repeat(np.arange(n), degree)).reshape(-1, 2), axis=1)
        if (edges[:, 0] != edges[:, 1]).all() and len(np.unique(edges, axis=0)) == len(edges):
            return MaxCut(n, edges, np.ones(len(edges)))


def sparse(n: int, seed: int, fields: float, whole: bool = False) -> Quadratic:
    random = np.random.default_rng(seed)
    draw = (lambda size: random.integers(-1, 2, size)) if whole else (lambda size: random.normal(size=size))
    pairs = np.triu(draw((n, n)) * (random.random((n, n)) < 2 / n), 1)
    return Quadratic.from_matrix(pairs.astype(float), "spin", fields * draw(n), 0.3)


FUNCTIONS = {
    "3-regular": (regular(14, 3, 0).quadratic, 2),
    "4-regular": (regular(11, 4, 1).quadratic, 1),
    "path": (Quadratic.from_pairs("spin", range(15), range(1, 16), np.ones(15), np.zeros(16)), 3),
    "weights": (sparse(13, 2, 0.0), 2),
    "fields": (sparse(13, 3, 1.0), 2),
    "equal weights and fields": (sparse(14, 4, 1.0, whole=True), 2),
    "one layer": (sparse(16, 5, 1.0, whole=True), 1),
    "binary": (sparse(12, 6, 1.0).as_binary(), 2),
    "fields alone": (Quadratic.from_matrix(np.zeros((4, 4)), "spin", [1.0, 0.0, -2.0, 1.0]), 2),
    "nothing": (Quadratic.from_matrix(np.zeros((3, 3)), "spin", constant=1.5), 1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_those_of_the_whole_circuit(name):
    function, p = FUNCTIONS[name]
    cost = Polynomial.from_quadratic(function)
    points = np.random.default_rng(0).uniform(-1, 1, (2, 2 * p))
    values, gradients = LightCone(function, p)(points)
    expected, slopes = CircuitLandscape(qaoa_circuit(cost, p), cost)(points)
    np.testing.assert_allclose(values, expected, atol=1e-10)
    np.testing.assert_allclose(gradients, slopes, atol=1e-10)
    value, gradient = light_cone_value(function, *points[0].reshape(2, p))
    assert value == pytest.approx(expected[0])
    np.testing.assert_allclose(gradient.ravel(), slopes[0], atol=1e-10)


def test_means_of_terms_are_in_their_places():
    function, p = FUNCTIONS["fields"]
    cone, angles = LightCone(function, p), np.array([0.3, 0.5, 0.4, 0.2])
    cost = Polynomial.from_quadratic(function)
    circuit = qaoa_circuit(cost, p)
    assert cone.terms == list(cost.terms)
    np.testing.assert_allclose(cone.values, list(cost.terms.values()))
    alone = [CircuitLandscape(circuit, Polynomial(cost.n, {t: 1.0}))(angles[None])[0][0] for t in cone.terms]
    np.testing.assert_allclose(cone.means(angles), alone, atol=1e-10)


def test_one_layer_of_a_wide_graph_has_the_published_closed_form():
    """Wang, Hadfield, Jiang, Rieffel 2018, Physical Review A 97, 022304, theorem 1, triangles included."""
    graph = regular(1000, 3, 0)
    near = [set[int]() for _ in range(1000)]
    for a, b in graph.edges.tolist():
        near[a].add(b)
        near[b].add(a)
    triangles = np.array([len(near[a] & near[b]) for a, b in graph.edges])
    assert triangles.any()
    for gamma, beta in np.random.default_rng(1).uniform(-1, 1, (3, 2)):
        open_cuts = 0.5 + np.sin(4 * beta) * np.sin(gamma) * np.cos(gamma) ** 2 / 2
        closed = np.sin(2 * beta) ** 2 * np.cos(gamma) ** (4 - 2 * triangles) * (1 - np.cos(2 * gamma) ** triangles)
        value, _ = light_cone_value(graph.quadratic, [gamma], [beta])
        assert -value == pytest.approx((open_cuts - closed / 4).sum())


def test_two_layers_of_a_wide_graph_are_trees_but_near_short_cycles():
    """Edges near no cycle of up to 5 have the tree's value; the others are few, and circuits of their own."""
    graph = regular(1000, 3, 2)
    function, angles = graph.quadratic, tree_angles(3, 2)
    cone = LightCone(function, 2)
    means = cone.means(angles.ravel())
    trees = np.array([len(c.fields) == 14 and len(c.couplings) == 13 for c in cone.cones])[cone.cone_of]
    assert 0.9 < trees.mean() < 1
    np.testing.assert_allclose((1 - means[trees]) / 2, Tree(3, 2).cut(angles)[0], atol=1e-10)
    assert cone.cone_of[trees].min() == cone.cone_of[trees].max()
    for k in np.flatnonzero(~trees)[::4]:
        ball = set(cone.terms[k])
        for _ in range(2):
            ball |= {int(i) for edge in graph.edges if ball & set(edge.tolist()) for i in edge}
        cost = Polynomial.from_quadratic(function.fix({i: 1 for i in range(1000) if i not in ball})[0])
        pairs = Polynomial(cost.n, {term: value for term, value in cost.terms.items() if len(term) == 2})
        place = {i: n for n, i in enumerate(sorted(ball))}
        term = tuple(place[i] for i in cone.terms[k])
        alone = CircuitLandscape(qaoa_circuit(pairs, 2), Polynomial(cost.n, {term: 1.0}))(angles.reshape(1, -1))
        assert means[k] == pytest.approx(alone[0][0])


def test_equal_cones_are_isomorphic_and_all_isomorphic_ones_of_a_small_graph_are_equal():
    """Against every permutation of the spins, of cones of up to 7."""
    graph = sparse(40, 7, 1.0, whole=True)
    cone = LightCone(graph, 1)
    small = [one for one in cone.cones if len(one.fields) <= 6]
    assert len(small) > 10
    for k, one in enumerate(small):
        for other in small[:k]:
            same_size = len(one.fields) == len(other.fields) and one.n_roots == other.n_roots
            assert not (same_size and any(renamed(one, p) == other for p in permutations(range(len(one.fields)))))


def renamed(cone, names):
    """The cone with other numbers for its spins, roots among the first."""
    fields = [0.0] * len(names)
    for i, field in enumerate(cone.fields):
        fields[names[i]] = field
    couplings = sorted((*sorted((names[i], names[j])), value) for i, j, value in cone.couplings)
    roots_first = {names[i] for i in range(cone.n_roots)} == set(range(cone.n_roots))
    return type(cone)(cone.n_roots if roots_first else 0, tuple(fields), tuple(couplings))


def test_symmetric_graphs_are_one_circuit():
    """A ring, a torus and a hypercube: every edge is like any other."""
    ring = [(i, (i + 1) % 500) for i in range(500)]
    cube = [(i, i ^ 1 << b) for i in range(16) for b in range(4) if not i >> b & 1]
    for n, edges, p in ((500, ring, 3), (16, cube, 1)):
        assert len(LightCone(MaxCut(n, np.array(edges), np.ones(len(edges))).quadratic, p).cones) == 1
    value, _ = light_cone_value(MaxCut(500, np.array(ring), np.ones(500)).quadratic, *tree_angles(2, 3))
    assert -value / 500 == pytest.approx(7 / 8)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: LightCone(regular(200, 3, 0).quadratic, 3), r"term \(.*\) holds (29|30|2[78]) spins at 3 layers, ex"),
        (lambda: LightCone(regular(20, 3, 0).quadratic, 0), "n_layers=0, expected an integer from 1"),
        (lambda: LightCone(regular(20, 3, 0).quadratic, 1, np.int8), "expected float64 or float32"),
        (lambda: LightCone(regular(20, 3, 0).quadratic, 1)([0.1, 0.2]), r"shape \(2,\), expected \(B, 2\)"),
        (lambda: light_cone_value(regular(20, 3, 0).quadratic, [0.1], [0.1, 0.2]), "expected twice"),
    ],
)
def test_bad_input_is_refused(run, message):
    with pytest.raises(ProblemError, match=message):
        run()
