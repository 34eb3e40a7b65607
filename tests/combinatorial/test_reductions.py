"""Roof duality: bounds and fixed variables of small functions against brute force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qloom.combinatorial.quadratic import Quadratic
from qloom.combinatorial.reductions import reduce_quadratic, roof_dual


def random_function(seed: int, kind: str, density: float = 0.4) -> Quadratic:
    random = np.random.default_rng(seed)
    pairs = np.triu(random.normal(size=(10, 10)) * (random.random((10, 10)) < density), 1)
    return Quadratic.from_matrix(pairs, kind, 1.5 * random.normal(size=10), 0.7)


@pytest.mark.parametrize("kind", ["binary", "spin"])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_fixed_is_so_in_some_minimum_and_the_bound_holds(kind, seed):
    function = random_function(seed, kind)
    values = (0, 1) if kind == "binary" else (-1, 1)
    states = np.array(list(product(values, repeat=10)))
    energies = function.energies(states)
    found = roof_dual(function)
    assert found.bound <= energies.min() + 1e-9
    held = np.ones(len(states), bool)
    for variable, value in found.fixed.items():
        held &= states[:, variable] == value
    assert energies[held].min() == pytest.approx(energies.min())
    rest, left, fixed = reduce_quadratic(function)
    assert len(left) + len(fixed) == 10
    assert len(fixed) >= len(found.fixed)
    others = np.array(list(product(values, repeat=len(left))))
    assert (rest.energies(others).min() if len(left) else rest.constant) == pytest.approx(energies.min())


@pytest.mark.parametrize("seed", range(3))
def test_small_coefficients_beside_large_ones_count(seed):
    random = np.random.default_rng(seed)
    for kind, values in (("binary", (0, 1)), ("spin", (-1, 1))) * 8:
        states = np.array(list(product(values, repeat=6)))
        matrix = np.triu(random.choice([1, -1, 1e-8, -1e-8, 3e-9, 0], (6, 6)), 1)
        function = Quadratic.from_matrix(matrix, kind, random.choice([1, -1, 1e-8, -1e-8, 2e-9, 0], 6))
        energies, fixed = function.energies(states), reduce_quadratic(function)[2]
        held = (states[:, list(fixed)] == list(fixed.values())).all(axis=1)
        assert energies[held].min() <= energies.min() + 1e-12


def test_a_function_that_only_attracts_is_solved_whole():
    """Without frustration, -s_i s_j with fields, the relaxation is exact (a minimum cut)."""
    random = np.random.default_rng(3)
    first, second = np.triu_indices(12, 1)
    function = Quadratic.from_pairs("spin", first, second, -random.random(66), random.normal(size=12) * 3)
    states = np.array(list(product((-1, 1), repeat=12)))
    rest, left, fixed = reduce_quadratic(function)
    assert (rest.n, len(left), len(fixed)) == (0, 0, 12)
    assert roof_dual(function).bound == pytest.approx(function.energies(states).min())
    assert rest.constant == pytest.approx(function.energies(states).min())


def test_a_function_without_variables_is_its_constant():
    assert roof_dual(Quadratic.from_matrix(np.zeros((0, 0)), constant=2.5)) == (2.5, {})


def test_a_frustrated_function_is_left_open():
    """A triangle of repelling spins without fields: every spin is 1/2 in the relaxation."""
    triangle = Quadratic.from_pairs("spin", [0, 0, 1], [1, 2, 2], np.ones(3), np.zeros(3))
    assert reduce_quadratic(triangle)[2] == {}
