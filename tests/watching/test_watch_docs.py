"""The example of docs/watch.md runs as it is written, to the numbers that stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from qloom.cli import main

pytest.importorskip("river")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "watch.md"


def called(capfd, line: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(line.split()[1:])
    told = capfd.readouterr()
    assert not ended.value.code, told.err
    return told.out


@pytest.mark.slow
def test_watch_ends_in_its_numbers(capfd, tmp_path, monkeypatch):
    """To a hundredth: another processor rounds the training otherwise."""
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text()
    section = section[section.index("## An example") :]
    code = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    exec("\n".join(line for line in code if not line.startswith("qloom")), {})
    train, first, watch, again = (line for line in code if line.startswith("qloom"))
    called(capfd, train)
    before = json.loads(called(capfd, f"{first} --json"))["scores"]["accuracy"][0]
    found = json.loads(called(capfd, f"{watch} --json"))
    after = json.loads(called(capfd, f"{again} --json"))["scores"]["accuracy"][0]
    moved = {each["column"] for each in found["columns"] if each["matters"]}
    assert "pressure" in moved
    assert "temperature" not in moved
    assert found["update"]["accepted"]
    told = [float(number) for number in re.findall(r"\*\*([\d.]+)\*\*", section)]
    assert [before, after] == pytest.approx(told, abs=0.015)
