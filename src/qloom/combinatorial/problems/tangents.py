"""What is proven of a portfolio: its risk as a sum of squares, each held up by tangents, in a program for HiGHS.

Squares of combinations of the weights take a few tangents each, where the risk as a whole would take very many.

Source: Duran, Grossmann 1986, Mathematical Programming 36, 307; Tawarmalani, Sahinidis 2005, Mathematical Programming
103, 225.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import count
from math import inf

import numpy as np

from qloom.combinatorial.certificates import Certificate, Program, run_highs
from qloom.combinatorial.problems.portfolio import Portfolio
from qloom.errors import ProblemError

# Share of risk and return by which a bound may be missed for an optimum.
PRECISION = 1e-7
# Tangents to each square at first, and rounds of more before there are whole numbers.
TANGENTS, RELAXED = 9, 5
# The mean variance that HiGHS is given, well above its tolerance of 1e-6.
VARIANCE = 1000.0


class Tangents:
    """Risk as a sum of squares of combinations of the weights, each square at least all its tangents.

    Attributes:
        factors: (N, M), w'Sw = |factors'w|^2 / scale.
        points: values of the combinations where there are tangents, (P, M).
    """

    def __init__(self, problem: Portfolio):
        values, vectors = np.linalg.eigh(problem.covariance)
        kept = values > 1e-12 * max(values[-1], 1e-300)
        self.scale = VARIANCE / (float(np.diag(problem.covariance).mean()) or 1.0)
        self.factors = vectors[:, kept] * np.sqrt(self.scale * values[kept])
        self.points = np.linspace(self.factors.min(axis=0), self.factors.max(axis=0), TANGENTS)

    def add(self, weights: np.ndarray) -> None:
        """One to each square, where these weights are."""
        self.points = np.vstack([self.points, weights @ self.factors])

    def program(self, problem: Portfolio) -> Program:
        """Columns: whether each asset is held, weights, combinations, their squares."""
        from scipy.sparse import block_array, diags_array, eye_array, vstack

        (n, m), k, least = self.factors.shape, problem.n_assets, problem.minimum
        most, one, squares = 1 - (k - 1) * least, np.ones((1, n)), eye_array(m)
        rows = [
            [one, None, None, None],
            [None, one, None, None],
            [-most * eye_array(n), eye_array(n), None, None],
            [least * eye_array(n), -eye_array(n), None, None],
            [None, self.factors.T, -squares, None],
            [None, None, vstack([diags_array(2 * p) for p in self.points]), vstack([-squares] * len(self.points))],
        ]
        upper = np.concatenate([[k, 1], np.zeros(2 * n + m), (self.points**2).ravel()])
        lower = np.where(np.arange(len(upper)) < 2, upper, -inf)
        lower[2 + 2 * n : 2 + 2 * n + m] = 0
        costs = (problem.trade_off - 1) * self.scale * problem.means
        ends = np.stack([self.factors.min(axis=0), self.factors.max(axis=0)])
        return Program(
            np.concatenate([np.zeros(n), costs, np.zeros(m), np.full(m, problem.trade_off)]), 0.0,
            block_array(rows, format="csr"), lower, upper,
            np.concatenate([np.zeros(2 * n), ends[0], np.zeros(m)]),
            np.concatenate([np.ones(2 * n), ends[1], np.full(m, inf)]),
            np.repeat([1.0, 0.0], [n, n + 2 * m]),
        )  # fmt: skip


def certify_by_tangents(
    problem: Portfolio, tangents: Tangents, time_limit: float, hint: np.ndarray | None
) -> Certificate:
    """HiGHS and new tangents in turn, until bound and value meet or the time is over.

    Args:
        problem: what is to be proven.
        tangents: of its covariance; those that are added serve other trade-offs as well.
        time_limit: seconds, above 0.
        hint: a solution, or None.

    Raises:
        ProblemError: for a time limit that is not above 0.
    """
    if not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
    start, n = time.perf_counter(), len(problem.means)
    best, bound, status = (hint if hint is not None and problem.is_feasible(hint) else None), -inf, "bounded"
    value = inf if best is None else problem.objective(best)
    if best is not None:
        tangents.add(problem.weights(best))
    for k in count():
        left, program = start + time_limit - time.perf_counter(), tangents.program(problem)
        if left <= 0:
            break
        if k < RELAXED:
            program = replace(program, whole=np.zeros(len(program.whole)))
        result = run_highs(program, left)
        if k >= RELAXED and result.bound is not None:
            bound = max(bound, result.bound / tangents.scale)
        if result.x is None:
            status = "bounded" if result.status == "infeasible" else result.status
            break
        tangents.add(result.x[n : 2 * n])
        if k < RELAXED:
            continue
        choice = np.round(result.x[:n]).astype(np.int64)
        weights = problem.weights(choice)
        if problem.value(weights) < value:
            best, value = choice, problem.value(weights)
        size = weights @ problem.covariance @ weights + np.abs(problem.means) @ weights
        if value - bound <= PRECISION * size:
            bound, status = min(bound, value), "optimal"
            break
        tangents.add(weights)
    objective = None if best is None else value
    return Certificate(best, objective, bound, status, "HiGHS with tangents", time.perf_counter() - start)


@dataclass(frozen=True)
class FrontierPoint:
    """The best portfolio found for one trade-off, and what is proven of it.

    Attributes:
        gap: by how much the objective may at most be above the optimum.
        trade_off: from 0, return alone, to 1, risk alone.
        weights: of the assets, (N,).
        mean, variance: of the portfolio's return.
        objective, bound: what was found, and what no portfolio is below.
        seconds: that it took.
    """

    trade_off: float
    weights: np.ndarray
    mean: float
    variance: float
    objective: float
    bound: float
    gap: float
    seconds: float


def frontier(problem: Portfolio, n_points: int = 11, time_limit: float = 60.0) -> list[FrontierPoint]:
    """Portfolios from return alone to risk alone, trade-offs in equal steps; tangents serve all that follow.

    Args:
        problem: its own trade-off does not matter.
        n_points: at least 2.
        time_limit: seconds for all of them; each may take its share of what is left.

    Raises:
        ProblemError: for fewer points, or a time in which one finds nothing.

    Source: Duran, Grossmann 1986, Mathematical Programming 36, 307; Tawarmalani, Sahinidis 2005, Mathematical
    Programming
    103, 225.
    """
    if n_points < 2 or not time_limit > 0:
        raise ProblemError(f"n_points={n_points}, time_limit={time_limit}, expected at least 2 and seconds above 0")
    tangents, points, hint, end = Tangents(problem), list[FrontierPoint](), None, time.perf_counter() + time_limit
    for k, trade_off in enumerate(np.linspace(0, 1, n_points)):
        own = replace(problem, trade_off=float(trade_off))
        share = max(end - time.perf_counter(), 1e-3) / (n_points - k)
        proven = certify_by_tangents(own, tangents, share, hint)
        if proven.solution is None:
            raise ProblemError(f"no portfolio was found in {share:.3g} s, expected more time; raise time_limit")
        hint, weights = proven.solution, own.weights(proven.solution)
        mean, variance = float(own.means @ weights), float(weights @ own.covariance @ weights)
        value = own.value(weights)
        gap = max(value - proven.bound, 0.0)
        points.append(FrontierPoint(own.trade_off, weights, mean, variance, value, proven.bound, gap, proven.seconds))
    return points
