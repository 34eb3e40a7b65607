"""A page of Markdown as parts: prose, code with what it prints, exercises with their answers.

Python and `qloom` commands run. What a block prints stands in a block `text` right below it. An exercise is a section
whose title begins with "Exercise"; its answer is what stands between <details> and </details>: code, what that prints,
and words around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from qloom.errors import ArtifactError

PROSE = "prose"
RUNNABLE = ("python", "sh")
# An indented block names no language: first word of a line -> what it is; any other is Python.
_COMMANDS = {"qloom": "sh", "make": "console", "pip": "console"}


class _NestedError(Exception):
    """The line of code that would not be found."""


@dataclass(frozen=True)
class Part:
    """A stretch of a page.

    Attributes:
        kind: "prose", or the language of a block of code; lines of an indented block are commands ("sh", "console") or
            "python".
        source: Markdown, or code without its fence.
        line: that `source` begins on, from 0.
        output: of code, what the page says that it prints; None if it says nothing.
    """

    kind: str
    source: str
    line: int
    output: str | None = None

    @property
    def runs(self) -> bool:
        """Whether it is code that a reader runs."""
        return self.kind in RUNNABLE


@dataclass(frozen=True)
class Exercise:
    """A question, and its answer: the last thing that the code of `answer` prints."""

    title: str
    question: tuple[Part, ...]
    answer: tuple[Part, ...]


@dataclass(frozen=True)
class Page:
    """A page: what stands between lines of --- at its top, its parts up to the exercises, these, what stands below."""

    path: Path
    title: str
    facts: dict[str, Any]
    parts: tuple[Part, ...]
    exercises: tuple[Exercise, ...]
    closing: tuple[Part, ...]

    @property
    def name(self) -> str:
        """Of the file, without a number in front."""
        return self.path.stem.lstrip("0123456789-")

    @property
    def code(self) -> tuple[Part, ...]:
        """All that runs, in its order."""
        return tuple(part for part in self.everything if part.runs)

    @property
    def everything(self) -> tuple[Part, ...]:
        """All parts, in their order."""
        asked = (part for exercise in self.exercises for part in (*exercise.question, *exercise.answer))
        return (*self.parts, *asked, *self.closing)


def read_page(path: Path) -> Page:
    """The page of a file.

    Raises:
        ArtifactError: if there is no such file, it has no title, or an exercise has no answer.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read ({error.strerror}), expected a page in Markdown") from None
    facts, text = _split_facts(text)
    try:
        parts = list(_with_outputs(_cut(text)))
    except _NestedError as error:
        raise ArtifactError(f"{path}, line {error}: code that runs stands in a list, expected it below one") from None
    title = next((part.source for part in parts if part.source.startswith("# ")), None)
    if title is None:
        raise ArtifactError(f"{path} has no title, expected a line that begins with #")
    lesson, exercises, closing = _apart(parts, path)
    return Page(path, title.splitlines()[0][2:], facts, tuple(lesson), tuple(exercises), tuple(closing))


def without_facts(text: str) -> str:
    """A page without what stands between lines of --- at its top."""
    return _split_facts(text)[1].lstrip("\n")


def _split_facts(text: str) -> tuple[dict[str, Any], str]:
    """What stands at the top between lines of ---; its lines stay, empty, so that lines keep their numbers."""
    if not text.startswith("---\n") or "\n---\n" not in text:
        return {}, text
    head, rest = text.removeprefix("---\n").split("\n---\n", 1)
    return yaml.safe_load(head) or {}, "\n" * (head.count("\n") + 3) + rest


def _cut(text: str) -> Iterator[Part]:
    """Blocks of code, and what is between them; a heading begins a new part."""
    lines = text.splitlines()
    start = 0
    for token in MarkdownIt("commonmark").parse(text):
        if token.level and token.type == "fence" and token.info.split()[:1] in (["python"], ["sh"]):
            raise _NestedError((token.map or [0])[0] + 1)
        if token.level or token.map is None or token.type not in ("fence", "code_block", "heading_open", "html_block"):
            continue
        first, end = token.map
        if prose := "\n".join(lines[start:first]).strip():
            yield Part(PROSE, prose, start)
        start = first
        if token.type in ("fence", "code_block"):
            yield from _code(token, first)
            start = end
    if prose := "\n".join(lines[start:]).strip():
        yield Part(PROSE, prose, start)


def _code(token: Token, line: int) -> Iterator[Part]:
    """A fence as it is; an indented block is cut where Python and commands meet."""
    if token.type == "fence":
        yield Part((token.info.split() or ["text"])[0], token.content.rstrip("\n"), line + 1)
        return
    for kind, group in groupby(enumerate(token.content.splitlines(), line), lambda each: _language(each[1])):
        lines = list(group)
        if source := "\n".join(text for _, text in lines).rstrip():
            yield Part(kind, source, lines[0][0])


def _language(line: str) -> str:
    word = re.match(r"\w+(?= \w)", line)
    return _COMMANDS.get(word[0], "python") if word else "python"


def _with_outputs(parts: Iterator[Part]) -> Iterator[Part]:
    """A block `text` right below one that runs is what that prints."""
    last: Part | None = None
    for part in parts:
        if last is not None and last.runs and part.kind == "text":
            yield replace(last, output=part.source)
            last = None
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last


def _apart(parts: list[Part], path: Path) -> tuple[list[Part], list[Exercise], list[Part]]:
    """The page up to its exercises, these, and what stands below them."""
    lesson: list[Part] = []
    closing: list[Part] = []
    exercises: list[Exercise] = []
    where, question = lesson, None
    for part in parts:
        source = part.source if part.kind == PROSE else ""
        if source.startswith("## Exercise"):
            _check_ended(question, path)
            where = question = [part]
        elif question is not None and source.startswith("<details>"):
            where = answer = _rest(part, "</summary>")
        elif question is not None and source.startswith("</details>"):
            exercises.append(_exercise(question, answer, path))
            where, question = closing, None
            closing += _rest(part, "</details>")
        else:
            where.append(part)
    _check_ended(question, path)
    return lesson, exercises, closing


def _check_ended(question: list[Part] | None, path: Path) -> None:
    if question is not None:
        raise ArtifactError(
            f"{path}: {_title(question)!r} has no answer, expected one between <details> and </details>"
        )


def _title(question: list[Part]) -> str:
    return question[0].source.splitlines()[0].removeprefix("## ")


def _rest(part: Part, tag: str) -> list[Part]:
    """What stands behind a tag, if anything does."""
    rest = part.source.partition(tag)[2].strip()
    return [replace(part, source=rest)] if rest else []


def _exercise(question: list[Part], answer: list[Part], path: Path) -> Exercise:
    title = _title(question)
    if not any(each.runs and each.output for each in answer):
        raise ArtifactError(f"{path}: {title!r} has no answer, expected code and what it prints in <details>")
    return Exercise(title, tuple(question), tuple(answer))
