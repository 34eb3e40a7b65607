"""From what a file says to a model."""

from __future__ import annotations

from math import isfinite

from qloom.combinatorial.linking import Products
from qloom.combinatorial.model import Comparison, Model
from qloom.combinatorial.program_formats.bounds import close_bounds
from qloom.combinatorial.program_formats.written import Row, Written
from qloom.errors import ProblemError


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
    for row in written.rows:
        try:
            _add_row(model, row, _linear(row, place, products))
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
    fixed = {k: c.lower for k, c in enumerate(written.columns) if not c.whole and c.lower == c.upper}
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
        for k in {*row.linear, *(k for pair in row.products for k in pair)} & uses.keys():
            uses[k].append(row)
            if row is written.objective or any(k in pair for pair in row.products):
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
