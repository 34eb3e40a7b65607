"""The suite's own ways: real data is found, and what is skipped is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.shared import find_shared
from tests.conftest import pytest_terminal_summary


def test_real_data_is_found_beside_the_project_and_above_it(tmp_path):
    project = tmp_path / "a" / "b" / "project"
    assert find_shared(Path("/nowhere/project"), {}) == Path("/nowhere/shared")  # the place to put it
    (tmp_path / "shared" / "instances").mkdir(parents=True)
    assert find_shared(project, {}) == tmp_path / "shared"
    (tmp_path / "a" / "b" / "shared" / "instances").mkdir(parents=True)
    assert find_shared(project, {}) == tmp_path / "a" / "b" / "shared"
    assert find_shared(project, {"QLOOM_SHARED": str(tmp_path / "a")}) == tmp_path / "a"
    with pytest.raises(SystemExit, match="expected a folder with data/ and instances/"):
        find_shared(project, {"QLOOM_SHARED": str(tmp_path / "nowhere")})


class Terminal:
    """What pytest hands to the summary, as far as it is used."""

    def __init__(self, *reasons: str):
        reports = [type("Report", (), {"longrepr": ("file", 1, f"Skipped: {reason}")}) for reason in reasons]
        self.stats, self.lines = {"skipped": reports}, []

    def section(self, title: str) -> None:
        self.lines.append(title)

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def test_skipped_tests_are_counted_by_their_reason():
    terminal = Terminal("no data", "no torch", "no data")
    pytest_terminal_summary(terminal)
    assert terminal.lines == ["3 skipped", "    2  no data", "    1  no torch"]
    nothing = Terminal()
    pytest_terminal_summary(nothing)
    assert nothing.lines == []
