"""Models: what they say of values, and what they refuse."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from qloom.combinatorial.model import Model
from qloom.errors import ProblemError


def knapsack() -> Model:
    model = Model("max")
    x = model.binary("taken", 4)
    model.add([3, 4, 5, 2], x)
    model.add(-2, x[0], x[1])
    model.add(7, x[1], x[2], x[3])
    model.add(0.5)
    model.constrain("weight", x, [2, 3, 4, 1], "<=", 6)
    model.constrain("one of each pair", x.reshape(2, 2), 1, ">=", 1)
    return model


def test_objective_and_violations_are_what_was_written():
    model = knapsack()
    for a, b, c, d in product((0, 1), repeat=4):
        values = [a, b, c, d]
        assert model.objective(values) == 0.5 + 3 * a + 4 * b + 5 * c + 2 * d - 2 * a * b + 7 * b * c * d
        weight, first, second = 2 * a + 3 * b + 4 * c + d, a + b, c + d
        expected = {"weight": max(weight - 6, 0), "one of each pair[0]": 1 - first, "one of each pair[1]": 1 - second}
        assert model.violated(values) == {name: amount for name, amount in expected.items() if amount > 0}
    batch = np.array(list(product((0, 1), repeat=4)))
    np.testing.assert_array_equal(model.objective(batch), [model.objective(row) for row in batch])
    np.testing.assert_array_equal(model.violations(batch), [model.violations(row) for row in batch])


def test_variables_of_every_kind_have_their_bounds_and_names():
    model = Model()
    model.binary("x", (2, 3))
    model.spin("s")
    model.integer("y", -2, 5, 2)
    model.one_hot("choice", 2, 3)
    assert model.n == 6 + 1 + 2 + 6
    assert model.lower.tolist() == [0] * 6 + [-1] + [-2] * 2 + [0] * 6
    assert model.upper.tolist() == [1] * 6 + [1] + [5] * 2 + [1] * 6
    named = model.named(np.arange(15))
    assert named["x"] == [[0, 1, 2], [3, 4, 5]]
    assert named["s"] == 6
    assert [c.name for c in model.constraints] == ["one choice[0]", "one choice[1]"]


def test_what_is_added_later_counts():
    model = Model()
    x = model.binary("x", 2)
    model.add(1, x)
    assert model.objective([1, 1]) == 2
    model.add(5, x[0], x[1])
    model.constrain("few", x, 1, "<=", 1)
    assert model.objective([1, 1]) == 7
    assert model.violated([1, 1]) == {"few": 1}


def test_a_variable_twice_in_a_constraint_counts_twice():
    model = Model()
    x = model.binary("x", 2)
    model.constrain("twice", [x[0], x[0], x[1]], 1, "<=", 2)
    assert model.violated([1, 1]) == {"twice": 1}


def test_a_large_coefficient_of_what_is_zero_forgives_nothing():
    model = Model("max")
    x, y = model.binary("x"), model.integer("y", 0, 1000)
    model.constrain("c", [x, y], [1e12, 1], "<=", 5)
    assert model.violated([0, 900]) == {"c": 895}
    assert model.violated([0, 5]) == {}


def test_rounding_is_forgiven():
    model = Model()
    model.constrain("sum", model.binary("x", 3), [0.1, 0.2, 0.4], "==", 0.3)
    assert model.violated([1, 1, 0]) == {}


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda m, x: m.binary("x"), "variables 'x' are there already"),
        (lambda m, x: m.integer("y", 3, 1), "'y' from 3 to 1, expected two integers"),
        (lambda m, x: m.integer("y", 0.5, 1), "'y' from 0.5 to 1, expected two integers"),
        (lambda m, x: m.one_hot("y", 2, 0), "n_choices=0, expected at least 1"),
        (lambda m, x: m.add(np.nan, x), "values of the objective holds NaN"),
        (lambda m, x: m.add(1, [3]), "variables .* expected numbers below 3"),
        (lambda m, x: m.add(1, [0.0]), "expected numbers below 3"),
        (lambda m, x: m.constrain("a", x, 1, "<", 1), "comparison='<'"),
        (lambda m, x: m.constrain("a", x, np.inf, "<=", 1), "coefficients of 'a' holds NaN or infinity"),
        (lambda m, x: m.constrain("a", x, 1, ">=", 4), "constraint 'a' asks for >= 4, its left side lies from 0 to 3"),
        (lambda m, x: m.constrain("a", x, [1, -2, 0], "==", 2), "'a' asks for == 2, its left side lies from -2 to 1"),
        (lambda m, x: [m.constrain("a", x, 1, "<=", 1) for _ in range(2)], "constraint 'a' is there already"),
        (lambda m, x: m.integer("y", float("nan"), 3), "'y' from nan to 3, expected two integers"),
        (lambda m, x: m.integer("y", 0, 2**62), "expected two integers below"),
        (lambda m, x: m.binary("y", 2.5), "variables 'y' have shape 2.5, expected integers"),
        (lambda m, x: m.add([1, 2], x), r"shapes \[\(2,\), \(3,\)\], expected ones that broadcast"),
        (lambda m, x: m.constrain("a", x, [1, 2], "<=", 1), r"'a' has variables \(3,\), coefficients \(2,\)"),
        (lambda m, x: m.constrain("a", x, 1, "<=", [1, 2]), r"right side \(2,\), expected shapes that broadcast"),
        (lambda m, x: m.objective([0, 1]), r"values has shape \(2,\), expected \(3,\) or \(B, 3\)"),
        (lambda m, x: m.objective([0, 1, 2]), "outside the variables' bounds"),
        (lambda m, x: m.violations([0, 0.5, 1]), "not whole"),
        (lambda m, x: Model("least"), "sense='least', expected 'min' or 'max'"),
    ],
)
def test_bad_input_is_refused(write, message):
    model = Model()
    x = model.binary("x", 3)
    with pytest.raises(ProblemError, match=message):
        write(model, x)


def test_a_row_without_variables_holds_or_is_refused():
    model = Model()
    x = model.binary("x", 2)
    model.add([], [])
    model.add([1, 2], x)
    model.constrain("empty", [], [], "<=", 1)
    assert model.violations([1, 1]).tolist() == [0]
    assert model.objective([1, 1]) == 3
    with pytest.raises(ProblemError, match="constraint 'never' asks for >= 1, its left side lies from 0 to 0"):
        model.constrain("never", [], [], ">=", 1)
