"""What is made of written pages: links, navigation, notebooks, what coding assistants read."""

from __future__ import annotations

import re

import nbformat
import pytest

from docs.site.assemble import assemble, site_of, with_links
from docs.site.assistants import write_for_assistants
from docs.site.docstrings import as_restructured
from docs.site.notebooks import notebook
from docs.site.search import EnglishAndChinese
from qloom.learning import ROADS, lessons, tutorials
from qloom.learning.running import command_lines


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
    coded = "[`x`](noise.md) and `[y](no.md)`"
    assert with_links(coded, "docs/gpu.md", "gpu.md", faults) == coded
    assert faults == []


def test_a_dead_link_is_a_fault():
    faults: list[str] = []
    with_links("[a](nowhere.md)", "docs/gpu.md", "gpu.md", faults)
    with_links("[`a`](nowhere.md)", "docs/gpu.md", "gpu.md", faults)
    assert faults == 2 * ["docs/gpu.md links to nowhere.md, which is not there"]


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
    assert len(cells) == len(page.code)
    for cell, part in zip(cells, page.code, strict=True):
        shown = "\n".join(f"!{line}" for line in command_lines(part.source))
        assert cell == (part.source if part.kind == "python" else shown)
    whole = "".join(cell.source for cell in document.cells)
    assert all(str(page.facts.get(key, "")) in whole for key in ("needs", "data", "from"))


def test_pages_for_assistants_are_named_and_told():
    pages = {
        "a.md": "---\nneeds: llm\n---\n\n# A title\n\n*It.*\n\n## B\n\n```sh\nqloom\n```\n\nSome words. More.\n",
        "b.rst": "qloom.b\n=======\n\n.. py:module:: qloom.b\n\nWhat it is.\n",
    }
    written = write_for_assistants(pages)
    assert "- [A title](a.html): Some words.\n- [qloom.b](b.html): What it is.\n" in written["llms.txt"]
    assert "<!-- a.md -->\n\n# A title" in written["llms-full.txt"]


def test_every_page_is_named_to_assistants(assembled):
    listed = (assembled[0] / "extra" / "llms.txt").read_text()
    lines = listed[listed.index("## Pages") :].splitlines()[2:]
    assert all(re.fullmatch(r"- \[[^\]:]+(: [^\]]+)?\]\(\S+\.html\): \S.*", line) for line in lines), lines
    assert "toctree" not in (assembled[0] / "extra" / "llms-full.txt").read_text()


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
