"""Trees: published values, gradients, a graph that looks like a tree to a circuit, angles of others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.shared import INSTANCES
from qloom.combinatorial import MaxCut
from qloom.combinatorial.qaoa import CircuitLandscape, Polynomial, Tree, qaoa_circuit, tree_angles
from qloom.errors import QloomError
from tests.shared import shared

ANGLES = INSTANCES / "qaoa_angles"

# Degree 3, p = 1 to 9: Wurtz, Lykov 2021, arXiv 2107.00677, and arXiv 2503.12789.
PUBLISHED = [0.692450, 0.755906, 0.792398, 0.816877, 0.836381, 0.849897, 0.859784, 0.867393, 0.873474]
SLOW = [pytest.param(p, marks=pytest.mark.slow) for p in range(7, 10)]


@pytest.mark.parametrize("p", [*range(1, 7), *SLOW])
def test_optimized_angles_reach_the_published_values(p):
    assert Tree(3, p).cut(tree_angles(3, p))[0] == pytest.approx(PUBLISHED[p - 1], abs=1e-6)


@pytest.mark.parametrize("degree", [2, 3, 5])
def test_one_layer_has_a_closed_form(degree):
    """1/2 + sin(4 beta) sin(gamma) cos(gamma)^(D - 1) / 2; two neighbours are a ring, whose best is 3/4."""
    for gamma, beta in np.random.default_rng(0).uniform(-2, 2, (5, 2)):
        expected = 0.5 + np.sin(4 * beta) * np.sin(gamma) * np.cos(gamma) ** (degree - 1) / 2
        assert Tree(degree, 1).cut([[gamma], [beta]])[0] == pytest.approx(expected)
    assert Tree(2, 1).cut(tree_angles(2, 1))[0] == pytest.approx(0.75)


@pytest.mark.parametrize("p", [1, 2, 3, 4])
def test_a_ring_reaches_its_published_optimum(p):
    """(2 p + 1) / (2 p + 2). Source: Mbeng, Fazio, Santoro 2019, arXiv 1906.08948."""
    assert Tree(2, p).cut(tree_angles(2, p))[0] == pytest.approx((2 * p + 1) / (2 * p + 2), abs=1e-8)


def test_a_graph_without_short_cycles_is_a_tree():
    """Heawood's graph: 14 nodes of 3 neighbours, the shortest cycle 6 edges long, more than 2 p + 1 = 5."""
    edges = [(i, (i + 1) % 14) for i in range(14)] + [(i, (i + 5) % 14) for i in range(0, 14, 2)]
    cost = Polynomial.from_quadratic(MaxCut(14, np.array(edges), np.ones(21)).quadratic)
    landscape = CircuitLandscape(qaoa_circuit(cost, 2), cost)
    for angles in np.random.default_rng(1).uniform(-1, 1, (3, 4)):
        values, gradients = landscape(angles[None])
        value, gradient = Tree(3, 2).cut(angles.reshape(2, 2))
        assert -values[0] / 21 == pytest.approx(value)
        np.testing.assert_allclose(-gradients[0] / 21, gradient.ravel(), atol=1e-10)


@pytest.mark.parametrize(("degree", "p"), [(2, 3), (3, 3), (4, 2)])
def test_gradients_are_central_differences(degree, p):
    tree, angles = Tree(degree, p), np.random.default_rng(2).uniform(-1, 1, 2 * p)
    _, gradient = tree.cut(angles.reshape(2, p))
    for k, step in enumerate(1e-5 * np.eye(2 * p)):
        up, down = (tree.cut((angles + sign * step).reshape(2, p))[0] for sign in (1, -1))
        assert gradient.ravel()[k] == pytest.approx((up - down) / 2e-5, abs=1e-8)


@shared
def test_fixed_angles_of_regular_graphs_give_their_stated_values():
    """Wurtz, Lykov 2021, arXiv 2107.00677: guaranteed shares of ten decimals, gammas twice ours."""
    known = json.loads((ANGLES / "fixed_angles_for_regular_graphs.json").read_text()).values()
    chosen = [one for one in known if one["p"] <= 5]
    assert len(chosen) > 20
    for one in chosen:
        cut, _ = Tree(one["d"], one["p"]).cut([np.array(one["gamma"]) / 2, one["beta"]])
        assert cut == pytest.approx(one["AR"], abs=2e-5), (one["d"], one["p"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Tree(1, 1), "degree=1, expected an integer from 2"),
        (lambda: Tree(3, 0), "n_layers=0, expected an integer from 1"),
        (lambda: tree_angles(3, 0), "n_layers=0, expected an integer from 1"),
        (lambda: Tree(3, 1).cut([[np.nan], [0.1]]), "angles holds NaN"),
        (lambda: Tree(3, 18), "a tree of 18 layers"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(QloomError, match=message):
        make()
