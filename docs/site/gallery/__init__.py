"""The gallery: published results found again, a page for each figure or table, made of benchmarks/results alone.

A new page is an `Entry` in the list of one of the files here; its numbers come from the newest rows and from the
benchmark's module, so that a page is true whenever results change.
"""

from __future__ import annotations

from docs.site.gallery import classifiers, generative, glasses, markdown, noise, searches, training, wide
from docs.site.gallery.entry import Entry
from docs.site.gallery.pictures import as_svg

AREAS = (classifiers, generative, training, wide, noise, searches, glasses)
ENTRIES: tuple[Entry, ...] = tuple(entry for area in AREAS for entry in area.ENTRIES)


def pages() -> dict[str, str]:
    """Path on the site -> Markdown."""
    made = {f"gallery/{entry.slug}.md": markdown.page(entry) for entry in ENTRIES}
    return {"gallery/index.md": markdown.index(ENTRIES), **made}


def pictures() -> dict[str, bytes]:
    """Path on the site -> SVG, the same bytes as long as the rows are the same."""
    return {f"gallery/{entry.slug}.svg": as_svg(entry.picture, entry.rows()) for entry in ENTRIES if entry.picture}
