"""The site as `make docs` builds it: no warning, no dead link, every public name in the index, a search from files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from sphinx.util.inventory import InventoryFile

from docs.site.assemble import ROOT
from docs.site.reference import homes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def html(tmp_path_factory) -> Path:
    """The site, built with its warnings as errors, in a process of its own as `make docs` does."""
    out = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "docs.site", "--out", str(out)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return out / "html"


class Links(HTMLParser):
    """What a page refers to, and the places in it that can be referred to."""

    def __init__(self, text: str):
        super().__init__()
        self.targets: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src") and value and not re.match(r"[a-z]+:|//", value):
                self.targets.append(unquote(value))
            if name in ("id", "name") and value:
                self.places.add(value)


def test_every_link_leads_to_a_place(html):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in html.rglob("*.html")}
    dead = []
    for path, links in pages.items():
        for target in links.targets:
            file, _, place = target.partition("#")
            there = (path.parent / file.partition("?")[0]).resolve() if file else path
            if not there.exists() or (place and there in pages and place not in pages[there].places):
                dead.append(f"{path.relative_to(html)}: {target}")
    assert dead == []
    assert len(pages) > 80


def test_every_public_name_is_in_the_index(html):
    inventory = InventoryFile.loads((html / "objects.inv").read_bytes(), uri="")
    known = {name for kind, names in inventory.data.items() if kind.startswith("py:") for name in names}
    public = {f"{home}.{name}" for home, names in homes().items() for name in names}
    assert public - known == set()


def test_what_is_downloaded_is_there(html):
    assert (html / "llms.txt").read_text().startswith("# qloom")
    assert len(list(html.rglob("*.ipynb"))) >= 24


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed: the search is tried in it")
@pytest.mark.parametrize(
    ("words", "page"), [("barren plateau", "learn"), ("QuantumLayer", "reference/qloom.nn"), ("纠缠", "glossary")]
)
def test_the_search_works_from_files(html, words, page, tmp_path):
    shown = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
         "--virtual-time-budget=20000", "--dump-dom", f"{(html / 'search.html').as_uri()}?q={quote(words)}"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.findall(r'<li class="kind-[^"]*"><a href="([^"]*)"', shown.stdout)
    assert any(page in link for link in found), found[:5]
