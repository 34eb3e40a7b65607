"""From what a file says to a model."""

from __future__ import annotations

from math import isfinite

import numpy as np

from qloom.combinatorial.linking import Products
from qloom.combinatorial.model import Comparison, Model
from qloom.combinatorial.program_formats.bounds import close_bounds
from qloom.combinatorial.program_formats.written import Row, Written
from qloom.errors import ProblemError

# By so much a row of continuous variables may pass its limit where it need not hold.
MOST_REACH = 1e7


def model_of(written: Written) -> Model:
    """Variables and constraints have the file's names; a row of two limits becomes two constraints.

    Raises:
        ProblemError: for a row that no values meet, a variable that nothing bounds, or a product of continuous ones,
            each with its line.
    """
    _leave_out_fixed(written)
    _leave_out_slacks(written)
    close_bounds(written)
    model, place = Model(written.sense), dict[int, int]()
    for k, column in enumerate(written.columns):
        ends = column.lower, column.upper
        if not column.whole:
            place[k] = int(model.continuous(column.name, *ends))
        elif ends == (0, 1):
            place[k] = int(model.binary(column.name))
        else:
            place[k] = int(model.integer(column.name, int(ends[0]), int(ends[1])))
    products = Products(model)
    if n_conditional := sum(row.condition is not None for row in written.rows):
        written.notes.append(
            f"{n_conditional} rows of indicators: where they need not hold, their variables' bounds do"
        )
    for row in written.rows:
        try:
            linear = _linear(row, place, products)
            if row.condition is None:
                _add_row(model, row, linear)
            else:
                _add_conditional_row(model, row, linear, place[row.condition[0]])
        except ProblemError as error:
            raise ProblemError(f"{written.path}, line {row.line}: {error}") from None
    _add_objective(model, written, place, products)
    return model


def _linear(row: Row, place: dict[int, int], products: Products) -> dict[int, float]:
    """A row's sum, its products as variables of their own."""
    out = {place[k]: value for k, value in row.linear.items()}
    for (first, second), value in row.products.items():
        for k, own in products.of(place[first], place[second]).items():
            out[k] = out.get(k, 0.0) + value * own
    return out


def _add_row(model: Model, row: Row, linear: dict[int, float]) -> None:
    variables, values = list(linear), list(linear.values())
    if row.low == row.high:
        model.constrain(row.name, variables, values, "==", row.low)
        return
    comparisons: list[tuple[Comparison, float]] = [(">=", row.low), ("<=", row.high)]
    there = [(comparison, limit) for comparison, limit in comparisons if isfinite(limit)]
    for comparison, limit in there:
        name = row.name if len(there) == 1 else f"{row.name} {comparison}"
        model.constrain(name, variables, values, comparison, limit)


def _add_conditional_row(model: Model, row: Row, linear: dict[int, float], indicator: int) -> None:
    """row <= high + M (1 - z), M being the most by which the variables' bounds let the row pass high; so for low.

    Raises:
        ProblemError: where a bound is infinite, so that there is no M, or z is not 0 or 1.
    """
    assert row.condition is not None
    if not (model.is_whole[indicator] and model.lower[indicator] >= 0 and model.upper[indicator] <= 1):
        raise ProblemError(f"the indicator {model.labels[indicator]!r} is not binary, expected one of 0 or 1")
    variables, values = list(linear), np.array(list(linear.values()))
    ends = np.stack([model.lower[variables], model.upper[variables]]).astype(float)
    if not np.isfinite(ends[:, values != 0]).all():
        name = model.labels[variables[int(np.argmax((values != 0) & ~np.isfinite(ends).all(axis=0)))]]
        raise ProblemError(f"an indicator's row has {name!r}, which nothing bounds; write bounds of it")
    sums = np.multiply(values, ends, out=np.zeros_like(ends), where=values != 0)
    sides: list[tuple[Comparison, float, float]] = [
        (">=", row.low, float(sums.min(axis=0).sum()) - row.low),
        ("<=", row.high, float(sums.max(axis=0).sum()) - row.high),
    ]
    sides = [side for side in sides if isfinite(side[1]) and (side[2] > 0 if side[0] == "<=" else side[2] < 0)]
    if any(abs(side[2]) > MOST_REACH for side in sides) and not model.is_whole[variables].all():
        reach = max(abs(side[2]) for side in sides)
        raise ProblemError(
            f"an indicator's row of continuous variables may pass its limit by {reach:g}, expected {MOST_REACH:g} at "
            "most, beyond which rounding matters; write tighter bounds of its variables"
        )
    for comparison, limit, reach in sides:
        own = dict(linear)
        own[indicator] = own.get(indicator, 0.0) + (reach if row.condition[1] else -reach)
        name = row.name if len(sides) == 1 else f"{row.name} {comparison}"
        right = limit + reach if row.condition[1] else limit
        model.constrain(name, list(own), list(own.values()), comparison, right)


def _add_objective(model: Model, written: Written, place: dict[int, int], products: Products) -> None:
    """Products of whole variables as such, others as variables of their own."""
    objective = written.objective
    model.add(written.constant)
    if objective.linear:
        model.add(list(objective.linear.values()), [place[k] for k in objective.linear])
    for (first, second), value in objective.products.items():
        i, j = place[first], place[second]
        if model.is_whole[[i, j]].all():
            model.add(value, i, j)
            continue
        try:
            parts = products.of(i, j)
        except ProblemError as error:
            raise ProblemError(f"{written.path}, the objective: {error}") from None
        for k, own in parts.items():
            model.add(value * own, k)


def _leave_out_fixed(written: Written) -> None:
    """A continuous variable of one value is a number, as the constant of an objective that some writers make one."""
    indicators = {row.condition[0] for row in written.rows if row.condition is not None}
    fixed = {
        k: c.lower for k, c in enumerate(written.columns) if not c.whole and c.lower == c.upper and k not in indicators
    }
    if not fixed:
        return
    for row in (written.objective, *written.rows):
        shift = 0.0
        for pair in [pair for pair in row.products if fixed.keys() & set(pair)]:
            value, free = row.products.pop(pair), [k for k in pair if k not in fixed]
            if free:
                row.add(free[0], value * fixed[next(k for k in pair if k in fixed)])
            else:
                shift += value * fixed[pair[0]] * fixed[pair[1]]
        shift += sum(row.linear.pop(k) * fixed[k] for k in list(row.linear) if k in fixed)
        if row is written.objective:
            written.constant += shift
        row.low, row.high = row.low - shift, row.high - shift
    _drop(written, set(fixed))
    written.notes.append(f"{len(fixed)} continuous variables of one value are numbers")


def _leave_out_slacks(written: Written) -> None:
    """Continuous variables that only stretch one row, if by that the model becomes one of integers."""
    uses: dict[int, list[Row]] = {k: [] for k, column in enumerate(written.columns) if not column.whole}
    for row in (written.objective, *written.rows):
        others = {k for pair in row.products for k in pair} | ({row.condition[0]} if row.condition else set())
        for k in {*row.linear, *others} & uses.keys():
            uses[k].append(row)
            if row is written.objective or k in others:
                return
    if not uses or any(len(rows) > 1 for rows in uses.values()):
        return
    for k, rows in uses.items():
        for row in rows:
            value, column = row.linear.pop(k), written.columns[k]
            if value:
                ends = sorted([value * column.lower, value * column.upper])
                row.low, row.high = row.low - ends[1], row.high - ends[0]
    names = ", ".join(repr(written.columns[k].name) for k in list(uses)[:4])
    written.notes.append(f"continuous variables that are but slacks of a row are left out: {names}")
    _drop(written, set(uses))


def _drop(written: Written, columns: set[int]) -> None:
    """Columns that no row uses any more."""
    kept = [k for k in range(len(written.columns)) if k not in columns]
    place = {k: new for new, k in enumerate(kept)}
    written.columns = [written.columns[k] for k in kept]
    for row in (written.objective, *written.rows):
        row.linear = {place[k]: value for k, value in row.linear.items()}
        row.products = {(place[i], place[j]): value for (i, j), value in row.products.items()}
        row.condition = None if row.condition is None else (place[row.condition[0]], row.condition[1])
