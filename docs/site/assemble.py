"""Puts the pages of the site together: written in docs/, lying elsewhere in the project, made of code and results."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from docs.site import commands, gallery, reference
from docs.site.assistants import write_for_assistants
from docs.site.notebooks import notebook, wants
from qloom.learning import Page, read_page

ROOT = Path(__file__).resolve().parents[2]
# Pages that lie where people look for them in a checkout -> where they are on the site.
ELSEWHERE = {
    "README.md": "overview.md",
    "README.zh.md": "zh/overview.md",
    "ARCHITECTURE.md": "design.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/floor.md": "floors.md",
    "findings/README.md": "findings.md",
}
# Pages that are made, which no checkout has.
MADE = (
    "docs/reference/",
    "docs/gallery/",
    "docs/commands.md",
    "docs/configuration.md",
    "docs/gates.md",
    *(f"docs/{site}" for site in ELSEWHERE.values()),
)
_LINK = re.compile(r"(!?)\[((?:[^\]`]|`[^`]*`)*)\]\(([^)\s]+)\)")
# A block of code, a link, or code in a line: what begins first is what it is.
_PIECE = re.compile(rf"^```.*?^```$|{_LINK.pattern}|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def assemble(folder: Path) -> list[str]:
    """Write all sources of the site to a folder; what has not changed keeps its time, so that it is not built again.

    Returns:
        links to what is not there, a line each.
    """
    faults: list[str] = []
    files = dict(_all_files(faults))
    for old in folder.rglob("*"):
        if old.is_file() and old.relative_to(folder).as_posix() not in files:
            old.unlink()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
    return faults


def _all_files(faults: list[str]) -> Iterator[tuple[str, bytes]]:
    """Path on the site -> content."""
    pages = {**dict(_written_pages(faults)), **reference.pages(), **commands.pages(), **gallery.pages()}
    for site, text in pages.items():
        is_index = PurePosixPath(site).stem == "index"
        yield site, (text + _contents(text, is_top=site == "index.md") if is_index else text).encode()
    yield from _notebooks()
    yield from gallery.pictures().items()
    for path in (*(ROOT / "docs" / "plots").glob("*.svg"), *(ROOT / "docs" / "site" / "static").iterdir()):
        name = path.relative_to(ROOT / "docs").as_posix().removeprefix("site/")
        yield name, path.read_bytes()
    yield from ((f"extra/{name}", text.encode()) for name, text in write_for_assistants(pages).items())


def _written_pages(faults: list[str]) -> Iterator[tuple[str, str]]:
    """Pages in Markdown, with their links as the site has them."""
    for source, site in site_of().items():
        path = ROOT / source
        text = with_links(path.read_text(encoding="utf-8"), source, site, faults)
        yield site, with_ways(text, read_page(path), site) if _is_taught(site) else text


def site_of() -> dict[str, str]:
    """Path of a page in the project -> on the site."""
    docs = sorted((ROOT / "docs").rglob("*.md"))
    inside = {path.relative_to(ROOT).as_posix(): path.relative_to(ROOT / "docs").as_posix() for path in docs}
    return {**inside, **{source: site for source, site in ELSEWHERE.items() if (ROOT / source).exists()}}


def _is_taught(site: str) -> bool:
    return site.startswith(("learn/", "tutorials/")) and not site.endswith("index.md")


def _notebooks() -> Iterator[tuple[str, bytes]]:
    for source, site in site_of().items():
        if _is_taught(site):
            yield site.replace(".md", ".ipynb"), notebook(read_page(ROOT / source)).encode()


def with_ways(text: str, page: Page, site: str) -> str:
    """A page with what it needs below its title, and the ways to run it at its end."""
    command = (
        f"qloom demo {page.name}"
        if site.startswith("tutorials/")
        else f"qloom learn {page.path.parent.name} {page.path.stem[0]}"
    )
    top = "".join(f"\n\n*{line}*" for line in wants(page))
    title = f"# {page.title}"
    return (
        text.replace(title, title + top, 1).rstrip()
        + f"\n\n---\n\nIn the terminal: `{command}`. As a notebook: [{page.path.stem}.ipynb]({page.path.stem}.ipynb).\n"
    )


def with_links(text: str, source: str, site: str, faults: list[str]) -> str:
    """Links between files of the project as links between pages of the site; what is no page of it is named only."""

    places = site_of()

    def replaced(found: re.Match[str]) -> str:
        is_picture, label, target = found.groups()
        if target is None:  # code
            return found[0]
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not path:
            return found[0]
        wanted = os.path.normpath(Path(source).parent / path)
        if not (ROOT / wanted).exists() and not wanted.startswith(MADE):
            faults.append(f"{source} links to {target}, which is not there")
        there = places.get(wanted) or (wanted.removeprefix("docs/") if wanted.startswith("docs/") else None)
        if there is None:
            return label if "`" in label else f"`{label}`"
        relative = os.path.relpath(there, Path(site).parent)
        return f"{is_picture}[{label}]({relative}{'#' if anchor else ''}{anchor})"

    return _PIECE.sub(replaced, text)


def _contents(text: str, is_top: bool) -> str:
    """What Sphinx needs to know of a page's links: the order of pages; of the first page by its sections."""
    sections = re.split(r"^## (.*)$", text, flags=re.M) if is_top else ["", "", text]
    blocks = []
    for caption, body in zip(sections[1::2], sections[2::2], strict=True):
        found = {
            target: label for _, label, target in _LINK.findall(body) if re.fullmatch(r"[\w./-]+\.(md|rst)", target)
        }
        links = [f"{label} <{target}>" if is_top else target for target, label in found.items()]
        lines = [f":caption: {caption}"] if caption else []
        blocks.append("\n".join(["```{toctree}", ":hidden:", *lines, "", *links, "```"]))
    return "\n\n" + "\n\n".join(blocks) + "\n"
