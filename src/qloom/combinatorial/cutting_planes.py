"""Linear programs with more rows than can be written down: those that a solution breaks are added as they are met."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

import numpy as np

from qloom.combinatorial.certificates import CLOSED, Certificate, Program, divisor, magnified, run_highs, run_relaxed
from qloom.combinatorial.problems.base import Problem
from qloom.errors import ProblemError

# What HiGHS's tolerances and rounding may have added to a bound, where the largest cost is some 2 ** 20.
SMALL = 1e-5
# The relaxation is left for the whole numbers when so many rounds of rows have together raised it by less than a share.
ROUNDS, SHARE = 8, 1e-4


class Cuts(NamedTuple):
    """rows x <= most, scipy CSR (K, N) and (K,), that all solutions keep and the given values break; K may be 0."""

    rows: Any
    most: np.ndarray


Separate = Callable[[np.ndarray], Cuts]


def certify_by_cuts(
    problem: Problem, program: Program, separate: Separate, read: Callable[[np.ndarray], np.ndarray],
    time_limit: float, hint: np.ndarray | None,
) -> Certificate:  # fmt: skip
    """HiGHS, first without and then with whole numbers, again after each round of rows.

    What is proven of the relaxation fixes the variables that, moved from their bound, would cost more than the hint.

    Args:
        problem: to be small; its solutions are those of the program that keep all rows.
        program: the rows to begin with.
        separate: rows that values (N,) break. For whole values it finds one if there is one.
        read: the problem's solution of values (N,).
        time_limit: seconds, above 0.
        hint: a solution, or None.

    Raises:
        ProblemError: for a time limit that is not above 0.

    Source: Dantzig, Fulkerson, Johnson 1954, Operations Research 2, 393.
    """
    if not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
    start = time.perf_counter()
    if hint is not None and not problem.is_feasible(hint):
        hint = None
    cutoff = inf if hint is None else problem.objective(hint)
    program = fixed(program, program.costs, cutoff - program.lowest(program.costs))
    step = divisor(np.append(program.costs, program.constant)) if program.whole.all() else 0.0
    program, scale = magnified(program)
    search = _Search(program, scale * step, separate, start + time_limit, scale * cutoff)
    values = search.run()
    solution = hint if values is None else read(values)
    objective = None if solution is None else problem.objective(solution)
    bound = search.bound / scale if objective is None else min(search.bound / scale, objective)
    seconds = time.perf_counter() - start
    status = search.ended or "bounded"
    if bound == inf:
        status = "infeasible"
    elif objective is not None and search.reaches(scale * objective):
        bound, status = objective, "optimal"
    return Certificate(solution, objective, bound, status, "HiGHS with cuts", seconds)


class _Search:
    """The program with the rows so far, what is proven, and the time it may take.

    Args:
        program: with costs of the size that HiGHS's tolerances are for.
        step: all solutions' values are multiples of it; 0 if that is not known.

    Attributes:
        bound: no solution is below it, but for those not below the cutoff.
        ended: "interrupted", or what became of the solver; "" while it answers.
    """

    def __init__(self, program: Program, step: float, separate: Separate, end: float, cutoff: float):
        self.program, self.step, self.separate, self.end, self.cutoff = program, step, separate, end, cutoff
        self.bound, self.relaxed, self.slopes = program.lowest(program.costs), -inf, np.zeros(len(program.costs))
        self.ended = ""

    @property
    def left(self) -> float:
        """Seconds."""
        return self.end - time.perf_counter()

    def run(self) -> np.ndarray | None:
        """The values of a solution below the cutoff, or None; Ctrl-C ends it with what is proven so far."""
        try:
            self.relax()
            self.fix()
            return self.branch()
        except KeyboardInterrupt:
            self.ended = "interrupted"
            return None

    def relax(self) -> None:
        """Add rows that break the relaxation's solution until there are none, or they have ceased to help."""
        history: list[float] = []
        while self.left > 0:
            found = run_relaxed(self.program, self.left)
            if found.status == "infeasible":
                self.bound = inf
                return
            if found.x is None or found.worth is None or found.status != "optimal":
                self.note(found.status)
                return
            bound, self.slopes = proven(self.program, found.worth)
            self.relaxed = bound - SMALL
            self.raise_bound(self.relaxed)
            history.append(self.relaxed)
            stale = len(history) > ROUNDS and history[-1] - history[-ROUNDS - 1] < SHARE * abs(history[-1])
            if stale or self.reaches(self.cutoff) or not self.add(self.separate(found.x)):
                return

    def fix(self) -> None:
        """Hold variables that, moved, lead to nothing below the cutoff."""
        self.program = fixed(self.program, self.slopes, self.cutoff - self.step - self.relaxed)

    def branch(self) -> np.ndarray | None:
        """Whole values that keep all rows and are below the cutoff, or None."""
        while not self.reaches(self.cutoff) and self.left > 0 and not self.ended:
            found = run_highs(self.program, self.left)
            if found.status == "infeasible":
                self.bound = self.cutoff
            else:
                self.note(found.status)
                if found.bound is not None:
                    self.raise_bound(found.bound + self.program.constant - SMALL)
                if found.x is None:
                    return None
                values = np.round(found.x)
                if not self.add(self.separate(values)):
                    value = self.program.costs @ values + self.program.constant
                    return values if value < self.cutoff else None
                self.relax()
                self.fix()
        return None

    def note(self, status: str) -> None:
        """What has ended the search, if the solver's status does."""
        self.ended = "" if status in ("optimal", "bounded") else status

    def raise_bound(self, value: float) -> None:
        """To the next value that a solution may have."""
        self.bound = max(self.bound, self.step * float(np.ceil(value / self.step)) if self.step else value)

    def reaches(self, value: float) -> bool:
        """Whether nothing below the value is left, as far as rounding lets tell."""
        return self.bound >= value - (CLOSED * abs(value) if value < inf else 0.0)

    def add(self, cuts: Cuts) -> bool:
        """Whether there were any."""
        from scipy.sparse import vstack

        program = self.program
        self.program = replace(
            program,
            rows=vstack([program.rows, cuts.rows], format="csr"),
            row_lower=np.append(program.row_lower, np.full(len(cuts.most), -inf)),
            row_upper=np.append(program.row_upper, cuts.most),
        )
        return len(cuts.most) > 0


def fixed(program: Program, slopes: np.ndarray, room: float) -> Program:
    """Without whole variables that cost more than the room when they leave the bound where their slopes hold them."""
    dear = (np.abs(slopes) > room) & (program.whole == 1)
    at_lower, at_upper = dear & (slopes > 0), dear & (slopes < 0)
    upper, lower = np.where(at_lower, program.lower, program.upper), np.where(at_upper, program.upper, program.lower)
    return replace(program, upper=upper, lower=lower)


def proven(program: Program, worth: np.ndarray) -> tuple[float, np.ndarray]:
    """What the costs are at least by what rows are worth, and the costs less that, whatever a solver's tolerances are.

    Source: Neumaier, Shcherbina 2004, Mathematical Programming 99, 283.
    """
    slopes = program.costs - program.rows.T @ worth
    used = worth != 0
    limits = np.where(worth < 0, program.row_upper, program.row_lower)[used]
    return float(limits @ worth[used]) + program.lowest(slopes), slopes
