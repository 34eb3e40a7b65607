"""The native sources: a folder includes only from those before it, and every source is compiled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = [
    "machine", "kernels", "lowering", "statevector", "gpu", "density", "measuring", "propagation", "trajectories",
    "networks", "iqp", "searches",
]  # fmt: skip
SOURCES = sorted((ROOT / "cpp").rglob("*.?pp"))


def test_every_folder_has_its_place():
    assert {path.parent.name for path in SOURCES} == {"cpp", *FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS)
def test_includes_come_from_folders_before(folder):
    files = [path for path in SOURCES if path.parent.name == folder]
    included = [name for path in files for name in re.findall(r'#include "(\w+)/', path.read_text())]
    assert included
    assert set(included) <= set(FOLDERS[: FOLDERS.index(folder) + 1])


def test_searches_need_no_engine():
    """They are a module of their own: of the kernels they include the vectors alone."""
    files = [path for path in SOURCES if path.parent.name == "searches"]
    included = {name for path in files for name in re.findall(r'#include "([\w/]+)\.hpp"', path.read_text())}
    assert {name for name in included if not name.startswith(("machine/", "searches/"))} == {"kernels/vectors"}


def test_every_source_is_compiled():
    listed = set(re.findall(r"cpp/[\w/]+\.cpp", (ROOT / "CMakeLists.txt").read_text()))
    assert listed == {str(path.relative_to(ROOT)) for path in SOURCES if path.suffix == ".cpp"}
