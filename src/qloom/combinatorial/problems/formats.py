"""Files of problems: which format one is in is found from its content, by the readers themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.layouts import fits, noted
from qloom.combinatorial.problems.text import FormatError, InstanceError, Words, text_of
from qloom.errors import ProblemError

# A format's name and the module that reads it; the function is called read_ and the module's name.
FORMATS = (
    "max_cut",
    "qubo",
    "generalized_assignment",
    "knapsack",
    "portfolio",
    "graph_colouring",
    "graph_partition",
    "linear_program",
    "facility_location",
    "quadratic_assignment",
    "travelling_salesman",
    "vehicle_routing",
    "job_shop",
    "flexible_job_shop",
    "project_scheduling",
)  # fmt: skip
"""Names of the formats that `read_problem` takes."""
# Formats that have several.
LAYOUTS = ("facility_location", "knapsack", "qubo")
# Endings that no other format has.
PROGRAMS = (".lp", ".mps")


def read_problem(
    path: str | Path, format: str = "auto", instance: int | None = None, vehicles: int | None = None,
    colours: int | None = None,
) -> Problem:  # fmt: skip
    """A problem in any of the formats, told apart by which reader takes the file; LP and MPS by their endings.

    Of several that do, it is the one whose records begin lines. If none does, the format is the one whose reader finds
    nothing wrong but what the file says: it tells what.

    Args:
        path: of the file.
        format: "auto" or a name of `FORMATS`, with a colon and a layout where it has several.
        instance: which problem of a file that holds several, from 1.
        vehicles: of a routing problem, at most; None takes what the file says.
        colours: of a graph's nodes, at most; None takes those of a greedy colouring.

    Raises:
        ProblemError: for an unknown format, a file that no reader takes or more than one, or what its reader refuses.
    """
    problem = _read(path, format, instance)
    if vehicles is not None:
        problem = _limited(problem, "vehicle_routing", "VehicleRouting", "vehicles", vehicles)
    if colours is not None:
        problem = _limited(problem, "graph_colouring", "GraphColouring", "colours", colours)
    return problem


def _limited(problem: Problem, format: str, kind: str, what: str, most: int) -> Problem:
    """With another limit than the file's."""
    if type(problem).__name__ != kind:
        raise ProblemError(f"{what}={most} of a {type(problem).__name__}, expected a problem of {format}")
    field = {"vehicles": "n_vehicles", "colours": "n_classes"}[what]
    return noted(replace(problem, **{field: most}), f"at most {most} {what}, as asked for")  # type: ignore[type-var]


def _read(path: str | Path, format: str, instance: int | None) -> Problem:
    if format != "auto":
        name, _, layout = format.partition(":")
        if name not in FORMATS or (layout and name not in LAYOUTS):
            raise ProblemError(
                f"format={format!r}, expected 'auto' or one of {', '.join(FORMATS)}; a layout stands behind a colon "
                f"({', '.join(LAYOUTS)})"
            )
        return _reader(name)(path, instance, layout=layout) if layout else _reader(name)(path, instance)
    if Path(path).suffix.lower() in PROGRAMS:
        return _reader("linear_program")(path, instance)
    text_of(path)
    tried = {name: _tried(name, path) for name in FORMATS}
    taken = [name for name, gave in tried.items() if not isinstance(gave, ProblemError)]
    found = taken or [name for name, gave in tried.items() if not isinstance(gave, FormatError)]
    if len(found) > 1:
        found = [name for name in found if _begins_lines(name, path)] or found
    if len(found) > 1:
        raise ProblemError(
            f"{path} may be {' or '.join(found)}, its numbers make a problem of each; expected "
            f"{' or '.join(f'format={name!r}' for name in found)} to say which"
        )
    if not found:
        raise ProblemError(
            f"{path} is in none of the formats {', '.join(FORMATS)}; name its format, then what is wrong with it is "
            "said by line"
        )
    gave = tried[found[0]]
    return gave if isinstance(gave, Problem) and instance is None else _reader(found[0])(path, instance)


def _tried(name: str, path: str | Path) -> Problem | ProblemError | None:
    """What the reader of a format makes of the file, or why it does not take it; None of one of several problems."""
    try:
        return _reader(name)(path, None)
    except InstanceError:
        return None
    except ProblemError as error:
        return error


def _begins_lines(name: str, path: str | Path) -> bool:
    """Whether records begin lines as a layout of the format has them; formats without layouts have none."""
    layouts = getattr(import_module(f"qloom.combinatorial.problems.{name}"), "LAYOUTS", None)
    return layouts is None or any(fits(Words.of(path), layout) for layout in layouts.values())


def _reader(name: str) -> Callable[..., Problem]:
    return getattr(import_module(f"qloom.combinatorial.problems.{name}"), f"read_{name}")
