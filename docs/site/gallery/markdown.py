"""Pages of the gallery in Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from types import ModuleType

from benchmarks.page import measured_on
from benchmarks.tables import markdown as bare_table
from benchmarks.tables import three
from docs.site.gallery.entry import Entry, Line, Rows, Told

VERDICTS = {True: "reached", False: "**missed**", None: "no goal set"}
# Sections of docstrings that say nothing of a protocol.
_LEFT_OUT = re.compile(r"(Run|Source|Args|Attributes|Shapes|Returns|Raises)\b[^\n]*:")

INDEX = (
    "# Published results found again\n\n"
    "Figures and tables of the literature that the project has run again, each on a page of its own: the published "
    "value, what was found, and whether that is near enough.\n\n"
    "These pages are made of the rows in `benchmarks/results` when the site is built. A goal that was missed is shown "
    "as missed. Where a classical control was run, it stands on the page. No page claims a quantum advantage.\n\n"
)
DATA = (
    "Most commands read data that is no part of the project; each page names it. They look for it in a folder "
    "`shared` beside the project or above it, or in the one that `QLOOM_SHARED` names. Times are those of the rows on "
    "their machine, mostly of two cores; where rows have none, about what it takes there. A commit with a + had "
    "changes in the code that were not committed.\n"
)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], n_texts: int = 1) -> str:
    """A table whose cells are text, none of it markup."""
    return bare_table(heads, ([escaped(cell) for cell in row] for row in rows), n_texts)


def escaped(text: str) -> str:
    """Text as it is read: nothing in it ends a cell, begins a tag or is emphasis."""
    return re.sub(r"([|<*])", r"\\\1", text)


def duration(seconds: float) -> str:
    """Seconds, or minutes where there are more than a hundred."""
    return f"{three(seconds)} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def time_of(entry: Entry, rows: Rows) -> str:
    """How long it takes."""
    took = entry.took if isinstance(entry.took, str) else entry.took(rows)
    return took if isinstance(took, str) else duration(took)


def page(entry: Entry) -> str:
    """The page of an entry."""
    rows = entry.rows()
    lines = entry.lines(rows)
    sources = "\n".join(f"- {source}" for source in entry.sources)
    control = entry.control if isinstance(entry.control, str) else entry.control(rows)
    sections = [
        f"# {entry.title}\n\n{entry.what}\n\n{sources}\n",
        f"## Published and found\n\n{_verdicts(entry.published, lines)}{_missed(lines)}{_shown(entry)}",
        f"## Protocol\n\n{told(entry.protocol)}",
        f"## Classical control\n\n{control.strip()}\n" if control else "",
        f"## Run it\n\n```sh\npython -m {entry.command}\n```\n\n{_needs(entry)}Time: {time_of(entry, rows)}. "
        f"{measured_on(rows)}\n",
    ]
    return "\n".join(section for section in sections if section)


def _verdicts(published: str, lines: Sequence[Line]) -> str:
    heads = ["what", published, "found", "verdict"]
    cells = [[escaped(line.what), escaped(line.published), escaped(line.found), VERDICTS[line.met]] for line in lines]
    return bare_table(heads, cells, n_texts=4)


def _shown(entry: Entry) -> str:
    return f"\n![{entry.caption}]({entry.slug}.svg)\n\n{entry.caption}\n" if entry.picture else ""


def _missed(lines: Sequence[Line]) -> str:
    missed = [line for line in lines if line.met is False]
    if not missed:
        return ""
    told_of = [
        escaped(f"{line.what}: published {line.published}; found {line.found}.") + f" {line.why}".rstrip()
        for line in missed
    ]
    n_goals = sum(line.met is not None for line in lines)
    return f"\nNot reached, {len(missed)} of {n_goals}:\n\n" + "".join(f"- {text}\n" for text in told_of)


def _needs(entry: Entry) -> str:
    return f"Reads {entry.data}. " if entry.data else ""


def told(parts: Iterable[Told]) -> str:
    """Docstrings of modules as paragraphs, of functions and classes as a list, text as it is."""
    pieces = [_told(part).strip() for part in parts]
    between = ["\n" if a.startswith("- ") and b.startswith("- ") else "\n\n" for a, b in pairwise(pieces)]
    return "".join(piece + gap for piece, gap in zip(pieces, [*between, "\n"], strict=True))


def _told(part: Told) -> str:
    if isinstance(part, str):
        return part
    text = prose(inspect.getdoc(part) or "")
    if isinstance(part, ModuleType):
        return text
    if not text:
        raise ValueError(f"{part} has no docstring, expected one that tells of the protocol; write it or leave it out")
    return f"- `{part.__name__}`: " + text.replace("\n", "\n  ").replace("\n  \n", "\n\n")  # type: ignore[attr-defined]


def part_of(thing: object, start: str) -> str:
    """A paragraph of a docstring, or an item of a list in it, that begins so."""
    pieces = re.split(r"\n\s*\n(?:- )?|\n- ", inspect.getdoc(thing) or "")
    found = [escaped(" ".join(piece.split())) for piece in pieces if piece.startswith(start)]
    if len(found) != 1:
        raise ValueError(f"the docstring of {thing} has {len(found)} parts that begin with {start!r}, expected one")
    return found[0]


def prose(docstring: str) -> str:
    """What a docstring tells, without the sections that are about the code."""
    paragraphs = re.split(r"\n\s*\n", docstring)
    return "\n\n".join(escaped(text) for text in paragraphs if not _LEFT_OUT.match(text))


def index(entries: Sequence[Entry]) -> str:
    """All pages: what, source, how many goals are reached, time."""
    lines, reached, goals = [], 0, 0
    for entry in entries:
        met, of = entry.reached()
        reached, goals = reached + met, goals + of
        score = f"{met} of {of}" if of else "no goal set"
        title = f"[{entry.title}]({entry.slug}.md)"
        lines.append([title, escaped(entry.sources[0].authors), score, time_of(entry, entry.rows())])
    heads = ["what", "source", "reached", "time"]
    return f"{INDEX}{reached} of {goals} goals are reached.\n\n{bare_table(heads, lines, n_texts=4)}\n{DATA}"
