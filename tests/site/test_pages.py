"""What is made of written pages: links, navigation, notebooks, what coding assistants read."""

from __future__ import annotations

import json

import nbformat
import pytest

from docs.site.assemble import ROOT, assemble, site_of, with_links
from docs.site.assistants import first_sentence, title_of
from docs.site.docstrings import as_restructured
from docs.site.notebooks import notebook
from docs.site.search import EnglishAndChinese
from qloom.learning import ROADS, lessons, read_page, tutorials


def test_links_lead_where_the_pages_are():
    faults: list[str] = []
    text = (
        "[a](../ARCHITECTURE.md) [b](noise.md#conventions) [c](../scripts/gpu_check.sh) `[d](no.md)` [e](https://x.y)"
    )
    assert with_links(text, "docs/gpu.md", "gpu.md", faults) == (
        "[a](design.md) [b](noise.md#conventions) `c` `[d](no.md)` [e](https://x.y)"
    )
    assert with_links("[a](docs/gpu.md)", "README.md", "overview.md", faults) == "[a](gpu.md)"
    assert with_links("![p](docs/plots/x.svg)", "README.md", "zh/overview.md", []) == "![p](../plots/x.svg)"
    assert faults == []


def test_a_dead_link_is_a_fault():
    faults: list[str] = []
    with_links("[a](nowhere.md)", "docs/gpu.md", "gpu.md", faults)
    assert faults == ["docs/gpu.md links to nowhere.md, which is not there"]


@pytest.fixture(scope="module")
def assembled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    return folder, assemble(folder)


def test_no_link_is_dead(assembled):
    assert assembled[1] == []


def test_every_page_is_there_and_found_from_the_first(assembled):
    folder, _ = assembled
    for name in site_of().values():
        assert (folder / name).is_file()
    listed = (folder / "extra" / "llms.txt").read_text()
    whole = (folder / "extra" / "llms-full.txt").read_text()
    for name in site_of().values():
        assert f"({name.removesuffix('.md')}.html)" in listed
        assert f"<!-- {name} -->" in whole
    assert "qloom.nn.QuantumLayer" in whole


def test_what_is_gone_is_removed_and_what_is_the_same_stays(assembled):
    folder, _ = assembled
    (folder / "old.md").write_text("# gone")
    before = (folder / "noise.md").stat().st_mtime_ns
    assemble(folder)
    assert not (folder / "old.md").exists()
    assert (folder / "noise.md").stat().st_mtime_ns == before


TAUGHT = [page for road in ROADS for page in lessons(road)] + tutorials()


@pytest.mark.parametrize("page", TAUGHT, ids=[page.path.stem for page in TAUGHT])
def test_notebooks_are_notebooks(page):
    """Their cells have all that runs, in its order."""
    document = nbformat.reads(notebook(page), as_version=4)
    nbformat.validate(document)
    cells = [cell.source for cell in document.cells if cell.cell_type == "code"]
    assert cells == [part.source for part in page.code if part.kind == "python"] or any(
        "!qloom" in cell for cell in cells
    )
    assert len(cells) == len(page.code)


def test_pages_for_assistants_are_named_and_told():
    text = read_page(ROOT / "docs" / "start.md").path.read_text()
    assert title_of(text) == "Start"
    assert first_sentence("# A\n\n## B\n\nSome words. More.\n") == "Some words."
    assert json.dumps(first_sentence(text))


def test_docstrings_are_text_with_code():
    lines = ["A `rot(a, b)` of |psi>, *all* of x_ and `Q`:", "", "    ql.Z(0) * `x`", "", "Source: Somebody 2019."]
    as_restructured(None, "function", "f", None, None, lines)
    assert lines[0] == "A ``rot(a, b)`` of \\|psi>, \\*all\\* of x\\_ and ``Q``::"
    assert lines[2] == "    ql.Z(0) * `x`"
    assert lines[4] == "**Source:** Somebody 2019."


def test_names_that_are_described_together_are_one_entry():
    lines = ["A gate.", "", "Args:", "    n_qubits, n_angles: how many."]
    as_restructured(None, "class", "Gate", None, None, lines)
    assert lines[3] == "    n\\_qubits/n\\_angles: how many."


def test_the_search_finds_chinese_words():
    """Of a sentence, words of one and two characters; longer ones are found as parts of it."""
    words = EnglishAndChinese({}).split("barren plateaus 贫瘠高原")
    assert {"barren", "贫瘠", "高原", "贫", "贫瘠高原"} <= set(words)
