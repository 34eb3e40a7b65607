"""Every tutorial runs as it is written, on real data, to what it prints, and says where nothing was gained."""

from __future__ import annotations

import shutil
import tomllib

import pytest

from benchmarks.results import ROOT
from benchmarks.shared import DATA
from qloom.learning import tutorials
from tests.learning.whole_pages import run_as_a_reader_does

# Where those that ask for a file find it.
FILES = {"churn": DATA / "telco_churn" / "telco_churn.csv.gz"}
PAGES = tutorials()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_it_prints_what_it_says(page, tmp_path):
    if "data" in page.facts:
        if not FILES[page.name].exists():
            pytest.skip("no folder shared/ with real tables; name one: make test-slow SHARED=FOLDER")
        shutil.copyfile(FILES[page.name], tmp_path / page.facts["data"])
    run_as_a_reader_does(page, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_it_says_where_nothing_was_gained(page):
    sections = [part.source for part in page.parts if part.source.startswith("## Where the quantum part did not help")]
    assert len(sections) == 1
    assert any(character.isdigit() for character in sections[0])


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_what_it_needs_is_an_extra(page):
    assert set(page.facts) <= {"data", "from", "needs"}
    assert ("data" in page.facts) == ("from" in page.facts)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert page.facts.get("needs", "dev") in extras
