"""OR-Tools' CP-SAT, an exact solver for schedules, routes and whole numbers, run within a time."""

from __future__ import annotations

from math import inf
from typing import Any, NamedTuple

import numpy as np

from qloom.combinatorial.certificates import Status
from qloom.combinatorial.solver_process import ask, start
from qloom.errors import ProblemError
from qloom.extras import package


class CpResult(NamedTuple):
    """Values of the wanted variables, int64 in their shape, and the objective, or None; the rest: `Certificate`."""

    values: np.ndarray | None
    objective: float | None
    bound: float
    status: Status


def cp_sat(needed_by: str) -> Any:
    """OR-Tools' module cp_model; the process that will run it begins to import it too.

    Raises:
        ExtraError: where OR-Tools is not installed, with what to install.
    """
    start("constraint_program")
    return package("ortools.sat.python.cp_model", needed_by, "combinatorial")


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
    parameters |= {"num_workers": workers, "random_seed": seed}
    proto = model.proto
    is_max = proto.objective.scaling_factor < 0 or (_has_floats(proto) and proto.floating_point_objective.maximize)
    nothing = inf if is_max else -inf
    arrays = {"model": np.frombuffer(str(proto).encode(), np.uint8)}
    status, told, found = ask("constraint_program", arrays, time_limit, can_stop=True, parameters=parameters)
    if not told:
        return CpResult(None, None, nothing, status)
    if "invalid" in told:
        raise ProblemError(f"CP-SAT refuses the model: {told['invalid']}")
    if told["end"] == "INFEASIBLE":
        return CpResult(None, None, nothing, "infeasible")
    bound = nothing if told["bound"] is None else told["bound"]
    status = "bounded" if status == "done" else status
    if told["end"] == "UNKNOWN":
        return CpResult(None, None, bound, status)
    values, objective = _of(variables, found["values"]), told["objective"]
    if told["end"] == "OPTIMAL":
        return CpResult(values, objective, objective, "optimal")
    return CpResult(values, objective, bound, status)


def _of(variables: Any, values: np.ndarray) -> np.ndarray:
    """Of the wanted variables, in their shape; a negated one has a number below 0."""
    wanted = np.asarray(variables, dtype=object)
    indices = np.array([variable.index for variable in wanted.flat], np.int64)
    return np.where(indices < 0, 1 - values[-indices - 1], values[indices]).reshape(wanted.shape)


def _has_floats(proto: Any) -> bool:
    """Whether its objective has them; to look at one that is not there would make it."""
    own = getattr(proto, "has_floating_point_objective", None)
    return bool(own() if own else proto.HasField("floating_point_objective"))
