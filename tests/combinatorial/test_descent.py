"""Descent ends where no flip, and no two flips, are better."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from qloom.combinatorial import Quadratic
from qloom.combinatorial.solvers import descend
from qloom.errors import ProblemError


def quadratic(kind: str, whole: bool, density: float = 1.0, n: int = 30) -> Quadratic:
    random = np.random.default_rng(0)
    draw = (
        (lambda size: random.integers(-5, 6, size).astype(float)) if whole else (lambda size: random.normal(size=size))
    )
    return Quadratic.from_matrix(np.triu(draw((n, n)) * (random.random((n, n)) < density), 1), kind, draw(n), 0.3)


@pytest.mark.parametrize("kind", ["spin", "binary"])
@pytest.mark.parametrize(("whole", "density"), [(True, 1.0), (False, 1.0), (False, 0.1)])
def test_no_flip_of_one_or_two_is_better(kind, whole, density):
    function = quadratic(kind, whole, density)
    low = -1 if kind == "spin" else 0
    begin = np.random.default_rng(1).choice([low, 1], (12, 30))
    singly, by_one = descend(function, begin, pairs=False)
    states, energies = descend(function, begin)
    np.testing.assert_allclose(function.energies(states), energies, atol=1e-9)
    assert (by_one <= function.energies(begin)).all()
    assert energies.mean() <= by_one.mean()
    for count, ends, values in ((1, singly, by_one), (1, states, energies), (2, states, energies)):
        for places in combinations(range(30), count):
            flipped = ends.copy()
            flipped[:, places] = 1 + low - flipped[:, places]
            assert (function.energies(flipped) >= values - 1e-3).all()


def test_one_state_is_taken_too_and_left_as_it_is():
    function, begin = quadratic("binary", True), np.zeros(30, int)
    state, energy = descend(function, begin)
    assert state.shape == (30,)
    assert energy == pytest.approx(function.energies(state))
    assert not begin.any()


@pytest.mark.parametrize("kind", ["spin", "binary"])
def test_the_order_of_states_in_memory_does_not_matter(kind):
    function = quadratic(kind, False)
    begin = np.random.default_rng(1).choice([-1 if kind == "spin" else 0, 1], (6, 30)).astype(np.int8)
    for same in (np.asfortranarray(begin), np.repeat(begin, 2, axis=0)[::2]):
        for found, expected in zip(descend(function, same), descend(function, begin), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("begin", [np.zeros((2, 5)), np.full(30, 2), np.full(30, 0.5)])
def test_other_states_are_refused(begin):
    with pytest.raises(ProblemError, match="states"):
        descend(quadratic("binary", True), begin)
