"""The Python of docs/correction.md runs as it is written, to the number that stands there."""

import re
from math import sqrt
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_worked_example_ends_in_its_number(capsys):
    text = (DOCS / "correction.md").read_text()
    section = text[text.index("## In Python") : text.index("## What a plan counts")]
    names: dict = {}
    exec("\n".join(line[4:] for line in section.splitlines() if line.startswith("    ")), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == re.findall(r"\*\*(\d+)\*\*", section)[0]
    costs = names["costs"]
    assert (costs.rotations, costs.t_gates, costs.distance) == (32, 1408, 13)
    # Seeds give other shots on other machines: d rounds of the law's errors, of one basis, within four deviations.
    errors = [int(line.split(" errors in")[0].split("; ")[-1]) for line in printed[:2]]
    for distance, found in zip((3, 5), errors, strict=True):
        expected = 100_000 * distance * costs.rate.per_round(0.001, distance) / 2
        assert abs(found - expected) < 0.1 * expected + 4 * sqrt(expected)
