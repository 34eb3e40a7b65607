"""Models of one's own: the contract, with every kind of variable and constraint."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.problems.given import GivenModel
from qloom.combinatorial.quadratic import Quadratic
from qloom.testing import check_problem
from tests.combinatorial.models import random_model


@pytest.mark.parametrize("seed", range(4))
def test_contract(seed):
    check_problem(GivenModel(random_model(seed)), seed=seed)


@pytest.mark.parametrize("kind", ["binary", "spin"])
def test_quadratic_functions_are_problems(kind):
    random = np.random.default_rng(0)
    function = Quadratic.from_matrix(random.integers(-3, 4, (6, 6)), kind, random.integers(-3, 4, 6), 0.5)
    problem = GivenModel.of(function)
    check_problem(problem)
    solution = problem.random_solution(random)
    assert problem.objective(solution) == pytest.approx(float(function.energies(solution)))
    better = problem.improve(solution, 0.1, random)
    assert problem.objective(better) == pytest.approx(problem.objective(problem.brute_force()))
