"""Pages in the terminal: prose, code that runs before the reader's eyes, questions and their answers."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

import typer
from rich.console import Console

from qloom.cli.markdown import Prose
from qloom.errors import ConfigError
from qloom.learning import Answer, Exercise, Page, PageRun, Part, check


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
        self.code = PageRun(page.path)
        self.answers = iter(answers)
        self.is_asked = sys.stdin.isatty() and sys.stdout.isatty()

    def read(self) -> int:
        """The whole page; what stands below the exercises comes after them.

        Returns:
            how many answers were wrong.
        """
        for place, part in enumerate(self.page.parts):
            if self.is_asked and place and part.source.startswith("## "):
                _ask("\n[Enter goes on]", " ")
            self.show(part)
        found = [self.solve(exercise) for exercise in self.page.exercises]
        if self.is_asked and found:
            typer.echo(f"\nright at the first try: {sum(map(bool, found))} of {len(found)}\n")
        for part in self.page.closing:
            self.show(part)
        return sum(each is False for each in found)

    def show(self, part: Part) -> None:
        """Prose as it is meant, code as it stands; then it runs."""
        self.console.print(Prose(_fenced(part)), "", crop=False)
        if part.runs:
            self.code.echo = shown = _Shown(sys.stdout, self.is_asked)
            self.code.run(part)
            shown.clear()
            self.console.print()

    def solve(self, exercise: Exercise) -> bool | None:
        """Ask until the answer is right or given up, and say why; whether the first one was right, None without any."""
        for part in exercise.question:
            self.console.print("", Prose(_fenced(part)), sep="\n", crop=False)
        given = next(self.answers, None)
        if given is None and not self.is_asked:
            return None
        quiet = PageRun(self.page.path, self.code.names)
        expected = "".join(quiet.run(part) for part in exercise.answer if part.runs).splitlines()[-1]
        if given is None:
            return self._asked(exercise, expected)
        self.explain(exercise, found := check(given, expected), given)
        return found.is_right

    def _asked(self, exercise: Exercise, expected: str) -> bool | None:
        first: bool | None = None
        question = "your answer"
        while given := _ask(f"{question} [Enter shows it]", ": "):
            found = check(given, expected)
            first = found.is_right if first is None else first
            if found.is_right:
                break
            question = f"{given} is not right; once more"
        self.explain(exercise, check(given, expected), given)
        return first

    def explain(self, exercise: Exercise, found: Answer, given: str) -> None:
        """The words of an answer, and where it was not found its code."""
        wrong = f"{given} is not right; " if given else ""
        typer.echo(f"right: {found.expected}" if found.is_right else f"{wrong}the answer is {found.expected}, by")
        for part in exercise.answer:
            if not (part.runs and found.is_right):
                self.console.print(Prose(_fenced(part)), crop=False)


class _Shown(io.StringIO):
    """What code prints, on the screen; at a terminal, until it does, a sign that it runs."""

    def __init__(self, screen: TextIO, has_sign: bool):
        super().__init__()
        self.screen, self.has_sign = screen, has_sign
        if has_sign:
            screen.write("\x1b[2mrunning ...\x1b[0m\r")
            screen.flush()

    def clear(self) -> None:
        """Take the sign away."""
        if self.has_sign:
            self.screen.write("\x1b[K")
        self.has_sign = False

    def write(self, text: str) -> int:
        self.clear()
        return self.screen.write(text)


def _ask(question: str, suffix: str) -> str:
    """What a reader types; Ctrl-C and the end of input end the lesson as they end any command."""
    try:
        return str(typer.prompt(question, default="", show_default=False, prompt_suffix=suffix))
    except typer.Abort:
        raise KeyboardInterrupt from None


def show_any_letter() -> None:
    """A terminal that knows fewer letters than the pages have shows a question mark in their place."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _fenced(part: Part) -> str:
    """A part as Markdown."""
    return part.source if part.kind == "prose" else f"```{part.kind}\n{part.source}\n```"


def listed(titles: Mapping[str, str]) -> str:
    """Commands and the titles of the pages they show, a line each."""
    width = max(map(len, titles), default=0) + 2
    return "\n".join(f"  {command:{width}}{title}" for command, title in titles.items())
