"""Bits: the minimum with penalties is the model's, for every kind of variable, constraint and product."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qloom.combinatorial.binary_form import BinaryForm, bit_weights
from qloom.combinatorial.model import Model
from qloom.combinatorial.penalties import search
from qloom.combinatorial.products import merge, reduce
from qloom.combinatorial.solvers import SimulatedAnnealing
from qloom.errors import ProblemError
from tests.combinatorial.models import every_value, random_model


def states(n: int) -> np.ndarray:
    return np.array(list(product((0, 1), repeat=n)), np.int8)


@pytest.mark.parametrize("seed", range(6))
def test_the_lowest_state_under_high_penalties_is_the_best_solution(seed):
    model = random_model(seed)
    form, values = BinaryForm(model), every_value(model)
    feasible = model.violations(values).sum(axis=1) == 0
    sign = 1 if model.sense == "min" else -1
    best = (sign * model.objective(values[feasible])).min()
    energies = form.quadratic(100 * form.bounds()).energies(states(form.n_bits))
    assert energies.min() == pytest.approx(best, abs=1e-5)
    found = form.decode(states(form.n_bits)[[energies.argmin()]])[0]
    assert sign * model.objective(found) == pytest.approx(best)
    assert not model.violated(found)


@pytest.mark.parametrize("seed", range(3))
def test_without_penalties_the_function_is_the_objective(seed):
    """At its best over the bits that only stand for products and slacks."""
    model = random_model(seed)
    form = BinaryForm(model)
    energies, sign = form.objective.energies(states(form.n_bits)), 1 if model.sense == "min" else -1
    values, which = np.unique(form.decode(states(form.n_bits)), axis=0, return_inverse=True)
    lowest = np.full(len(values), np.inf)
    np.minimum.at(lowest, which.ravel(), energies)
    assert len(values) == len(every_value(model))
    np.testing.assert_allclose(lowest, sign * model.objective(values), atol=1e-9)


def test_bits_reach_every_value_and_no_other():
    for most in range(70):
        weights = bit_weights(most)
        assert {int(state @ weights) for state in states(len(weights))} == set(range(most + 1))


def test_at_most_one_needs_no_slack():
    model = Model()
    x = model.binary("x", 5)
    model.constrain("few", x, 3, "<=", 5)
    form = BinaryForm(model)
    assert form.n_bits == 5
    energies = form.quadratic(np.ones(1)).energies(states(5))
    count = states(5).sum(axis=1)
    np.testing.assert_allclose(energies, count * (count - 1) / 2)


def test_decimal_numbers_have_slack_too():
    """.5 a + 1.25 b + 2 c at most 2.6 means 50 a + 125 b + 200 c at most 260."""
    model = Model()
    x = model.binary("x", 3)
    model.constrain("decimal", x, [0.5, 1.25, 2], "<=", 2.6)
    form = BinaryForm(model)
    energies = form.quadratic(np.ones(1)).energies(states(form.n_bits)).reshape(8, -1).min(axis=1)
    np.testing.assert_array_equal(energies == 0, states(3) @ [0.5, 1.25, 2] <= 2.6)


def test_unbalanced_penalties_need_no_slack_and_lead_to_the_optimum():
    model = Model("max")
    x = model.binary("x", 6)
    weights = np.array([3, 5, 2, 7, 4, 6])
    model.add([4, 6, 3, 9, 5, 7], x)
    model.constrain("weight", x, weights, "<=", 14)
    form = BinaryForm(model, "unbalanced")
    assert form.n_bits == 6
    energies = form.quadratic(np.array([2.0])).energies(states(6))
    h = (14 - states(6) @ weights) / np.sqrt((weights**2).mean())
    np.testing.assert_allclose(energies, -model.objective(states(6)) + 2 * (h**2 / 2 - h), atol=1e-9)


def test_longer_products_become_pairs():
    random = np.random.default_rng(0)
    terms = [(np.sort(random.choice(6, order, replace=False)), random.normal()) for order in (1, 2, 3, 3, 4, 5)]
    products = merge((bits[None], np.array([value])) for bits, value in terms)
    short, pairs = reduce(products, 6)
    assert max(short) == 2
    n = 6 + len(pairs)

    def energies(some: dict, x: np.ndarray) -> np.ndarray:
        return sum(x[:, bits].prod(axis=2) @ values for bits, values in some.values())

    lowest = energies(short, states(n)).reshape(64, -1).min(axis=1)
    np.testing.assert_allclose(lowest, energies(products, states(6)), atol=1e-9)


def test_penalties_are_raised_where_a_constraint_is_missed_and_only_there():
    """The first penalty of `many` is too low for its fine coefficients; the search ends with solutions that hold."""
    model = Model("max")
    x = model.binary("x", 8)
    model.add(np.arange(8, 16), x)
    model.constrain("many", x, [1, 9, 9, 9, 9, 9, 9, 9], "<=", 27)
    model.constrain("pair", x[:2], 1, "==", 1)
    stream = search(BinaryForm(model), SimulatedAnnealing(200, 8), np.random.default_rng(0))
    rounds = [next(stream)[0] for _ in range(40)]
    feasible = [values for values in rounds if not model.violated(values)]
    best = max(float(model.objective(values)) for values in states(8) if not model.violated(values))
    assert max(float(model.objective(values)) for values in feasible) == best


@pytest.mark.parametrize(
    ("coefficients", "right", "inequalities", "message"),
    [
        ([1 / 3, 1.0], 1.2, "slack", "'a' has coefficients that are not whole, expected at most three digits"),
        ([1, 2], 2, "bits", "inequalities='bits', expected 'slack' or 'unbalanced'"),
    ],
)
def test_bad_input_is_refused(coefficients, right, inequalities, message):
    model = Model()
    model.constrain("a", model.binary("x", 2), coefficients, "<=", right)
    with pytest.raises(ProblemError, match=message):
        BinaryForm(model, inequalities)
