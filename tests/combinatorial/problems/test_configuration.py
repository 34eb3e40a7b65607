"""Choices among settings: the contract, descent."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.problems.configuration import SettingChoice
from qloom.errors import ProblemError
from qloom.testing import check_problem


def random_choice(seed: int, n_choices: tuple[int, ...] = (2, 3, 1, 3)) -> SettingChoice:
    random, total = np.random.default_rng(seed), sum(n_choices)
    pairs = random.normal(size=(total, total))
    return SettingChoice(np.array(n_choices), random.normal(size=total), pairs + pairs.T, 1.5)


@pytest.mark.parametrize("seed", range(3))
def test_contract(seed):
    check_problem(random_choice(seed), seed=seed)


def test_descent_ends_where_no_other_choice_is_better():
    problem = random_choice(5, (4, 4, 4, 4))
    end = problem.descended(problem.random_solution(np.random.default_rng(0)))
    others = [np.where(np.arange(4) == g, k, end) for g in range(4) for k in range(4)]
    assert min(map(problem.objective, others)) == pytest.approx(problem.objective(end))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_choices": np.array([2, 0])}, "expected integers of at least 1"),
        ({"linear": np.ones(4)}, r"expected \(3,\), \(3, 3\)"),
        ({"pairs": np.triu(np.ones((3, 3)), 1)}, "symmetric"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"n_choices": np.array([1, 2]), "linear": np.ones(3), "pairs": np.ones((3, 3))} | change
    with pytest.raises(ProblemError, match=message):
        SettingChoice(**given)
