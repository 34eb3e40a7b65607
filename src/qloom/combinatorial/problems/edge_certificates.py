"""What is proven of trips over the edges of a complete graph: by trees first, then by HiGHS on the edges they leave."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from math import ceil, inf, isfinite

import numpy as np

from qloom.combinatorial.certificates import CLOSED, Certificate
from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.edges import Edges
from qloom.combinatorial.problems.trees import Ascent, Relaxation, ascend
from qloom.errors import ProblemError

# HiGHS is asked where so many edges are left at most, and so many for each second of its time: it then sees some rounds
# of rows. The share of the time that trees may take where it can be.
MOST_EDGES, RATE, TREES = 50_000, 10_000, 0.5


def certify_by_edges(
    problem: Problem, n: int, relaxation: Relaxation, near: Callable[[], float], step: float,
    left: Callable[[Ascent, float, int], Edges | None], solve: Callable[[Edges, float, np.ndarray | None], Certificate],
    time_limit: float, hint: np.ndarray | None, floor: float = -inf,
) -> Certificate:  # fmt: skip
    """Trees give a bound and say which edges no shorter solution has; on the others HiGHS goes on.

    Where they are too many for it, the trees have all of the time.

    Args:
        problem: to be small.
        n: nodes.
        relaxation: by trees, as `ascend` takes it; its method's name is "trees".
        near: a value that the bound is to come near to, where there is no hint.
        step: all values are multiples of it; 0 if that is not known.
        left: the edges of solutions up to a value, by what trees have proven; None if they are more than a number.
        solve: by HiGHS on these edges until that time of `time.perf_counter`, from the hint.
        time_limit: seconds, above 0.
        hint: a solution, or None.
        floor: another bound.

    Raises:
        ProblemError: for a time limit that is not above 0.
    """
    if not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
    start = time.perf_counter()
    hint = hint if hint is not None and problem.is_feasible(hint) else None
    value = inf if hint is None else problem.objective(hint)
    most = int(min(MOST_EDGES, RATE * (1 - TREES) * time_limit))
    share = TREES if n * (n - 1) <= 2 * most else 1.0
    trees = ascend(relaxation, n, near() if hint is None else value, start + share * time_limit)
    bound = max(trees.bound, floor)
    bound = step * float(ceil(bound / step)) if step and isfinite(bound) else bound
    objective = None if hint is None else value
    proven = Certificate(hint, objective, min(bound, value), "bounded", "trees", time.perf_counter() - start)
    if trees.is_interrupted:
        return replace(proven, status="interrupted")
    if value < inf and bound >= value - CLOSED * abs(value):
        return replace(proven, bound=value, status="optimal")
    edges = left(trees, value - step, most)
    if edges is None or time.perf_counter() >= start + time_limit:
        return replace(proven, seconds=time.perf_counter() - start)
    found = solve(edges, start + time_limit, hint)
    bound = found.bound if found.status in ("optimal", "infeasible") else max(found.bound, proven.bound)
    return replace(found, bound=bound, method=f"trees, {found.method}", seconds=time.perf_counter() - start)
