"""The answer to an optimization problem as files: numbers, a picture, a page."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

from qloom.combinatorial.solved import Solved, Stage
from qloom.errors import ProblemError
from qloom.files import replace_file, write_json
from qloom.reports.pages import REPORT, page
from qloom.reports.pictures import address_of, picture
from qloom.training.folder import SOLUTION


def write_solution(solved: Solved, folder: Path, name: str) -> list[Path]:
    """Write solution.json, solution.svg and report.html, each whole or not at all; their paths."""
    make_folder(folder)
    drawn = picture((9, 5), lambda figure: solved.problem.draw(solved.solution, figure.add_subplot()))
    return [
        write_json(folder / SOLUTION, {"name": name, **solved.as_dict()}),
        replace_file(folder / "solution.svg", drawn),
        replace_file(folder / REPORT, render_solution(solved, name, drawn)),
    ]


def make_folder(folder: Path) -> None:
    """Raises:
    ProblemError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProblemError(f"{folder} cannot be a folder ({error.strerror}), expected another name for --out") from None


def render_solution(solved: Solved, name: str, drawn: bytes) -> str:
    """The page as text."""
    return page(
        "solution.html.jinja",
        name=name,
        kind=type(solved.problem).__name__,
        solved=solved,
        sentences=list(solved.sentences()),
        picture=address_of(drawn),
        stages=[_row(stage) for stage in solved.stages],
        controls=[_row(stage) for stage in solved.controls],
        violated={constraint: amount for constraint, amount in solved.violations.items() if amount},
        bound=f"{solved.bound:.10g}" if isfinite(solved.bound) else "none",
    )


def _row(stage: Stage) -> dict[str, str]:
    """A stage in words."""
    value = "none" if stage.objective is None else f"{stage.objective:.10g}"
    return {
        "stage": stage.stage, "method": stage.method, "seconds": f"{stage.seconds:.2f}",
        "objective": value if stage.feasible or stage.objective is None else f"{value} (infeasible)",
        "gained": "" if stage.gained is None else f"{stage.gained:.6g}",
    }  # fmt: skip
