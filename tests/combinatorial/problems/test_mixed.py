"""Models with continuous variables: bits choose the whole ones, a linear program the rest."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.certificates import certify_model
from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.problems.mixed import MixedModel, whole_part
from qloom.combinatorial.solving import solve
from qloom.errors import ProblemError


def plants(seed: int = 0) -> Model:
    """Plants are opened at a price, then send any amounts: each amount at most where its plant is open."""
    random, model = np.random.default_rng(seed), Model()
    n_plants, n_places = 4, 5
    is_open = model.binary("open", n_plants)
    sent = model.continuous("sent", 0, np.inf, (n_plants, n_places))
    demand = random.integers(1, 6, n_places)
    model.add(random.integers(5, 20, n_plants), is_open)
    model.add(random.integers(1, 9, (n_plants, n_places)) / 2, sent)
    model.constrain("demand", sent.T, 1, "==", demand)
    for k in range(n_plants):
        model.constrain(f"plant {k}", [*sent[k], is_open[k]], [*[1] * n_places, -int(demand.sum())], "<=", 0)
    return model


def test_the_answer_is_the_best_over_all_whole_choices():
    problem = GivenModel.of_model(plants())
    assert isinstance(problem, MixedModel)
    best = problem.brute_force()
    solved = solve(plants(), time_limit=4, controls=False, seed=0)
    assert solved.optimal
    assert solved.objective == pytest.approx(problem.objective(best), rel=1e-6)
    assert solved.as_dict()["solution"]["open"] == problem.describe(best)["open"]
    assert all(isinstance(value, int) for value in solved.as_dict()["solution"]["open"])


def test_searches_alone_come_near():
    problem = GivenModel.of_model(plants(1))
    solved = solve(plants(1), coarse="annealing", certify=False, controls=False, time_limit=6, seed=0)
    assert solved.feasible
    assert solved.objective <= 1.05 * problem.objective(problem.brute_force())


def test_a_fractional_part_is_kept():
    """Maximize 10x + y/2 - z/10 as a file of people has it: 12.25 at x = 1, y = 2, f = .5."""
    model = Model("max")
    x, y, f = model.integer("x", 0, 3), model.integer("y", 0, 2), model.continuous("f", 0, np.inf)
    model.add([10, 1, 0.5], np.array([x, y, f]))
    model.constrain("c", [x, y, f], [5, 1, 1], "<=", 7.5)
    model.constrain("d", [f, y], [1, -3], "<=", 0)
    found = certify_model(model, 5)
    assert (found.status, found.objective) == ("optimal", pytest.approx(12.25))
    assert found.solution == pytest.approx([1, 2, 0.5])


def test_only_continuous_variables_are_a_linear_program():
    model = Model("max")
    x = model.continuous("x", 0, np.inf, 2)
    model.add([3, 2], x)
    model.constrain("a", x, [1, 1], "<=", 4)
    model.constrain("b", x, [1, 3], "<=", 6)
    solved = solve(model, time_limit=2, seed=0)
    assert (solved.objective, solved.optimal) == (pytest.approx(12), True)


def test_the_whole_part_keeps_what_the_others_cannot_mend():
    model = Model()
    x, f = model.binary("x", 3), model.continuous("f", 0, 2)
    model.constrain("c", [*x, f], [1, 1, 1, 1], ">=", 4)
    model.constrain("d", [*x, model.continuous("g", 0, np.inf)], [1, 1, 1, -1], "<=", 0)
    part = whole_part(model)
    assert [(c.name, c.comparison, c.right) for c in part.constraints] == [("c", ">=", 2)]


def test_what_has_no_end_is_refused():
    model = Model("max")
    model.add(1, model.continuous("f", 0, np.inf))
    model.binary("x")
    with pytest.raises(ProblemError, match="the objective has no end"):
        solve(model, time_limit=1)


def test_products_of_continuous_variables_are_refused():
    model = Model()
    f = model.continuous("f", 0, 1)
    with pytest.raises(ProblemError, match="products of continuous variables"):
        model.add(1, f, f)
    with pytest.raises(ProblemError, match="'g' from 2 to 1, expected two numbers"):
        model.continuous("g", 2, 1)
