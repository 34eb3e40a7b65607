"""Values, gradients and samples: closed forms of one layer, central differences, counts of measured states."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

import qloom as ql
from qloom.combinatorial import MaxCut
from qloom.combinatorial.qaoa import (
    QAOA,
    CircuitLandscape,
    CVaR,
    Gibbs,
    GroverLandscape,
    Landscape,
    Mean,
    Polynomial,
    XYRing,
    qaoa_circuit,
)  # fmt: skip
from qloom.combinatorial.qaoa.cost import spins_of
from qloom.combinatorial.qaoa.landscape import MOST_QUBITS_IN_LANES
from qloom.errors import ProblemError

PRISM = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5)]
CUBE = [(i, i ^ 1 << k) for i in range(8) for k in range(3) if not i >> k & 1]
GRAPHS = {"ring": [(i, (i + 1) % 7) for i in range(7)], "prism with triangles": PRISM, "cube": CUBE}


def max_cut(edges: list[tuple[int, int]]) -> Polynomial:
    return Polynomial.from_quadratic(MaxCut(np.max(edges) + 1, np.array(edges), np.ones(len(edges))).quadratic)


def random_cost(n: int, seed: int = 0) -> Polynomial:
    random = np.random.default_rng(seed)
    pairs = {(i, j): random.normal() for i in range(n) for j in range(i)}
    return Polynomial.from_terms(n, pairs | {(0, 1, 2): 0.5, (3,): -0.4, (): 1.0})


def cut_of_one_layer(edges: list[tuple[int, int]], gamma: float, beta: float) -> float:
    """Wang, Hadfield, Jiang, Rieffel 2018, Physical Review A 97, 022304, theorem 1."""
    near: dict[int, set[int]] = {}
    for a, b in edges:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    total = 0.0
    for a, b in edges:
        d, e, f = len(near[a]) - 1, len(near[b]) - 1, len(near[a] & near[b])
        total += 0.5 + np.sin(4 * beta) * np.sin(gamma) * (np.cos(gamma) ** d + np.cos(gamma) ** e) / 4
        total -= np.sin(2 * beta) ** 2 * np.cos(gamma) ** (d + e - 2 * f) * (1 - np.cos(2 * gamma) ** f) / 4
    return total


@pytest.mark.parametrize("name", GRAPHS)
def test_one_layer_has_the_published_closed_form(name):
    cost = max_cut(GRAPHS[name])
    angles = np.random.default_rng(0).uniform(-2, 2, (6, 2))
    values, _ = CircuitLandscape(qaoa_circuit(cost, 1), cost)(angles)
    expected = [-cut_of_one_layer(GRAPHS[name], *point) for point in angles]
    np.testing.assert_allclose(values, expected, atol=1e-10)


LANDSCAPES = {
    "x": lambda objective: CircuitLandscape(qaoa_circuit(random_cost(6), 2), random_cost(6), objective),
    "multi-angle ring": lambda objective: CircuitLandscape(
        qaoa_circuit(random_cost(6), 1, XYRing([[0, 1, 2]]), True), random_cost(6), objective
    ),
    "grover": lambda objective: GroverLandscape(random_cost(6), 3, objective),
    "grover, some states": lambda objective: GroverLandscape(max_cut(CUBE), 2, objective, np.arange(5, 90)),
}


@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("objective", [None, CVaR(0.2), Gibbs(0.5)])
def test_gradients_are_central_differences(name, objective):
    landscape = LANDSCAPES[name](objective)
    points = np.random.default_rng(1).uniform(0, 1, (2, landscape.n_angles))
    _, gradients = landscape(points)
    for point, gradient in zip(points, gradients, strict=True):
        steps = 1e-5 * np.eye(len(point))
        difference = (landscape(point + steps)[0] - landscape(point - steps)[0]) / 2e-5
        np.testing.assert_allclose(gradient, difference, atol=1e-6)


@pytest.mark.parametrize("objective", [Mean(), CVaR(0.2), Gibbs(0.5)])
def test_the_objective_is_that_of_the_probabilities(objective):
    cost, angles = random_cost(5), np.array([0.3, 0.2, 0.5, 0.4])
    p = ql.probabilities(qaoa_circuit(cost, 2), weights=angles)
    value = CircuitLandscape(qaoa_circuit(cost, 2), cost, objective)(angles[None])[0][0]
    assert value == pytest.approx(objective.on(cost.diagonal())(p[None])[0][0])


@pytest.mark.parametrize("n", [MOST_QUBITS_IN_LANES, MOST_QUBITS_IN_LANES + 1])
def test_points_side_by_side_are_points_one_by_one(n):
    cost = max_cut([(i, (i + 1) % n) for i in range(n)])
    landscape = CircuitLandscape(qaoa_circuit(cost, 2), cost)
    points = np.random.default_rng(2).uniform(0, 1, (3, 4))
    values, gradients = landscape(points)
    for point, value, gradient in zip(points, values, gradients, strict=True):
        alone = landscape(point[None])
        assert alone[0][0] == pytest.approx(value)
        np.testing.assert_allclose(alone[1][0], gradient, atol=1e-9)


def measured(landscape: Landscape, cost: Polynomial, p: np.ndarray, angles: np.ndarray) -> float:
    """Chi squared of 20,000 states, in units of its quantile of 1e-6."""
    shots = 20_000
    states = landscape.sample(angles, shots, np.random.default_rng(3))
    indices = ((1 - states.astype(int)) // 2) @ (1 << np.arange(cost.n - 1, -1, -1))
    np.testing.assert_array_equal(spins_of(indices, cost.n), states)
    counts, often = np.bincount(indices, minlength=len(p)), p * shots > 5
    squares = (counts - p * shots)[often] ** 2 / (p * shots)[often]
    return squares.sum() / chi2.ppf(1 - 1e-6, often.sum())


def test_states_are_measured_with_their_probabilities():
    """A false alarm in a million seeds each; the seed is fixed."""
    cost, angles = random_cost(5), np.array([0.2, 0.3, 0.5, 0.4])
    p = ql.probabilities(qaoa_circuit(cost, 2), weights=angles)
    assert measured(CircuitLandscape(qaoa_circuit(cost, 2), cost), cost, p, angles) < 1
    cost = max_cut(PRISM)
    grover, shares = GroverLandscape(cost, 2), np.zeros(64)
    for level, chance in zip(grover.levels, grover.probabilities(angles), strict=True):
        held = np.isclose(cost.diagonal(), level)
        shares[held] = chance / held.sum()
    assert measured(grover, cost, shares, angles) < 1


@pytest.mark.parametrize(
    ("angles", "message"),
    [
        (np.zeros((1, 6)), r"shape \(1, 6\), expected \(B, 4\)"),
        (np.zeros(4), r"shape \(4,\), expected \(B, 4\)"),
        ([[np.nan, 0, 0, 0]], "angles holds NaN"),
        ([["a", 0, 0, 0]], "angles is list, expected real numbers"),
    ],
)
@pytest.mark.parametrize("make", [lambda c: GroverLandscape(c, 2), lambda c: QAOA(2).landscape(c)])
def test_other_angles_are_refused(make, angles, message):
    landscape = make(random_cost(4))
    with pytest.raises(ProblemError, match=message):
        landscape(angles)
    with pytest.raises(ProblemError, match="shots=0, expected an integer from 1"):
        landscape.sample(np.zeros(4), 0, np.random.default_rng(0))


@pytest.mark.parametrize("objective", [None, CVaR(0.2)])
def test_half_the_state_of_an_even_cost_is_the_whole(objective):
    terms = {(0, 1): 0.7, (1, 2): -1.1, (0, 4): 0.4, (0, 1, 3, 4): 0.8, (0, 1, 2, 3): -0.5, (): 0.2}
    cost, points = Polynomial.from_terms(5, terms), np.random.default_rng(4).uniform(-1, 1, (3, 6))
    half = QAOA(3, objective=objective).landscape(cost)
    assert half.circuit.n_qubits == 4
    whole = CircuitLandscape(qaoa_circuit(cost, 3), cost, objective)
    for mine, theirs in zip(half(points), whole(points), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)
    p = ql.probabilities(qaoa_circuit(cost, 3), weights=points[0])
    assert measured(half, cost, p, points[0]) < 1


def test_registers_too_wide_are_refused_with_what_fits():
    cost = max_cut([(i, i + 1) for i in range(26)])
    with pytest.raises(ProblemError, match="27 variables, expected at most 26 for state vectors; annealing"):
        CircuitLandscape(qaoa_circuit(cost, 1), cost)
    with pytest.raises(ProblemError, match="27 variables, expected at most 26"):
        GroverLandscape(cost, 1)
