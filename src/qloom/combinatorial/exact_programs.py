"""Linear models of whole numbers, counted exactly: by CP-SAT, which knows no tolerance."""

from __future__ import annotations

import time

import numpy as np

from qloom.combinatorial.certificates import Certificate, linear_costs
from qloom.combinatorial.constraint_programming import cp_sat, solve_cp
from qloom.combinatorial.model import DIGITS, EXACT, Model
from qloom.errors import ExtraError


def solve_exactly(model: Model, time_limit: float) -> Certificate | None:
    """The best values and a bound; None where the numbers are not whole, products occur, or CP-SAT is not there."""
    start, costs = time.perf_counter(), linear_costs(model)
    scale = next((10.0**d for d in range(DIGITS + 1) if (np.round(costs * 10.0**d) / 10.0**d == costs).all()), 0.0)
    sizes = np.maximum(np.abs(model.lower), np.abs(model.upper))
    linear = all(indices.shape[1] == 1 for indices, _ in model.terms) and not model.is_spin.any()
    if not (
        linear and model.is_whole.all() and (model.scales > 0).all() and 0 < scale * (np.abs(costs) @ sizes) < EXACT
    ):
        return None
    try:
        cp = cp_sat("solve_exactly")
    except ExtraError:
        return None
    program = cp.CpModel()
    bounds = zip(model.lower.tolist(), model.upper.tolist(), strict=True)
    x = [program.new_int_var(int(low), int(high), f"x{k}") for k, (low, high) in enumerate(bounds)]
    rows, rights, _, _ = model.slack
    for k, comparison in enumerate(model.comparisons):
        part = slice(rows.indptr[k], rows.indptr[k + 1])
        own = zip(rows.indices[part].tolist(), rows.data[part].astype(np.int64).tolist(), strict=True)
        left, right = sum((value * x[j] for j, value in own), 0), int(rights[k])
        program.add(left <= right if comparison == "<=" else left >= right if comparison == ">=" else left == right)
    whole = np.round(scale * costs).astype(np.int64).tolist()
    total = sum(value * x[j] for j, value in enumerate(whole) if value)
    (program.minimize if model.sense == "min" else program.maximize)(total)
    found = solve_cp(program, x, time_limit)
    values = found.values
    bound = found.bound / scale + model.constant
    objective = None if values is None else float(model.objective(values))
    return Certificate(values, objective, bound, found.status, "CP-SAT", time.perf_counter() - start)
