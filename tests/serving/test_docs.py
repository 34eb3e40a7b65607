"""The page's example ends in its number, and its table of paths is whole."""

from __future__ import annotations

import re
from pathlib import Path

from qloom.serving.guard import PATHS

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "serving.md").read_text("utf-8")


def test_every_row_is_predicted_as_the_page_says(capsys):
    section = TEXT[TEXT.index("## In Python") : TEXT.index("## Under load")]
    names: dict = {}
    exec("\n".join(line[4:] for line in section.splitlines() if line.startswith("    ")), names)
    assert capsys.readouterr().out.split()[-1] == re.findall(r"prints \*\*(\d+)\*\*", section)[0]


def test_all_paths_are_told():
    assert set(re.findall(r"^\| `(?:GET|POST) (/\w*)` \|", TEXT, flags=re.M)) == set(PATHS)
