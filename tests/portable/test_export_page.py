"""docs/export.md runs as it is written, to what it says that it prints."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "export.md"


def test_the_page_ends_in_its_number(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text()
    section = text[text.index("## In Python") : text.index("## A circuit")]
    exec("\n".join(line[4:] for line in section.splitlines() if line.startswith("    ")), {})
    assert capsys.readouterr().out.strip() == re.search(r"prints \*\*(.+?)\*\*", section)[1]
    assert 11 * 3**6 + 3**5 == 8262
