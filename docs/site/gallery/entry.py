"""What a page of the gallery is made of: one entry a figure or table of the literature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from benchmarks.results import Row, newest, read_rows

Rows = Sequence[Row]
# A module or function, whose docstring is meant, or text.
Told = object


@dataclass(frozen=True)
class Source:
    """A publication.

    Attributes:
        authors: with the year, as "Amin and others 2018".
        title: of the work.
        where: journal with volume and page, or a preprint's number.
        url: of the work.
    """

    authors: str
    title: str
    where: str
    url: str

    def __str__(self) -> str:
        return f"{self.authors}, *{self.title}*, [{self.where}]({self.url})"


@dataclass(frozen=True)
class Line:
    """A published value beside ours.

    Attributes:
        what: is compared.
        published: the value, and how near is near enough.
        found: ours.
        met: whether it is as near; None where no goal was set.
        why: what is known of a miss, shown only where there is one.
    """

    what: str
    published: str
    found: str
    met: bool | None
    why: str = ""


@dataclass(frozen=True)
class Entry:
    """A page.

    Attributes:
        slug: name of the page and of its picture.
        title: of the page.
        what: is found again, one sentence.
        sources: the first is the one that the list of pages names.
        command: what follows `python -m`.
        data: what it reads that is no part of the project; empty where it reads nothing.
        protocol: told in this order.
        rows: of results that the page is made of, the newest of each case.
        lines: of the rows.
        took: seconds of the rows, or words where the rows have none.
        control: what classical controls say, in Markdown; empty where there is none.
        picture: of the rows, with `caption` below it.
        published: what the second column of the table is called.
    """

    slug: str
    title: str
    what: str
    sources: tuple[Source, ...]
    command: str
    data: str
    protocol: tuple[Told, ...]
    rows: Callable[[], Rows]
    lines: Callable[[Rows], list[Line]]
    took: Callable[[Rows], float | str] | str
    control: Callable[[Rows], str] | str = ""
    picture: Callable[[Rows], Figure] | None = None
    caption: str = ""
    published: str = "published"

    def reached(self) -> tuple[int, int]:
        """How many lines with a goal reach it, and how many there are."""
        goals = [line.met for line in self.lines(self.rows()) if line.met is not None]
        return sum(goals), len(goals)


def newest_of(name: str, *keys: str, only: Callable[[Row], bool] = lambda row: True) -> Callable[[], list[Row]]:
    """The newest row of each case of results/NAME.csv; a case is told by the columns `keys`. Read at each call."""
    return lambda: [row for row in newest(read_rows(name), lambda row: tuple(row[key] for key in keys)) if only(row)]


def begins(column: str, *words: str) -> Callable[[Row], bool]:
    """Whether a column of a row begins with one of some words."""
    return lambda row: row[column].startswith(words)


def total(*columns: str) -> Callable[[Rows], float]:
    """The sum of some columns over all rows: seconds."""
    return lambda rows: sum(float(row[column]) for row in rows for column in columns)


def is_true(text: str) -> bool:
    """Of a truth value in a CSV file."""
    return text in ("True", "yes")
