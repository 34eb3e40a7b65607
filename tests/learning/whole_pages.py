"""A page run from its first line to its last, and held against what it says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from qloom.learning import Page, PageRun, Part, differences


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
