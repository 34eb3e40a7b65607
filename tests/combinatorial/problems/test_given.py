"""Models of one's own: the contract, with every kind of variable and constraint."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.model import Model
from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.quadratic import Quadratic
from qloom.testing import check_problem


def random_model(seed: int, sense: str) -> Model:
    random, model = np.random.default_rng(seed), Model(sense)
    x, s, y = model.binary("x", 4), model.spin("s", 2), model.integer("y", -1, 2)
    choice = model.one_hot("choice", (), 3)
    model.add(1.5)
    for variables in (x, s, y, choice):
        model.add(random.integers(-5, 6, np.shape(variables)), variables)
    model.add(random.integers(-3, 4, 4), x, x[::-1])
    model.add(random.integers(-3, 4), y, y)
    model.add(random.integers(-3, 4), x[0], s[0], y)
    model.add(random.integers(-3, 4), x[1], choice[2])
    model.constrain("weight", x, [2, 3, 1, 4], "<=", 6)
    model.constrain("balance", np.append(x, y), 1, "==", 2)
    model.constrain("pairs", [s, x[:2]], 1, ">=", [0, 1])
    return model


@pytest.mark.parametrize("sense", ["min", "max"])
def test_contract(sense):
    for seed in range(3):
        check_problem(GivenModel(random_model(seed, sense)), seed=seed)


@pytest.mark.parametrize("kind", ["binary", "spin"])
def test_quadratic_functions_are_problems(kind):
    random = np.random.default_rng(0)
    function = Quadratic.from_matrix(random.integers(-3, 4, (6, 6)), kind, random.integers(-3, 4, 6), 0.5)
    problem = GivenModel.of(function)
    check_problem(problem)
    solution = problem.random_solution(random)
    assert problem.objective(solution) == pytest.approx(float(function.energies(solution)))
