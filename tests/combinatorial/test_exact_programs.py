"""Whole numbers are compared exactly, whatever a solver's tolerance is."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.certificates import certify_model
from qloom.combinatorial.model import Model
from qloom.combinatorial.solving import solve


def tight(size: float) -> Model:
    """Maximize 10x + y where size x + y <= size: 10, as x and y together miss it by 1."""
    model = Model("max")
    x = model.binary("x", 2)
    model.add([10, 1], x)
    model.constrain("c", x, [size, 1], "<=", size)
    return model


@pytest.mark.parametrize("size", [5e8, 5e10, 2.0**50])
def test_one_beside_a_large_number_counts(size):
    assert tight(size).violated([1, 1]) == {"c": 1}
    certificate = certify_model(tight(size), 20)
    assert (certificate.objective, certificate.bound, certificate.status) == (10, 10, "optimal")


def test_solve_gives_what_is_right():
    solved = solve(tight(5e8), time_limit=20, seed=0, controls=False)
    assert (solved.objective, solved.bound) == (10, 10)


def test_decimals_are_counted_too():
    model = Model()
    x = model.binary("x", 3)
    model.constrain("sum", x, [0.1, 0.2, -0.3], "==", 0)
    model.constrain("millionth", x[:2], [1, 1e-6], "<=", 1)
    assert model.violated([1, 1, 1]) == {"millionth": pytest.approx(1e-6)}
    assert model.violated([0, 0, 0]) == {}


def test_numbers_of_many_digits_are_compared_up_to_rounding():
    model = Model()
    x = model.binary("x", 3)
    model.constrain("thirds", x, [1 / 3, 1 / 3, 1 / 3], "==", np.sqrt(1))
    model.constrain("roots", x, np.sqrt([2, 3, 5]), "<=", np.sqrt([2, 3, 5])[::-1].sum())
    assert model.violated([1, 1, 1]) == {}
