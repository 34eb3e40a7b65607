"""Pages in the terminal: prose, code that runs before the reader's eyes, questions and their answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console

from qloom.cli.markdown import Prose
from qloom.errors import ConfigError
from qloom.learning import Exercise, Page, PageRun, Part, check


class Reader:
    """Shows a page and runs its code in the current folder.

    Args:
        page: to be shown.
        answers: to its exercises, in their order; without any they are asked for on a terminal.
    """

    def __init__(self, page: Page, answers: Sequence[str] = ()):
        if len(answers) > len(page.exercises):
            raise ConfigError(f"{len(answers)} answers, expected at most {len(page.exercises)}: one an exercise")
        self.page, self.console = page, Console(width=min(Console().width, 100))
        self.code = PageRun(page.path, echo=sys.stdout)
        self.answers = iter(answers)
        self.is_asked = sys.stdin.isatty() and sys.stdout.isatty()

    def read(self) -> int:
        """The whole page; what stands below the exercises comes after them.

        Returns:
            how many answers were wrong.
        """
        for place, part in enumerate(self.page.parts):
            if self.is_asked and place and part.source.startswith("## "):
                typer.prompt("\n[Enter goes on]", default="", show_default=False, prompt_suffix=" ")
            self.show(part)
        n_wrong = sum(not self.solve(exercise) for exercise in self.page.exercises)
        for part in self.page.closing:
            self.show(part)
        return n_wrong

    def show(self, part: Part) -> None:
        """Prose as it is meant, code as it stands; then it runs."""
        self.console.print(Prose(_fenced(part)))
        if part.runs:
            self.code.run(part)
            self.console.print()

    def solve(self, exercise: Exercise) -> bool:
        """Ask, then compute the answer and compare; whether the given one was right, or none was given."""
        for part in exercise.question:
            self.console.print(Prose(part.source))
        given = next(self.answers, None)
        if given is None and self.is_asked:
            given = typer.prompt("your answer [Enter shows it]", default="", show_default=False)
        quiet = PageRun(self.page.path, self.code.names)
        printed = "".join(quiet.run(part) for part in exercise.answer if part.runs)
        found = check(given or "", printed.splitlines()[-1])
        if not given and not self.is_asked:
            return True
        wrong = f"{given} is not right; " if given else ""
        typer.echo(f"right: {found.expected}" if found.is_right else f"{wrong}the answer is {found.expected}, by")
        for part in exercise.answer:
            if not (part.runs and found.is_right):
                self.console.print(Prose(_fenced(part)))
        return found.is_right or not given


def _fenced(part: Part) -> str:
    """A part as Markdown."""
    return part.source if part.kind == "prose" else f"```{part.kind}\n{part.source}\n```"


def listed(titles: Mapping[str, str]) -> str:
    """Commands and the titles of the pages they show, a line each."""
    width = max(map(len, titles), default=0) + 2
    return "\n".join(f"  {command:{width}}{title}" for command, title in titles.items())
