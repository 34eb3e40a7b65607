"""Formats that are published in several layouts of as many numbers: told apart by where their records begin a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from qloom.combinatorial.problems.base import Problem
from qloom.combinatorial.problems.text import FormatError, InstanceError, Words
from qloom.errors import ProblemError

Some = TypeVar("Some", bound=Problem)


class Layout(NamedTuple):
    """What stands one after another.

    Attributes:
        said: in words.
        records: how many numbers each holds, of the first two numbers of the file; each record begins a line.
        read: the problem of the words.
    """

    said: str
    records: Callable[[int, int], Iterable[int]]
    read: Callable[[Words], Any]


def read_layout(path: str | Path, layouts: dict[str, Layout], name: str, layout: str | None) -> Any:
    """The problem, with the layout that was taken among its notes.

    Args:
        path: of the file.
        layouts: by name.
        name: of the format, for messages.
        layout: one of the names; None takes the only one whose records begin lines and whose numbers make a problem.

    Raises:
        ProblemError: where several layouts are left, or none, or for what the only one refuses.
    """
    if layout is not None and layout not in layouts:
        raise ProblemError(f"layout {layout!r} of {name}, expected one of {', '.join(layouts)}")
    fitting = [layout] if layout else [own for own, of in layouts.items() if fits(Words.of(path), of)]
    made: dict[str, Any] = {}
    errors: dict[str, ProblemError] = {}
    for own in fitting or layouts:
        try:
            made[own] = layouts[own].read(Words.of(path))
        except ProblemError as error:
            errors[own] = error
    if len(made) > 1:
        choices = "; or ".join(f"{own} ({layouts[own].said})" for own in made)
        raise InstanceError(f"{path} may be {name} as {choices}; expected --format {name}:LAYOUT to say which")
    if not made:
        raise next(iter(errors.values()))
    ((own, problem),) = made.items()
    return noted(problem, f"read as {name}:{own}, {layouts[own].said}")


def fits(words: Words, layout: Layout) -> bool:
    """Whether the records are all there, and begin lines."""
    try:
        first, second = words.counts("sizes", 2)
    except FormatError:
        return False
    at, starts = 0, words.line_starts
    for length in layout.records(first, second):
        if at not in starts:
            return False
        at += length
    return words.left == at - 2


def noted(problem: Some, *notes: str) -> Some:
    """With what was taken for granted, to be printed."""
    object.__setattr__(problem, "notes", (*problem.notes, *notes))
    return problem
