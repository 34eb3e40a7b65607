"""What tests of schedules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def check_schedules(problem: Any, check: Callable[[Any, np.ndarray], int], seed: int) -> None:
    """Random, improved and decoded solutions pass an independent check, which gives their makespan."""
    random = np.random.default_rng(seed)
    for _ in range(20):
        solution = problem.random_solution(random)
        improved = problem.improve(solution, 0.02, random)
        decoded = problem.decode(random.integers(0, 2, problem.model.n), random)
        for one in (solution, improved, decoded):
            assert check(problem, one) == problem.objective(one)
            assert problem.is_feasible(one)


def check_improving(problem: Any, seconds: float, seed: int) -> None:
    """Improving a random solution of a small problem finds what brute force finds."""
    random = np.random.default_rng(seed)
    better = problem.improve(problem.random_solution(random), seconds, random)
    assert problem.objective(better) == problem.objective(problem.brute_force())
