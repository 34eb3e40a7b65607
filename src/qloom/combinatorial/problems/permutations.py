"""Permutations as solutions: each of the numbers 0 to N - 1 once, and as N x N bits with one a row and a column."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from math import factorial

import numpy as np

from qloom.combinatorial.problems.base import MOST_CANDIDATES
from qloom.errors import ProblemError


def every_order(n: int) -> Iterator[np.ndarray]:
    """All permutations of N numbers.

    Raises:
        ProblemError: if they are more than `MOST_CANDIDATES`.
    """
    if factorial(n) > MOST_CANDIDATES:
        raise ProblemError(f"{n}! candidates, expected at most {MOST_CANDIDATES} for brute force; use solve")
    return (np.array(order, np.int64) for order in permutations(range(n)))


def nearest_order(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The permutation that has most of the ones, ties at random. Shapes: values (N, N) or (N * N,) -> (N,)."""
    from scipy.optimize import linear_sum_assignment

    n = int(np.sqrt(values.size))
    wanted = values.reshape(n, n) + 1e-3 * random.random((n, n))
    return linear_sum_assignment(wanted, maximize=True)[1].astype(np.int64)


def n_missing(solution: np.ndarray, n: int) -> float:
    """How many of the numbers are not there, and how many others are."""
    inside = solution[(solution >= 0) & (solution < n)]
    return float(n - len(np.unique(inside)) + len(solution) - len(inside))
