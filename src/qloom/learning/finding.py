"""Where the pages are: in the package that was installed, or in the checkout that it is used from."""

from __future__ import annotations

from pathlib import Path

from qloom.errors import ConfigError
from qloom.learning.pages import Page, read_page

ROADS = {
    "quantum": "Quantum computing for people who train networks",
    "training": "Training for people who know circuits",
}
"""Name -> title of each road; its lessons are the numbered pages of a folder of that name."""


def page_folder() -> Path:
    """The folder of all pages.

    Raises:
        ConfigError: if the package was installed without them.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "docs", package.parents[1] / "docs"):
        if (folder / "learn").is_dir():
            return folder
    raise ConfigError(f"no pages beside {package}, expected the folder docs of the project; install qloom anew")


def lessons(road: str) -> list[Page]:
    """The lessons of a road, in their order."""
    if road not in ROADS:
        raise ConfigError(f"no road {road!r}, expected one of {', '.join(ROADS)}")
    return [read_page(path) for path in sorted((page_folder() / "learn" / road).glob("[0-9]*.md"))]


def tutorials() -> list[Page]:
    """All tutorials, by name."""
    folder = page_folder() / "tutorials"
    return [read_page(path) for path in sorted(folder.glob("*.md")) if path.stem != "index"]


def find_page(name: str) -> Page:
    """A page by its name, such as "noise", "tutorials/kernels" or "docs/noise.md"."""
    wanted = name.removeprefix("docs/").removesuffix(".md")
    names = page_names()
    found = [each for each in names if each == wanted or each.endswith(f"/{wanted}")]
    if not found:
        raise ConfigError(f"no page {name!r}, expected one of {', '.join(names)}")
    return read_page(page_folder() / f"{min(found, key=len)}.md")


def page_names() -> list[str]:
    """All pages, as paths without their ending."""
    folder = page_folder()
    found = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md"))
    return sorted(name for name in found if not name.startswith("_"))
