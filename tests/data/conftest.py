"""Fixtures of the data tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.shared import DATA


@pytest.fixture
def shared_table() -> Callable[[str], Path]:
    """The path of a real table beside the checkout; the test is skipped where there is none."""

    def find(name: str) -> Path:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"{path} is not there: the shared tables are not beside this checkout")
        return path

    return find


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder."""

    def to_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return to_file
