"""The gallery says what the rows of results say, all of it, and changes with them."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from importlib.util import find_spec
from xml.etree import ElementTree

import pytest

from benchmarks import results
from benchmarks.published import qml_kernels
from benchmarks.results import newest, read_rows
from docs.site import gallery
from docs.site.gallery.entry import is_true
from docs.site.gallery.markdown import VERDICTS, escaped, part_of, told

# Files all of whose newest rows have a goal, and the columns that tell a case: every row is a line of one page.
WHOLE = {
    "published": ("name",),
    "codes": ("name",),
    "best_known": ("instance",),
    "routing": ("instance",),
    "scheduling": ("instance",),
}
BY_SLUG = {entry.slug: entry for entry in gallery.ENTRIES}


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return gallery.pages()


def path_of(slug: str) -> str:
    return f"gallery/{slug}.md"


def verdicts(text: str) -> Counter[str]:
    """Of a page's first table, by word."""
    rows = [line for line in text.split("## Protocol")[0].splitlines() if line.startswith("|")][2:]
    return Counter(re.split(r"(?<!\\)\|", line)[-2].strip() for line in rows)


def test_every_row_of_published_results_is_on_one_page(made):
    rows = newest(read_rows("published"), lambda row: row["name"])
    assert len(rows) >= 21
    for row in rows:
        cells = [escaped(row[key]) for key in ("name", "expected", "measured")]
        line = "| " + " | ".join([*cells, VERDICTS[is_true(row["met"])]]) + " |"
        assert sum(line in text.splitlines() for text in made.values()) == 1, row["name"]


@pytest.mark.parametrize("name", WHOLE)
def test_pages_of_a_file_reach_what_its_rows_reach(made, name):
    """Every newest row is of one entry, and its verdict is the row's own."""
    rows = newest(read_rows(name), lambda row: tuple(row[key] for key in WHOLE[name]))
    entries = [entry for entry in gallery.ENTRIES if any(row in rows for row in entry.rows())]
    assert sorted(str(row) for entry in entries for row in entry.rows()) == sorted(map(str, rows))
    said = sum((verdicts(made[path_of(entry.slug)]) for entry in entries), Counter())
    assert said == Counter(VERDICTS[is_true(row["met"])] for row in rows)


@pytest.mark.parametrize("entry", gallery.ENTRIES, ids=BY_SLUG)
def test_a_page_has_all_that_it_needs(made, entry):
    text = made[path_of(entry.slug)]
    assert text.startswith(f"# {entry.title}\n\n{entry.what}\n")
    assert find_spec(entry.command.split()[0]) is not None
    assert f"\npython -m {entry.command}\n" in text
    assert all(f"({source.url})" in text for source in entry.sources)
    assert entry.sources
    assert re.search(r"^.*Time: .+\. Measured on .+, 20\d\d-\d\d-\d\d.*, commit [0-9a-f]{7}", text, re.MULTILINE)
    assert "Run: " not in text
    assert sum(verdicts(text).values()) == len(entry.lines(entry.rows())) > 0


def test_what_is_missed_is_said_in_words(made):
    for entry in gallery.ENTRIES:
        lines, text = entry.lines(entry.rows()), made[path_of(entry.slug)]
        missed = [line for line in lines if line.met is False]
        assert ("Not reached, " in text) == bool(missed)
        assert all(
            f"- {escaped(f'{line.what}: published {line.published}; found {line.found}.')}" in text for line in missed
        )


def test_the_list_names_every_page_and_adds_up(made):
    text = made["gallery/index.md"]
    assert {f"gallery/{name}" for name in re.findall(r"\]\(([\w-]+\.md)\)", text)} == made.keys() - {"gallery/index.md"}
    scores = re.findall(r"\| (\d+) of (\d+) \|", text)
    reached, goals = (sum(map(int, column)) for column in zip(*scores, strict=True))
    assert f"\n{reached} of {goals} goals are reached.\n" in text
    everywhere = sum((verdicts(page) for path, page in made.items() if path != "gallery/index.md"), Counter())
    assert (everywhere["reached"], everywhere["reached"] + everywhere["**missed**"]) == (reached, goals)


def test_tables_are_whole(made):
    """As many cells in each row as in the head: nothing in a cell ended it."""
    for path, text in made.items():
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, f"{path}: {block}"


def test_a_changed_number_changes_its_page_and_the_list(made, tmp_path, monkeypatch):
    shutil.copytree(results.RESULTS, tmp_path / "results")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    before = newest(read_rows("published"), lambda row: row["name"])
    row = next(row for row in before if row["name"].startswith("ProjectedQuantumKernel"))
    results.append_row(
        "published", {**row, "measured": "exact on 3, at most 9 test rows off", "met": not is_true(row["met"])}
    )
    after = gallery.pages()
    assert {path for path in made if made[path] != after[path]} == {path_of("qml-kernels"), "gallery/index.md"}
    assert "exact on 3, at most 9 test rows off" in after[path_of("qml-kernels")]
    assert BY_SLUG["qml-kernels"].reached() == (len(qml_kernels.MODELS) - 1, len(qml_kernels.MODELS))


def test_pictures_are_those_that_pages_show_and_stay_the_same(made):
    found = gallery.pictures()
    shown = {f"gallery/{name}" for text in made.values() for name in re.findall(r"!\[[^\]]+\]\(([\w-]+\.svg)\)", text)}
    assert found.keys() == shown
    assert len(found) >= 9
    assert gallery.pictures() == found
    for content in found.values():
        root = ElementTree.fromstring(content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert b"<dc:date>" not in content
        assert b"fill: #ffffff" in content.split(b"</g>")[0]  # white behind it, on dark pages too


def test_parts_of_docstrings():
    def thing() -> None:
        """What it is, <Z> and a * b.

        - First: one
          and more.
        - Second: two.

        Run: python -m nothing
        """

    assert part_of(thing, "First:") == "First: one and more."
    assert (
        told((thing,))
        == "- `thing`: What it is, \\<Z> and a \\* b.\n\n  - First: one\n    and more.\n  - Second: two.\n"
    )
    with pytest.raises(ValueError, match="has 0 parts that begin with 'Third'"):
        part_of(thing, "Third")
    with pytest.raises(ValueError, match="has no docstring"):
        told((lambda: None,))
