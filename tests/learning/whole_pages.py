"""A page run from its first line to its last, and held against what it says."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qloom.learning import Page, PageRun, differences


def run_whole(page: Page, folder: Path, names: Mapping[str, Any] | None = None) -> str:
    """All that the page prints; fails where that is not what stands there."""
    run = PageRun(page.path)
    run.names.update(names or {})
    printed = []
    with contextlib.chdir(folder):
        for part in page.code:
            printed.append(run.run(part))
            wrong = differences(printed[-1], part.output) if part.output is not None else []
            assert not wrong, f"{page.path.name}, line {part.line + 1}:\n" + "\n".join(wrong)
    return "".join(printed)
