"""A page run from its first line to its last, and held against what it says."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.results import ROOT
from qloom.learning import Page, PageRun, Part, differences, read_page


def run_whole(page: Page, folder: Path) -> str:
    """All that the page prints; fails where that is not what stands there."""
    return run_parts(PageRun(page.path), page.code, folder)


def run_parts(run: PageRun, parts: Iterable[Part], folder: Path) -> str:
    """All that parts of a page print, run in a folder; fails where that is not what stands there."""
    printed = []
    with contextlib.chdir(folder):
        for part in parts:
            printed.append(run.run(part))
            wrong = differences(printed[-1], part.output) if part.output is not None else []
            assert not wrong, f"{run.path.name}, line {part.line + 1}:\n" + "\n".join(wrong)
    return "".join(printed)


def run_as_a_reader_does(page: Page, folder: Path) -> None:
    """The same in a process of its own: what others have imported or changed is no part of a page."""
    command = [sys.executable, "-m", "tests.learning.whole_pages", str(page.path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


if __name__ == "__main__":
    run_whole(read_page(Path(sys.argv[1])), Path.cwd())
