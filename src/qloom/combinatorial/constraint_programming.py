"""OR-Tools' CP-SAT, an exact solver for schedules, routes and whole numbers, run within a time."""

from __future__ import annotations

import signal
from math import inf
from threading import current_thread, main_thread
from typing import Any, NamedTuple

import numpy as np

from qloom.combinatorial.certificates import Status
from qloom.combinatorial.extras import package
from qloom.errors import ProblemError


class CpResult(NamedTuple):
    """Values of the wanted variables, int64 in their shape, and the objective, or None; the rest: `Certificate`."""

    values: np.ndarray | None
    objective: float | None
    bound: float
    status: Status


def cp_sat(needed_by: str) -> Any:
    """OR-Tools' module cp_model.

    Raises:
        ExtraError: where OR-Tools is not installed, with what to install.
    """
    return package("ortools.sat.python.cp_model", needed_by)


def solve_cp(
    model: Any, variables: Any, time_limit: float, workers: int = 2, seed: int = 0, **parameters: Any
) -> CpResult:
    """Run CP-SAT on a `CpModel` with an objective, from the hints that it has; Ctrl-C ends it with the best so far.

    Args:
        model: variables, constraints, objective and hints.
        variables: whose values are wanted, an array of any shape or a nested list.
        time_limit: seconds.
        workers: searches side by side; what two of them find in a given time differs from run to run.
        seed: of the searches.
        parameters: others of CP-SAT's, by name.

    Raises:
        ProblemError: for a time limit that is not above 0, or a model that CP-SAT refuses.
    """
    if not time_limit > 0:
        raise ProblemError(f"time_limit={time_limit}, expected seconds above 0")
    cp, bounds = cp_sat("solve_cp"), list[float]()
    solver = cp.CpSolver()
    parameters |= {"max_time_in_seconds": time_limit, "num_workers": workers, "random_seed": seed}
    for name, value in parameters.items():
        setattr(solver.parameters, name, value)
    # CP-SAT leaves Ctrl-C without a handler; only the main thread can give it back.
    solver.parameters.catch_sigint_signal = is_main = current_thread() is main_thread()
    handler = signal.getsignal(signal.SIGINT)
    # What best_objective_bound is before anything is proven, 0, is no bound.
    solver.best_bound_callback = bounds.append
    try:
        answer = solver.solve(model)
    finally:
        if is_main:
            signal.signal(signal.SIGINT, handler)
    if answer == cp.MODEL_INVALID:
        raise ProblemError(f"CP-SAT refuses the model: {model.validate()}")
    proto = model.proto
    is_max = proto.objective.scaling_factor < 0 or proto.floating_point_objective.maximize
    bound = bounds[-1] if bounds else inf if is_max else -inf
    if answer == cp.INFEASIBLE:
        return CpResult(None, None, inf if is_max else -inf, "infeasible")
    # It may stop a little before its time by itself.
    status: Status = "interrupted" if solver.wall_time < 0.95 * time_limit else "bounded"
    if answer == cp.UNKNOWN:
        return CpResult(None, None, bound, status)
    wanted = np.asarray(variables, dtype=object)
    values = np.array([solver.value(v) for v in wanted.flat], np.int64).reshape(wanted.shape)
    if answer == cp.OPTIMAL:
        return CpResult(values, solver.objective_value, solver.objective_value, "optimal")
    return CpResult(values, solver.objective_value, bound, status)
