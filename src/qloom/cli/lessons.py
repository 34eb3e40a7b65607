"""Pages in the terminal: prose, code that runs before the reader's eyes, questions and their answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from math import inf

import typer
from rich.console import Console
from rich.markdown import Markdown

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
        below = max((part.line for exercise in self.page.exercises for part in exercise.answer), default=inf)
        for place, part in enumerate(self.page.parts):
            if part.line > below:
                continue
            if self.is_asked and place and part.source.startswith("## "):
                typer.prompt("\n[Enter goes on]", default="", show_default=False, prompt_suffix=" ")
            self.show(part)
        n_wrong = sum(not self.solve(exercise) for exercise in self.page.exercises)
        for part in self.page.parts:
            if part.line > below:
                self.show(part)
        return n_wrong

    def show(self, part: Part) -> None:
        """Prose as it is meant, code as it stands; then it runs."""
        source = part.source if part.kind == "prose" else f"```{part.kind}\n{part.source}\n```"
        self.console.print(Markdown(source))
        if part.runs:
            self.code.run(part)
            self.console.print()

    def solve(self, exercise: Exercise) -> bool:
        """Ask, then compute the answer and compare; whether the given one was right, or none was given."""
        for part in exercise.question:
            self.console.print(Markdown(part.source))
        given = next(self.answers, None)
        if given is None and self.is_asked:
            given = typer.prompt("your answer [Enter shows it]", default="", show_default=False)
        quiet = PageRun(self.page.path, self.code.names)
        printed = "".join(quiet.run(part) for part in exercise.answer if part.runs)
        found = check(given or "", printed.splitlines()[-1])
        if given and found.is_right:
            typer.echo(f"right: {found.expected}")
            return True
        if given or self.is_asked:
            typer.echo(f"{f'{given} is not right; ' if given else ''}the answer is {found.expected}, by")
            for part in exercise.answer:
                self.console.print(Markdown(f"```{part.kind}\n{part.source}\n```" if part.runs else part.source))
        return not given


def listed(pages: Sequence[Page], command: str) -> Iterator[str]:
    """A line a page: how it is called, and its title."""
    width = max((len(command) + len(page.name) for page in pages), default=0) + 2
    for number, page in enumerate(pages, 1):
        name = f"{command} {number if command.startswith('qloom learn') else page.name}"
        yield f"  {name:{width}}{page.title}"
