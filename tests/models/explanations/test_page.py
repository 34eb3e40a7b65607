"""The Python of docs/explain.md runs as it is written, to the numbers that stand there, and these are right."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explain.md"


def test_the_page_ends_in_its_numbers(capsys):
    section = PAGE.read_text()[PAGE.read_text().index("## In Python") :]
    names: dict = {}
    exec("\n".join(line[4:] for line in section.splitlines() if line.startswith("    ")), names)
    told = re.search(r"prints \*\*([-\d. ]+)\*\*", section)[1]
    assert capsys.readouterr().out.split() == told.split()
    background, found = names["background"], names["found"]
    means = background.mean(axis=0)
    pair = background[:, 1] * (background[:, 2] + background[:, 3])
    # Of a product of two, each is added first in half of the orders.
    b = ((means[2] + means[3] - pair.mean()) + (2 - means[1:2].sum() * 2)) / 2
    c = ((2 * means[1] - pair.mean()) + (2 - means[2] - means[3])) / 2
    assert found.contributions == pytest.approx([3 * (1 - means[0]), b, c], abs=1e-12)
    assert found.base == pytest.approx(float(re.search(r"base of (-?[\d.]+\d)", section)[1]), abs=5e-4)
