"""Bounds of integers that a file leaves open, from its constraints, and from what a known solution costs."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor, inf, isfinite
from typing import Any

import numpy as np

from qloom.combinatorial.certificates import HighsAnswer, Program, run_highs, run_relaxed
from qloom.combinatorial.model import LARGEST
from qloom.combinatorial.program_formats.written import Column, Row, Written
from qloom.errors import ProblemError

# How often bounds are handed on from row to row.
ROUNDS = 20
# Seconds for a solution whose cost bounds variables, and for each variable.
SECONDS = 10.0


def close_bounds(written: Written) -> None:
    """Whole bounds for integers, and finite ones for them, for factors and for what stands in an indicator's row.

    Raises:
        ProblemError: for bounds that exclude each other, or a variable that nothing bounds, by name and line.
    """
    for column in written.columns:
        if column.whole:
            column.lower = ceil(column.lower) if isfinite(column.lower) else column.lower
            column.upper = floor(column.upper) if isfinite(column.upper) else column.upper
        if column.lower > column.upper:
            raise ProblemError(
                f"{written.path}, line {column.line}: {column.name!r} lies from {column.lower:g} to {column.upper:g}, "
                "expected a lower bound up to the upper one"
            )
    factors = {k for row in (written.objective, *written.rows) for pair in row.products for k in pair}
    factors |= {k for row in written.rows if row.condition is not None for k in row.linear}
    needed = [k for k, column in enumerate(written.columns) if column.whole or k in factors]
    if not any(_open(written.columns[k]) for k in needed):
        return
    wanted = [k for k in needed if _open(written.columns[k])]
    _propagate(written)
    left = [k for k in wanted if _open(written.columns[k])]
    if left:
        _by_programs(written, left)
    names = ", ".join(repr(written.columns[k].name) for k in wanted[:4]) + (" and others" if len(wanted) > 4 else "")
    known = " and the cost of a solution" if left else ""
    written.notes.append(f"bounds of {names} are found from the constraints{known}")


def _open(column: Column) -> bool:
    """Whether a bound is missing, or too large to search."""
    return not (column.lower >= -LARGEST and column.upper <= LARGEST)


def _propagate(written: Written) -> None:
    """What each row leaves a variable when the others do their best for it."""
    columns = written.columns
    for _ in range(ROUNDS):
        changed = False
        for row in written.rows:
            if row.products or row.condition is not None:
                continue
            for sign, limit in ((1.0, row.high), (-1.0, -row.low)):
                if isfinite(limit):
                    changed |= _tighten(columns, row, sign, limit)
        if not changed:
            return


def _tighten(columns: list[Column], row: Row, sign: float, limit: float) -> bool:
    """Bounds that are open, by sign * row <= limit."""
    terms = [(columns[k], sign * value) for k, value in row.linear.items() if value]
    least = [value * (column.lower if value > 0 else column.upper) for column, value in terms]
    infinite = sum(part == -inf for part in least)
    total, changed = sum(part for part in least if part > -inf), False
    for (column, value), part in zip(terms, least, strict=True):
        if infinite > (part == -inf):
            continue
        room = (limit - (total if part == -inf else total - part)) / value
        slack = 1e-9 * (1 + abs(room))
        if value > 0 and column.upper > LARGEST and room + slack < column.upper:
            column.upper, changed = max(floor(room + slack) if column.whole else room + slack, column.lower), True
        if value < 0 and column.lower < -LARGEST and room - slack > column.lower:
            column.lower, changed = min(ceil(room - slack) if column.whole else room - slack, column.upper), True
    return changed


def _by_programs(written: Written, left: list[int]) -> None:
    """How far a variable can go in the relaxation, if the whole costs no more than a known solution."""
    columns, sign = written.columns, 1.0 if written.sense == "min" else -1.0
    costs = np.zeros(len(columns))
    for k, value in written.objective.linear.items():
        costs[k] = sign * value
    rows, high = _matrix(written)
    lower, upper = (np.array([getattr(column, end) for column in columns]) for end in ("lower", "upper"))
    whole = np.array([column.whole for column in columns], float)
    program = Program(costs, 0.0, rows, np.full(len(high), -inf), high, lower, upper, whole)
    if not written.objective.products:
        cutoff = _cost_of_some(written, columns[left[0]], program)
        if cutoff < inf and costs.any():
            from scipy.sparse import csr_array, vstack

            rows, high = vstack([rows, csr_array(costs[None])], format="csr"), np.append(high, cutoff)
            program = replace(program, rows=rows, row_lower=np.full(len(high), -inf), row_upper=high)
    for k in left:
        column, aim = columns[k], np.zeros(len(columns))
        for is_upper in (True, False):
            if abs(column.upper if is_upper else column.lower) <= LARGEST:
                continue
            aim[k] = -1.0 if is_upper else 1.0
            found = _answered(written, column, run_relaxed(replace(program, costs=aim), SECONDS))
            if found.status != "optimal" or found.value is None or abs(found.value) > LARGEST / 2:
                end, bound = ("upper", column.upper) if is_upper else ("lower", column.lower)
                what = f"{end} bound {bound:g}" if isfinite(bound) else f"no {end} bound"
                raise ProblemError(
                    f"{written.path}, line {column.line}: {column.name!r} has {what} and the constraints give none, "
                    "expected one below 2**31; write it among the bounds"
                )
            reach = abs(found.value) * 0.01 + 1  # the solver's tolerances, by far
            if is_upper:
                column.upper = floor(-found.value + reach)
            else:
                column.lower = ceil(found.value - reach)


def _cost_of_some(written: Written, column: Column, program: Program) -> float:
    """What the best solution found within some seconds costs, a little more for rounding."""
    if any(row.products or row.condition is not None for row in written.rows):
        return inf
    found = _answered(written, column, run_highs(program, SECONDS, gap=0.5))
    if found.status == "infeasible":
        raise ProblemError(f"{written.path}: no values of the variables meet all constraints; relax one of them")
    if found.x is None or found.value is None:
        return inf
    return found.value + 1e-6 * (1 + float(np.abs(program.costs) @ np.abs(found.x)))


def _answered(written: Written, column: Column, answer: HighsAnswer) -> HighsAnswer:
    """Unless Ctrl-C was pressed, or the solver did not live to answer."""
    if answer.status == "interrupted":
        raise KeyboardInterrupt
    if answer.is_lost:
        raise ProblemError(
            f"{written.path}, line {column.line}: HiGHS was asked for a bound of {column.name!r}: {answer.status}; "
            "write it among the bounds"
        )
    return answer


def _matrix(written: Written) -> tuple[Any, np.ndarray]:
    """All linear rows as sums of at most a limit, scipy CSR."""
    from scipy.sparse import coo_array

    entries: list[tuple[int, int, float]] = []
    high: list[float] = []
    for row in written.rows:
        for sign, limit in ((1.0, row.high), (-1.0, -row.low)):
            if isfinite(limit) and not row.products and row.condition is None:
                entries += [(len(high), k, sign * value) for k, value in row.linear.items()]
                high.append(limit)
    at, columns, values = (np.array(part) for part in zip(*entries, strict=True)) if entries else [np.zeros(0, int)] * 3
    shape = (len(high), len(written.columns))
    return coo_array((values.astype(float), (at, columns)), shape=shape).tocsr(), np.array(high)
