"""What is proven of a problem: a bound that no solution passes, within a time, by an exact solver."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import gcd, inf
from typing import Any, NamedTuple

import numpy as np

from qloom.combinatorial import solver_process
from qloom.combinatorial.binary_form import pieces_of
from qloom.combinatorial.model import FEASIBLE, Model
from qloom.combinatorial.products import Products, expand, merge
from qloom.errors import ProblemError

# "optimal", "bounded", "infeasible" or "interrupted", or what became of a solver that gave no answer.
Status = str
ENDED = ("optimal", "bounded", "infeasible", "interrupted")

# An objective that is so near to its bound, as a share of it, is the best up to rounding.
CLOSED = 1e-9
# Seconds for the best continuous variables beside whole ones.
COMPLETING = 10.0


@dataclass(frozen=True)
class Certificate:
    """What an exact solver proved, and found on the way.

    Attributes:
        solution: the best it found, or None.
        objective: its value, or None.
        bound: that no solution's objective passes; minus (or plus) infinity where nothing is proven.
        status: "optimal" if the solution meets the bound, "infeasible" if there is provably none, "bounded",
            "interrupted", or what became of the solver, as "the solver crashed (signal 11)".
        method: the solver's name.
        seconds: that it took.
    """

    solution: np.ndarray | None
    objective: float | None
    bound: float
    status: Status
    method: str
    seconds: float

    @property
    def told(self) -> str:
        """The method, and why it ended without an answer where it did."""
        if self.status in ENDED:
            return self.method
        return f"{self.method}, {'no bound: ' if abs(self.bound) == inf else ''}{self.status}"


def certify_model(model: Model, time_limit: float) -> Certificate:
    """By HiGHS as a mixed-integer program; products become variables with the inequalities of McCormick.

    Its solution holds the values of the model's variables. One within HiGHS's tolerances that misses constraints of
    whole numbers is none: then CP-SAT, which counts exactly, is asked where it can be.

    Args:
        model: with bounds that keep its objective finite.
        time_limit: seconds.

    Raises:
        ProblemError: for a time limit that is not above 0, or an objective that its variables improve without limit.
    """
    if not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
    start, program = time.perf_counter(), linear_program(model)
    sign = 1.0 if model.sense == "min" else -1.0
    result = run_highs(program, time_limit)
    seconds = time.perf_counter() - start
    nothing = Certificate(None, None, -sign * inf, "interrupted", "HiGHS", seconds)
    if result.status == "unbounded":
        raise ProblemError("the objective has no end: its variables improve it without limit; bound them")
    if result.status not in ("optimal", "bounded"):
        return replace(nothing, status=result.status)
    bound = -sign * inf if result.bound is None else sign * (result.bound + program.constant)
    if result.x is None:
        return replace(nothing, status="bounded", bound=bound)
    values, method = whole_values(model, result.x[: model.n]), "HiGHS"
    if model.violated(values):
        from qloom.combinatorial.exact_programs import solve_exactly

        exact = solve_exactly(model, time_limit - seconds) if seconds < time_limit else None
        seconds = time.perf_counter() - start
        if exact is None:
            return replace(nothing, status="bounded", bound=bound, seconds=seconds)
        better = max if sign > 0 else min
        return replace(exact, bound=better(exact.bound, bound), method="HiGHS, CP-SAT", seconds=seconds)
    objective, size = float(model.objective(values)), float(model.magnitude(values))
    # Rounding the whole variables may have cost something where large numbers stand beside small ones.
    is_far = sign * (objective - bound) > FEASIBLE * (size + min(1 / scale_of(program.costs), 1.0))
    return Certificate(values, objective, bound, "bounded" if is_far else result.status, method, seconds)


def whole_values(model: Model, found: np.ndarray) -> np.ndarray:
    """Rounded, int64; with continuous variables float64, these as the rounded others allow."""
    if model.is_whole.all():
        return np.round(found).astype(np.int64)
    values = np.clip(np.where(model.is_whole, np.round(found), found), model.lower, model.upper)
    if not model.violated(values):
        return values
    again = complete(model, values)
    return values if again is None else again


def complete(model: Model, values: np.ndarray) -> np.ndarray | None:
    """The whole variables as given and the continuous ones at their best, by HiGHS; None if nothing fits them.

    Shapes: values (N,) -> (N,).

    Raises:
        ProblemError: if the objective has no end.
    """
    whole, sign = model.is_whole, 1.0 if model.sense == "min" else -1.0
    costs = sign * linear_costs(model)[~whole]
    fixed = np.where(whole, values, 0.0)
    rest = model.rows[:, np.flatnonzero(~whole)]
    right, compare = model.rights - model.rows @ fixed, model.comparisons
    program = Program(
        costs, 0.0, rest, np.where(compare == "<=", -inf, right), np.where(compare == ">=", inf, right),
        model.lower[~whole], model.upper[~whole], np.zeros(len(costs)),
    )  # fmt: skip
    result = run_highs(program, COMPLETING)
    if result.status == "interrupted":
        raise KeyboardInterrupt
    if result.status == "unbounded":
        raise ProblemError("the objective has no end: continuous variables improve it without limit; bound them")
    if result.x is None:
        return None
    out = np.array(values, float)
    out[~whole] = np.clip(result.x, model.lower[~whole], model.upper[~whole])
    return out


def linear_costs(model: Model) -> np.ndarray:
    """What variables alone add to the objective, float64 (N,)."""
    out = np.zeros(model.n)
    for indices, values in model.terms:
        if indices.shape[1] == 1:
            np.add.at(out, indices[:, 0], values)
    return out


def conflict(model: Model, time_limit: float) -> list[str]:
    """Names of constraints that no values meet together, none of them idle: each is left out in turn.

    Where the time ends first, some may be idle.

    Args:
        model: that has no solution.
        time_limit: seconds.
    """
    end, program = time.perf_counter() + time_limit, linear_program(model)
    kept = np.ones(len(program.row_lower), bool)
    for k in range(len(model.constraints)):
        kept[k] = False
        left = end - time.perf_counter()
        result = run_highs(program.some(kept), left) if left > 0 else None
        kept[k] = result is None or result.status != "infeasible"
    return [constraint.name for constraint, needed in zip(model.constraints, kept, strict=False) if needed]


@dataclass(frozen=True)
class Program:
    """costs' x + constant to be small, row_lower <= rows x <= row_upper, lower <= x <= upper; whole is 1 or 0."""

    costs: np.ndarray
    constant: float
    rows: Any
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    whole: np.ndarray

    def lowest(self, costs: np.ndarray) -> float:
        """costs' x + constant at least, rows or not."""
        return float(np.minimum(costs * self.lower, costs * self.upper).sum()) + self.constant

    def some(self, kept: np.ndarray) -> Program:
        """With some of the rows, and nothing to be small."""
        limits = self.row_lower[kept], self.row_upper[kept]
        return replace(
            self, costs=0 * self.costs, rows=self.rows[kept], row_lower=limits[0], row_upper=limits[1], constant=0.0
        )


class HighsAnswer(NamedTuple):
    """What HiGHS found.

    Attributes:
        status: "optimal", "bounded" (the time ended), "infeasible", "unbounded", "unbounded or infeasible",
            "interrupted", or what became of the solver.
        x: the best values, float64 (N,), or None.
        value: costs' x, without the constant.
        bound: that costs' x is at least, or None.
        worth: of a linear program, what each row's limit adds to the optimum per unit, float64 (M,), else None.
    """

    status: str
    x: np.ndarray | None = None
    value: float | None = None
    bound: float | None = None
    worth: np.ndarray | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the solver did not live to answer."""
        return self.status not in (*ENDED, "unbounded", "unbounded or infeasible")


def run_highs(program: Program, time_limit: float, gap: float = 0.0) -> HighsAnswer:
    """With whole numbers; Ctrl-C ends it without an answer.

    Its tolerances are absolute: small objectives and rows are brought to a size of one first, large rows too.

    Args:
        program: what is asked.
        time_limit: seconds.
        gap: it ends when the best values are so near to the bound, as a share of their costs.
    """
    from scipy.sparse import diags_array

    scale = max(scale_of(program.costs), 1.0)
    sizes = np.abs(program.rows).max(axis=1).toarray().ravel() if program.rows.shape[0] else np.zeros(0)
    by = np.where(
        (sizes > 0) & ((sizes < 1e-2) | (sizes > 1e6)), 2.0 ** -np.round(np.log2(np.where(sizes, sizes, 1))), 1.0
    )
    if (by != 1).any():
        limits = by * program.row_lower, by * program.row_upper
        program = replace(
            program, rows=(diags_array(by) @ program.rows).tocsr(), row_lower=limits[0], row_upper=limits[1]
        )
    found = _ask_highs("integer_program", replace(program, costs=scale * program.costs), time_limit, gap=gap)
    value, bound = (None if number is None else number / scale for number in (found.value, found.bound))
    return found._replace(value=value, bound=bound)


def run_relaxed(program: Program, time_limit: float) -> HighsAnswer:
    """As a linear program, without whole numbers, with what rows are worth."""
    return _ask_highs("linear_program", program, time_limit)


def _ask_highs(task: str, program: Program, time_limit: float, **numbers: Any) -> HighsAnswer:
    rows = program.rows.tocsr()
    arrays = {
        "costs": program.costs, "data": rows.data, "indices": rows.indices, "indptr": rows.indptr,
        "row_lower": program.row_lower, "row_upper": program.row_upper, "lower": program.lower,
        "upper": program.upper, "whole": program.whole,
    }  # fmt: skip
    status, told, found = solver_process.ask(task, arrays, max(time_limit, 0.0), **numbers)
    if status != "done":
        return HighsAnswer(status)
    end = f"HiGHS gave up ({told['message']})" if told["end"] == "failed" else told["end"]
    return HighsAnswer(end, found.get("x"), told["value"], told["bound"], found.get("worth"))


def divisor(numbers: np.ndarray) -> float:
    """The largest number that all are whole multiples of; 0 if one of them is not whole."""
    if not (numbers == np.round(numbers)).all():
        return 0.0
    if np.abs(numbers).max(initial=0.0) < 2.0**62:
        return float(np.gcd.reduce(numbers.ravel().astype(np.int64)))
    return float(gcd(*map(int, numbers.flat)))


def magnified(program: Program) -> tuple[Program, float]:
    """With costs by a power of two that brings the largest to some 2 ** 20, and that power.

    HiGHS's tolerances for costs are absolute, 1e-7 and 1e-6; costs of variables that are held do not matter.
    """
    scale = 2.0**20 * scale_of(program.costs[program.lower < program.upper])
    return replace(program, costs=scale * program.costs, constant=scale * program.constant), scale


def scale_of(costs: np.ndarray) -> float:
    """The power of two that brings the largest cost to a size from 1 to 2."""
    largest = np.abs(costs).max(initial=0.0)
    return float(2.0 ** np.ceil(-np.log2(largest))) if largest else 1.0


def linear_program(model: Model) -> Program:
    """Columns: the model's variables; if there are spins or products, bits that make them up, and products of bits."""
    from scipy.sparse import block_array, coo_array, eye_array

    sign = 1.0 if model.sense == "min" else -1.0
    n, rights, comparisons = model.n, model.rights, model.comparisons
    row_lower = np.where(comparisons == "<=", -inf, rights)
    row_upper = np.where(comparisons == ">=", inf, rights)
    if all(indices.shape[1] == 1 for indices, _ in model.terms) and not model.is_spin.any():
        costs, bounds = sign * linear_costs(model), (model.lower.astype(float), model.upper.astype(float))
        return Program(
            costs, sign * model.constant, model.rows, row_lower, row_upper, *bounds, model.is_whole.astype(float)
        )
    pieces = pieces_of(model)
    owner, own = np.repeat(np.arange(n), np.diff(pieces.starts)), pieces.bits >= 0
    n_bits, offset = int(pieces.bits.max(initial=-1)) + 1, np.bincount(owner[~own], pieces.weights[~own], n)
    made_of = coo_array((pieces.weights[own], (owner[own], pieces.bits[own])), shape=(n, n_bits))
    products = merge(expand(indices, sign * values, pieces) for indices, values in model.terms)
    costs, constant = np.zeros(n + n_bits), sign * model.constant
    costs[:n] = np.where(model.is_whole, 0.0, sign * linear_costs(model))
    if 0 in products:
        constant += float(products[0][1].sum())
    if 1 in products:
        costs[n + products[1][0][:, 0]] = products[1][1]
    long = {order: part for order, part in products.items() if order > 1}
    links, most = mccormick(long, n_bits)
    n_long, held = links.shape[1] - n_bits, np.flatnonzero(model.is_whole)
    blocks = [
        [model.rows, None, None],
        [-eye_array(n, format="csr")[held], made_of.tocsr()[held], None],
        [None, links[:, :n_bits], links[:, n_bits:]],
    ]
    blocks = [row for row in blocks if any(block is not None and block.shape[0] for block in row)]
    return Program(
        np.concatenate([costs, *(values for _, values in long.values())]),
        constant,
        block_array(blocks, format="csr") if n_long else block_array([row[:2] for row in blocks], format="csr"),
        np.concatenate([row_lower, -offset[held], np.full(len(most), -inf)]),
        np.concatenate([row_upper, -offset[held], most]),
        np.concatenate([model.lower, np.zeros(n_bits + n_long)]),
        np.concatenate([model.upper, np.ones(n_bits + n_long)]),
        np.concatenate([model.is_whole, np.ones(n_bits), np.zeros(n_long)]),
    )


def mccormick(products: Products, n_bits: int) -> tuple[Any, np.ndarray]:
    """Rows <= most that hold a column for each product, after the bits: only the side that its value pushes against.

    A product that is wanted is at most each of its bits, one that is not at least their sum less all but one.
    """
    from scipy.sparse import coo_array

    rows: list[int] = []
    columns: list[int] = []
    entries: list[float] = []
    most: list[float] = []
    column = n_bits
    for order, (bits, values) in products.items():
        for row, value in zip(bits, values, strict=True):
            if value > 0:
                rows += [len(most)] * (order + 1)
                columns += [*row, column]
                entries += [1.0] * order + [-1.0]
                most.append(order - 1.0)
            else:
                for bit in row:
                    rows += [len(most)] * 2
                    columns += [column, bit]
                    entries += [1.0, -1.0]
                    most.append(0.0)
            column += 1
    return coo_array((entries, (rows, columns)), shape=(len(most), column)).tocsr(), np.array(most)
