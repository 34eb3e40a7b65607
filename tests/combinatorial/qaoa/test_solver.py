"""Searches by circuits: optima of small functions from every start, schedules, recursion, limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import qloom as ql
from qloom.ansatze import strongly_entangling
from qloom.circuits import Circuit
from qloom.combinatorial import Quadratic
from qloom.combinatorial.qaoa import (
    QAOA,
    CVaR,
    Gibbs,
    Polynomial,
    RecursiveQAOA,
    VariationalSearch,
    WarmStart,
    XYRing,
    interpolated,
    linear_ramp,
    relax,
    with_a_wave_more,
)  # fmt: skip
from qloom.combinatorial.qaoa.descent import Descents
from qloom.errors import ProblemError


def random_quadratic(seed: int, n: int = 8, kind: str = "spin") -> Quadratic:
    random = np.random.default_rng(seed)
    return Quadratic.from_matrix(np.triu(random.normal(size=(n, n)), 1), kind, random.normal(size=n) / 2, 0.3)


def lowest(function: Quadratic | Polynomial) -> float:
    values = (-1, 1) if function.kind == "spin" else (0, 1)
    return function.energies(np.array(list(product(values, repeat=function.n)))).min()


SOLVERS = {
    "ramp": lambda **o: QAOA(2, **o),
    "tree": lambda **o: QAOA(3, start="tree", **o),
    "interpolation": lambda **o: QAOA(3, start="interpolation", **o),
    "fourier": lambda **o: QAOA(3, start="fourier", **o),
    "random": lambda **o: QAOA(2, start="random", **o),
    "angles": lambda **o: QAOA(1, start=[0.4, 0.4], n_steps=0, **o),
    "grover": lambda **o: QAOA(2, mixer="grover", **o),
    "multi-angle": lambda **o: QAOA(1, multi_angle=True, n_steps=20, **o),
    "CVaR": lambda **o: QAOA(2, objective=CVaR(0.1), **o),
    "Gibbs": lambda **o: QAOA(2, objective=Gibbs(0.5), dtype=np.float32, **o),
    "recursive": lambda **o: RecursiveQAOA(n_left=4, **o),
    "variational": lambda **o: VariationalSearch(n_steps=20, **o),
    "ansatz": lambda **o: VariationalSearch(ansatz=lambda n: strongly_entangling(n, 1), n_steps=20, **o),
}


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("kind", ["spin", "binary"])
def test_small_functions_are_solved(name, kind):
    """Rounds go on from new starts, so that 256 states have samples enough of a thousand each."""
    function = random_quadratic(1, kind=kind)
    target = lowest(function) + 1e-9
    found = SOLVERS[name]().minimize(function, time_limit=20, target=target, seed=0)
    assert found.energy <= target
    assert function.energies(found.state) == pytest.approx(found.energy)
    assert found.seconds < 15


@pytest.mark.parametrize("name", SOLVERS)
def test_rounds_are_states_with_their_energies_and_do_not_depend_on_threads(name):
    function = random_quadratic(2)
    streams = [SOLVERS[name](threads=threads).rounds(function, np.random.default_rng(0)) for threads in (1, 2)]
    for _ in range(2):
        (states, energies), (others, _) = (next(stream) for stream in streams)
        np.testing.assert_allclose(function.energies(states), energies, atol=1e-9)
        np.testing.assert_array_equal(states, others)


@pytest.mark.parametrize("mixer", ["x", "grover", XYRing([[0, 1, 2]]), WarmStart(np.full(8, 0.3))])
def test_a_descent_ends_where_the_gradient_is_zero(mixer):
    found = QAOA(2, mixer).optimize(random_quadratic(3), seed=0)
    values, gradients = found.landscape(found.angles[None])
    assert values[0] == pytest.approx(found.value)
    assert np.abs(gradients).max() < 1e-4
    assert found.n_evaluations > 8


@pytest.mark.parametrize("size", [1e-6, 1e6])
@pytest.mark.parametrize("options", [{}, {"mixer": "grover"}, {"multi_angle": True}, {"start": "interpolation"}])
def test_the_unit_of_energy_does_not_matter(size, options):
    function = random_quadratic(3, 6)
    scaled = Quadratic.from_matrix(size * function.matrix(), "spin", size * function.linear)
    plain, other = (QAOA(2, **options).optimize(f, seed=0) for f in (function, scaled))
    assert other.value / size == pytest.approx(plain.value - function.constant, abs=1e-4)
    np.testing.assert_array_less(abs(other.n_evaluations - plain.n_evaluations), 0.3 * plain.n_evaluations)


def test_functions_without_terms_are_solved():
    for solver in (QAOA(1), RecursiveQAOA(), VariationalSearch(1)):
        assert solver.minimize(Polynomial.from_terms(3, {(): 2.0}), time_limit=0.01, seed=0).energy == 2.0


def test_values_fall_with_every_layer_and_deep_circuits_find_the_optimum():
    function = random_quadratic(4)
    values = [QAOA(p, start="interpolation").optimize(function, seed=0).value for p in (1, 2, 3, 4)]
    assert (np.diff(values) < -1e-3).all()
    assert lowest(function) < values[-1]


def test_terms_of_any_order_are_solved():
    """Low-autocorrelation sequences of 9: the least sum of squared autocorrelations is 12."""
    n, terms = 9, {}
    for lag in range(1, n):
        for i, j in product(range(n - lag), repeat=2):
            term = tuple(sorted(k for k in {i, i + lag, j, j + lag} if [i, i + lag, j, j + lag].count(k) % 2))
            terms[term] = terms.get(term, 0.0) + 1.0
    cost = Polynomial.from_terms(n, terms)
    assert lowest(cost) == 12
    assert QAOA(2).minimize(cost, time_limit=20, target=12, seed=0).energy == 12


@pytest.mark.parametrize("seed", range(6))
def test_recursion_finds_the_optimum_of_rings_in_its_first_round(seed):
    """Of couplings +-1, with one layer. Source: Bravyi, Kliesch, Koenig, Tang 2020."""
    random, n = np.random.default_rng(seed), 12
    signs, nodes = random.choice([-1.0, 1.0], n), random.permutation(n)
    function = Quadratic.from_pairs("spin", nodes, np.roll(nodes, 1), signs, np.zeros(n))
    _, energies = next(RecursiveQAOA(n_left=4).rounds(function, random))
    assert energies[0] == -n + (2 if np.prod(-signs) < 0 else 0)


def test_one_hot_constraints_hold_in_all_states():
    mixer = XYRing([[0, 1, 2], [3, 4, 5, 6]])
    states, _ = next(QAOA(2, mixer).rounds(random_quadratic(5), np.random.default_rng(0)))
    x = (states + 1) // 2
    assert (x[:, :3].sum(axis=1) == 1).all()
    assert (x[:, 3:7].sum(axis=1) == 1).all()


def test_a_warm_start_helps_where_the_relaxed_solution_is_near():
    random = np.random.default_rng(6)
    factor = random.normal(size=(8, 8))
    function = Quadratic.from_matrix(factor @ factor.T, "binary", -3 * random.uniform(0, 3, 8))
    plain, warm = (QAOA(1, mixer).optimize(function, seed=0).value for mixer in ("x", WarmStart(relax(function))))
    assert warm < plain


def test_schedules():
    np.testing.assert_allclose(linear_ramp(2, 3.0), 0.75 * np.array([[0.25 / 3, 0.75 / 3], [0.75, 0.25]]))
    np.testing.assert_allclose(interpolated(np.array([[1.0], [2.0]])), [[1, 1], [2, 2]])
    np.testing.assert_allclose(interpolated(np.array([[1.0, 3.0], [4.0, 2.0]])), [[1, 2, 3], [4, 3, 2]])


@pytest.mark.parametrize("p", [1, 2, 5])
def test_waves_of_a_schedule_are_kept(p):
    """Zhou et al. 2020, the sums written out."""
    u, v = np.random.default_rng(p).normal(size=(2, p))

    def schedule(p: int) -> list[list[float]]:
        phase = [[(k - 0.5) * (i - 0.5) * np.pi / p for k in range(1, len(u) + 1)] for i in range(1, p + 1)]
        return [[np.dot(u, np.sin(row)) for row in phase], [np.dot(v, np.cos(row)) for row in phase]]

    np.testing.assert_allclose(with_a_wave_more(np.array(schedule(p))), schedule(p + 1), atol=1e-12)


def test_descents_side_by_side_find_the_minima_they_find_alone():
    def rosenbrock(x):
        a, b = x.T
        values = (1 - a) ** 2 + 100 * (b - a**2) ** 2
        return values, np.stack([-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)], axis=1)

    starts = np.random.default_rng(0).uniform(-2, 2, (5, 2))
    together = Descents(rosenbrock, starts)
    together.run(300)
    np.testing.assert_allclose(together.points, 1, atol=1e-4)
    for start, point in zip(starts, together.points, strict=True):
        alone = Descents(rosenbrock, start[None])
        alone.run(300)
        np.testing.assert_allclose(alone.points[0], point, atol=1e-12)


def test_the_ramp_is_annealing():
    """Many layers of small angles follow the ground state: the chance of the optimum is nearly one."""
    function = Quadratic.from_pairs("spin", [0, 1, 2], [1, 2, 3], [-1.0, 1.0, -1.0], [0.5, 0, 0, 0])
    p = 60
    search = QAOA(p, n_steps=0, n_starts=1)
    cost = Polynomial.from_quadratic(function)
    chances = ql.probabilities(search.circuit(cost), weights=search.optimize(cost, seed=0).angles)
    assert chances[cost.diagonal().argmin()] > 0.95


@pytest.mark.parametrize("mixer", ["x", "grover"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_changes_nothing(mixer, dtype):
    function, search = random_quadratic(0, 6), QAOA(2, mixer, dtype=dtype)
    best = search.optimize(function, seed=0)
    for constant in (1e4, 1e8):
        other = search.optimize(replace(function, constant=function.constant + constant), seed=0)
        np.testing.assert_array_equal(other.angles, best.angles)
        assert other.value - constant == pytest.approx(best.value, abs=1e-7)


def test_schedules_of_trees_are_drawn_out():
    function = random_quadratic(0)
    drawn, ramp = (QAOA(7, start=start, n_steps=0).optimize(function).value for start in ("tree", "ramp"))
    assert drawn < ramp


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: QAOA(0), "n_layers=0, expected an integer from 1"),
        (lambda: QAOA(mixer="y"), "mixer='y', expected 'x', 'grover' or a Mixer"),
        (lambda: QAOA(start="best"), "start='best', expected angles or one of ramp, tree, random"),
        (lambda: QAOA(mixer="grover", multi_angle=True), "expected a mixer of parts"),
        (lambda: QAOA(shots=0), "shots=0"),
        (lambda: QAOA(dtype=np.int32), "expected float64 or float32"),
        (lambda: QAOA(2, start=[0.1, 0.2]).optimize(random_quadratic(0)), "start has 2 angles, expected 4"),
        (lambda: QAOA(start=["a"]), "start is list, expected real numbers"),
        (lambda: QAOA(objective="mean"), r"objective='mean', expected Mean\(\)"),
        (lambda: VariationalSearch(ansatz=lambda n: Circuit(n + 1)).optimize(random_quadratic(0, 3)), "4 qubits and 0"),
        (lambda: QAOA().minimize(random_quadratic(0, 27)), "27 variables, expected at most 26"),
        (lambda: VariationalSearch().minimize(random_quadratic(0, 27)), "27 variables, expected at most 26"),
        (lambda: RecursiveQAOA().minimize(random_quadratic(0, 27)), "27 variables, expected at most 26"),
        (lambda: RecursiveQAOA(n_left=0), "n_left=0, expected an integer from 1"),
        (lambda: RecursiveQAOA(QAOA(mixer="grover")), "mixer='grover', expected 'x', which fits"),
        (lambda: VariationalSearch(0), "n_layers=0"),
    ],
)
def test_bad_input_is_refused(run, message):
    with pytest.raises(ProblemError, match=message):
        run()
