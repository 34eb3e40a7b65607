"""The process that outside solvers run in: it reads tasks from a socket, answers each, and ends with its parent."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

import numpy as np

from qloom.combinatorial.solver_process import STARTING, Arrays, grace, receive, send

# scipy's numbers for how HiGHS ended.
ENDS = ["optimal", "bounded", "infeasible", "unbounded", "failed"]

Numbers = dict[str, Any]
Found = tuple[Numbers, Arrays]


class Tasks:
    """What can be asked for, by name: a method reads a task, and what it gives is called where time begins to count."""

    def __init__(self) -> None:
        self.stop: Callable[[], None] = _nothing

    def integer_program(self, seconds: float, numbers: Numbers, arrays: Arrays) -> Callable[[], Found]:
        """HiGHS: costs' x small, lower <= x <= upper, row_lower <= rows x <= row_upper; whole is 1 or 0."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        rows, limits = _rows(numbers, arrays), (arrays["row_lower"], arrays["row_upper"])

        def solve() -> Found:
            found = milp(
                arrays["costs"], integrality=arrays["whole"], bounds=Bounds(arrays["lower"], arrays["upper"]),
                constraints=LinearConstraint(rows, *limits) if rows.shape[0] else (),
                options={"time_limit": seconds, "mip_rel_gap": numbers["gap"]},
            )  # fmt: skip
            # Without whole numbers there is no tree, whose bound it could give.
            is_solved = found.status == 0 and not arrays["whole"].any()
            return _ended(found, bound=found.fun if is_solved else found.get("mip_dual_bound"))

        return solve

    def linear_program(self, seconds: float, numbers: Numbers, arrays: Arrays) -> Callable[[], Found]:
        """HiGHS on such a program without whole numbers; worth: what a row's limit adds to the optimum per unit."""
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        rows, low, high = _rows(numbers, arrays), arrays["row_lower"], arrays["row_upper"]
        equal = low == high
        below, above = ~equal & (high < np.inf), ~equal & (low > -np.inf)
        bounds = np.stack([arrays["lower"], arrays["upper"]], axis=1)

        def solve() -> Found:
            found = linprog(
                arrays["costs"], vstack([rows[below], -rows[above]]), np.append(high[below], -low[above]),
                rows[equal], high[equal], bounds, options={"time_limit": seconds},
            )  # fmt: skip
            if found.status != 0:
                return _ended(found)
            worth, n_below = np.zeros(len(low)), int(below.sum())
            worth[equal] = found.eqlin.marginals
            worth[below] += np.minimum(found.ineqlin.marginals[:n_below], 0)
            worth[above] -= np.minimum(found.ineqlin.marginals[n_below:], 0)
            return _ended(found, worth=worth)

        return solve

    def constraint_program(self, seconds: float, numbers: Numbers, arrays: Arrays) -> Callable[[], Found]:
        """CP-SAT on a model in protobuf's text; the values are those of all variables."""
        from ortools.sat.python import cp_model as cp

        model, solver, bounds = cp.CpModel(), cp.CpSolver(), list[float]()
        _parse(arrays["model"].tobytes().decode(), model.proto)
        parameters = numbers["parameters"] | {"max_time_in_seconds": seconds, "catch_sigint_signal": False}
        for name, value in parameters.items():
            setattr(solver.parameters, name, value)
        # What best_objective_bound is before anything is proven, 0, is no bound.
        solver.best_bound_callback = bounds.append
        self.stop = solver.stop_search

        def solve() -> Found:
            end = solver.solve(model)
            if end == cp.MODEL_INVALID:
                return {"invalid": model.validate()}, {}
            out = {"end": solver.status_name(end), "bound": bounds[-1] if bounds else None, "objective": None}
            if end not in (cp.OPTIMAL, cp.FEASIBLE):
                return out, {}
            values = np.array(solver.response_proto.solution, np.int64)
            return out | {"objective": solver.objective_value}, {"values": values}

        return solve

    def prepare(self, name: str) -> None:
        """Import what a task needs."""
        if name == "constraint_program":
            import ortools.sat.python.cp_model  # noqa: F401
        else:
            import scipy.optimize  # noqa: F401


def _ended(found: Any, worth: np.ndarray | None = None, bound: float | None = None) -> Found:
    arrays = {"x": found.x, "worth": worth}
    end = "unbounded or infeasible" if "unbounded or infeasible" in found.message else ENDS[found.status]
    numbers = {"end": end, "value": found.fun, "bound": bound, "message": found.message}
    return numbers, {name: array for name, array in arrays.items() if array is not None}


def _rows(numbers: Numbers, arrays: Arrays) -> Any:
    from scipy.sparse import csr_array

    parts = (arrays["data"], arrays["indices"], arrays["indptr"])
    return csr_array(parts, shape=(len(arrays["row_lower"]), len(arrays["costs"])))


def _parse(text: str, proto: Any) -> None:
    """OR-Tools' own messages read themselves, before 9.14 they were protobuf's."""
    if hasattr(proto, "parse_text_format"):
        proto.parse_text_format(text)
        return
    from google.protobuf import text_format

    text_format.Parse(text, proto)


def _nothing() -> None:
    pass


def run(connection: Connection, tasks: Tasks) -> None:
    """Answer tasks until the other side ends, which a second thread notices also while a solver runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    queue: SimpleQueue[tuple[Numbers, Arrays]] = SimpleQueue()
    Thread(target=_read, args=(connection, queue, tasks), daemon=True).start()
    while True:
        head, arrays = queue.get()
        if "prepare" in head:
            tasks.prepare(head["prepare"])
            continue
        send(connection, *_solved(connection, tasks, head, arrays))
        tasks.stop = _nothing
        del arrays


def _read(connection: Connection, queue: SimpleQueue[tuple[Numbers, Arrays]], tasks: Tasks) -> None:
    try:
        while True:
            head, arrays = receive(connection)
            if "stop" in head:
                tasks.stop()
            else:
                queue.put((head, arrays))
            del arrays
    finally:
        os._exit(0)


def _solved(connection: Connection, tasks: Tasks, head: Numbers, arrays: Arrays) -> Found:
    seconds, has_begun = head["seconds"], False
    # A solver that holds the interpreter keeps the other thread from noticing that the parent has ended.
    signal.setitimer(signal.ITIMER_REAL, 2 * STARTING)
    try:
        solve = getattr(tasks, head["task"])(seconds, head["numbers"], arrays)
        send(connection, {}, {})
        has_begun = True
        signal.setitimer(signal.ITIMER_REAL, seconds + 2 * grace(seconds))
        found: Found = solve()
    except Exception as error:
        if not has_begun:
            send(connection, {}, {})
        found = {"failed": f"the solver failed ({type(error).__name__}: {error})"}, {}
    signal.setitimer(signal.ITIMER_REAL, 0)
    return found


if __name__ == "__main__":
    run(Connection(int(sys.argv[1])), Tasks())
