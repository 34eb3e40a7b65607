"""The example of docs/watch.md runs as it is written, to the numbers that stand there."""

from __future__ import annotations

import json
import re

import pytest

from qloom.cli import main
from qloom.learning import PageRun
from qloom.learning.running import command_lines
from tests.learning.guides import guide
from tests.learning.whole_pages import run_parts

pytest.importorskip("river")
PAGE = guide("watch")


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
    run_parts(PageRun(PAGE.page.path), PAGE.python, tmp_path)
    commands = [part.source for part in PAGE.parts if part.kind == "sh"][-1]
    train, first, watch, again = command_lines(commands)
    called(capfd, train)
    before = json.loads(called(capfd, f"{first} --json"))["scores"]["accuracy"][0]
    found = json.loads(called(capfd, f"{watch} --json"))
    after = json.loads(called(capfd, f"{again} --json"))["scores"]["accuracy"][0]
    moved = {each["column"] for each in found["columns"] if each["matters"]}
    assert "pressure" in moved
    assert "temperature" not in moved
    assert found["update"]["accepted"]
    told = [float(number) for number in re.findall(r"\*\*([\d.]+)\*\*", PAGE.prose.split("## An example")[1])]
    assert [before, after] == pytest.approx(told, abs=0.015)
