"""Code of the README and of the pages that lie in docs/ itself; what a piece of it needs stands in `guide_names`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qloom.learning import Page, Part, read_page

ROOT = Path(__file__).resolve().parents[2]
README = read_page(ROOT / "README.md")
PAGES = (README, *map(read_page, sorted((ROOT / "docs").glob("*.md"))))


@dataclass(frozen=True)
class Guide:
    """What runs in one namespace: the Python of a page, or of a section of the README.

    Attributes:
        name: of the page, or "README: " and the section's title.
        page: that it is of.
        parts: all of it, prose too.
    """

    name: str
    page: Page
    parts: tuple[Part, ...]

    @property
    def python(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.kind == "python")

    @property
    def prose(self) -> str:
        return "\n".join(part.source for part in self.parts if part.kind == "prose")


def guides() -> list[Guide]:
    """All that have Python."""
    whole = (Guide(page.name, page, page.parts) for page in PAGES if page is not README)
    return [guide for guide in (*whole, *_sections(README)) if guide.python]


def guide(name: str) -> Guide:
    return next(each for each in guides() if each.name == name)


def _sections(page: Page) -> Iterator[Guide]:
    """A heading begins a part."""
    starts = [place for place, part in enumerate(page.parts) if part.source.startswith("## ")]
    for start, end in zip(starts, [*starts[1:], len(page.parts)], strict=True):
        title = page.parts[start].source.splitlines()[0].removeprefix("## ")
        yield Guide(f"README: {title}", page, page.parts[start:end])
