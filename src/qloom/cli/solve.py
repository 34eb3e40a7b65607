"""`qloom solve`: an answer to an optimization problem in a file, with a proven bound."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from qloom.combinatorial.coarse import SEARCHES
from qloom.combinatorial.problems.formats import FORMATS, read_problem
from qloom.combinatorial.solving import solve as solve_problem
from qloom.reports.solution import make_folder, write_solution

# Seconds for the picture, the page and the numbers, of a limit of five times that and more.
WRITING = 1.0


def solve(
    problem: Annotated[Path, typer.Argument(help="File of a problem; its format is found from its content.")],
    format: Annotated[str, typer.Option(help=f"auto, or one of {', '.join(FORMATS)}.")] = "auto",
    instance: Annotated[int | None, typer.Option(help="Which problem of a file that holds several, from 1.")] = None,
    vehicles: Annotated[int | None, typer.Option(help="Of a routing problem, at most; else as its file says.")] = None,
    colours: Annotated[int | None, typer.Option(help="Of a graph's nodes, at most; else as few as can be.")] = None,
    coarse: Annotated[str, typer.Option(help=f"Search over bits: auto, none, {', '.join(SEARCHES)}.")] = "auto",
    fine: Annotated[str, typer.Option(help="Search over solutions: auto or none.")] = "auto",
    inequalities: Annotated[str, typer.Option(help="In the bits: slack or unbalanced (no bits more).")] = "slack",
    certify: Annotated[bool, typer.Option(help="Ask an exact solver for a bound.")] = True,
    controls: Annotated[bool, typer.Option(help="Show what the same time gives to other methods.")] = True,
    time_limit: Annotated[float, typer.Option(help="Seconds for everything, reading and writing too.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; solutions/NAME if not given.")] = None,
) -> None:
    """Solve an optimization problem: a feasible plan, a proven gap, and what each stage contributed."""
    began = time.perf_counter()
    name = problem.stem if instance is None else f"{problem.stem}-{instance}"
    read = read_problem(problem, format, instance, vehicles, colours)
    folder = out or Path("solutions") / name
    make_folder(folder)
    seconds = _searching(time_limit, time.perf_counter() - began)
    solved = solve_problem(read, coarse, fine, certify, seconds, seed, controls, inequalities)  # type: ignore[arg-type]
    typer.echo(f"{name}: {type(read).__name__}")
    for note in read.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"{solved}\n\nseed {solved.seed}")
    for path in write_solution(solved, folder, name):
        typer.echo(f"{path} written")


def _searching(time_limit: float, reading: float) -> float:
    """What reading and writing leave of the time, at least a tenth."""
    if not time_limit > 0:  # the search says what it expects
        return time_limit
    return max(time_limit - reading - min(WRITING, time_limit / 5), time_limit / 10)
