"""The Chinese pages say what the English ones say: the same code, the same numbers, one term for one thing."""

from __future__ import annotations

import ast
import re
from itertools import islice
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from qloom.learning import read_page
from qloom.learning.running import command_lines
from tests.learning.whole_pages import run_whole

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
OVERVIEW = ROOT / "README.zh.md"
PAGES = [OVERVIEW, *sorted((DOCS / "zh").glob("*.md"))]
NAMES = [path.name for path in PAGES]
ENGLISH = [ROOT / "README.md", *(path for path in DOCS.rglob("*.md") if path.parent.name != "zh")]
# In the glossary -> on the Chinese pages.
TERMS = {
    "qubit": "量子比特",
    "circuit": "线路",
    "observable": "可观测量",
    "ansatz": "拟设",
    "barren plateau": "贫瘠高原",
    "error mitigation": "误差缓解",
    "encoder": "编码器",
    "expectation value": "期望值",
    "parameter shift": "参数移位",
    "control": "对照组",
    "verdict": "结论",
    "certificate": "最优性证明",
    "state vector": "态矢量",
    "imaginary time": "虚时演化",
}
# Other words for the same, which our pages do not use.
OTHERS = r"量子位|量子电路|(?<!可)观测量|荒原|错误缓解|错误减缓|试探波函数|期待值"


def steps(kind: str, code: str) -> list[str]:
    """What a block does: statements of Python, else lines; comments and layout are left out."""
    if kind == "python":
        try:
            return [ast.dump(statement) for statement in ast.parse(code).body]
        except SyntaxError:  # an indented block of commands
            pass
    return [" ".join(line.split()) for line in command_lines(code)]


def blocks(path: Path) -> list[tuple[str, str, str | None]]:
    """Language, code and output of every block of a page, exercises included."""
    page = read_page(path)
    answers = [part for exercise in page.exercises for part in exercise.answer]
    return [(part.kind, part.source, part.output) for part in (*page.parts, *answers) if part.kind != "prose"]


def is_part(few: list[str], many: list[str]) -> bool:
    """Whether all of `few` stand in `many`, in their order."""
    rest = iter(many)
    return all(step in rest for step in few)


@pytest.fixture(scope="module")
def english() -> tuple[list[list[str]], set[str]]:
    """The steps of each English block, and every single one."""
    found = [steps(kind, code) for path in ENGLISH for kind, code, _ in blocks(path)]
    return found, {step for block in found for step in block}


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_code_is_that_of_an_english_page(path, english):
    whole, single = english
    for kind, code, _ in blocks(path):
        wanted = steps(kind, code)
        assert wanted
        found = set(wanted) <= single if kind in ("sh", "console") else any(is_part(wanted, block) for block in whole)
        assert found, f"{path.name} has code that no English page has:\n{code}"


@pytest.mark.parametrize("name", ["start", "concepts"])
def test_a_translated_page_has_all_the_code_of_its_original(name):
    ours, theirs = ([(steps(k, c), out) for k, c, out in blocks(DOCS / folder / f"{name}.md")] for folder in ("zh", ""))
    assert ours == theirs


def test_concepts_run(tmp_path):
    """What it prints is compared with what stands there; `start` trains a table and is run in English."""
    assert "True" in run_whole(read_page(DOCS / "zh" / "concepts.md"), tmp_path)


def links(path: Path) -> list[str]:
    tokens = MarkdownIt("commonmark").parse(path.read_text(encoding="utf-8"))
    inside = [child for token in tokens for child in token.children or ()]
    return [str(token.attrs["href"]) for token in inside if token.type == "link_open"]


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_links_lead_somewhere(path):
    assert links(path)
    for link in links(path):
        if re.match(r"https?:", link):
            continue
        target, _, anchor = link.partition("#")
        there = path.parent / target
        assert there.is_file(), f"{path.name} links to {link}"
        assert not anchor or anchor in anchors(there), f"{path.name} links to {link}"


def numbers(text: str) -> list[str]:
    """As they are written, without separators and a zero in front."""
    found = re.findall(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e-?\d+)?|(?<![\w.])\.\d+", text)
    return [re.sub(r"^0(?=\.)", "", number.replace(",", "")) for number in found]


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]+`|\]\([^)]*\)", "", text, flags=re.MULTILINE | re.DOTALL)


SOURCES = [
    (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/performance.md", "docs/comparison.md")
]


def test_numbers_stand_in_the_english_pages_too():
    known = {number for source in SOURCES for number in numbers(source)}
    wrong = [number for number in numbers(without_code(OVERVIEW.read_text(encoding="utf-8"))) if number not in known]
    assert wrong == []


def test_rows_of_tables_are_those_of_the_english_pages():
    """All numbers of a row, in their order, stand in one line there."""
    lines = [numbers(line) for source in SOURCES for line in source.splitlines() if line.startswith("|")]
    rows = [line for line in OVERVIEW.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    compared = [row for row in map(numbers, rows) if len(row) > 2]
    assert len(compared) >= 8
    for row in compared:
        assert any(is_part(row, line) for line in lines), row


@pytest.mark.parametrize(("term", "chinese"), TERMS.items())
def test_terms_are_those_of_the_glossary(term, chinese):
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    lines = re.findall(rf"^[| *`#\[-]*{term}\b.*$", text, re.MULTILINE | re.IGNORECASE)
    assert any(chinese in line for line in lines), lines
    assert any(chinese in path.read_text(encoding="utf-8") for path in PAGES)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_one_term_for_one_thing(path):
    assert re.findall(OTHERS, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_it_is_set_as_chinese_is(path):
    """Full-width punctuation after Chinese, a space between Chinese and Latin letters or digits."""
    han, latin = "\u4e00-\u9fff", "A-Za-z0-9"
    text = re.sub(r"\*\*|\*(?=\S)|(?<=\S)\*", "", without_code(path.read_text(encoding="utf-8")))
    faults = re.finditer(rf"[{han}][,;:!?](?=\s|[{han}])|[{han}][{latin}]|[{latin}%][{han}]", text)
    assert list(islice((text[max(0, each.start() - 8) : each.end() + 8] for each in faults), 5)) == []
