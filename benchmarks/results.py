"""The CSV files of results: rows are appended, the last row of a case is its newest."""

from __future__ import annotations

import csv
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from qloom.training.environment import describe_environment

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
# What figures depend on; results and pages written meanwhile are none of it.
CODE = ("src", "cpp", "benchmarks/*.py", "benchmarks/peers/requirements")

Row = dict[str, str]


def append_row(name: str, row: Mapping[str, object]) -> None:
    """Add a row to results/<name>.csv; a file with other columns than the row's is refused."""
    path = RESULTS / f"{name}.csv"
    RESULTS.mkdir(exist_ok=True)
    known = columns(path)
    if known and known != list(row):
        raise ValueError(f"{path} has columns {known}, expected {list(row)}; move the file away and measure again")
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if not known:
            writer.writeheader()
        writer.writerow({key: _short(value) for key, value in row.items()})


def columns(path: Path) -> list[str]:
    """The columns of a CSV file, none if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return next(csv.reader(file), [])


def read_rows(name: str) -> list[Row]:
    """All rows of results/<name>.csv, oldest first; none if there is no such file."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def newest(rows: Iterable[Row], key: Callable[[Row], object]) -> list[Row]:
    """The last row of each key, in order of first appearance."""
    return list({key(row): row for row in rows}.values())


def provenance() -> dict[str, str]:
    """Where and when a row was measured: commit, with a + where the code differs from it, machine, day."""
    commit = _git("rev-parse", "--short", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no", "--", *CODE)
    environment = describe_environment()
    machine = f"{environment['processor']}, {environment['cores']} cores, {platform.system()}"
    return {
        "commit": commit + ("+" if changes else ""),
        "machine": machine,
        "day": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _short(value: object) -> object:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)  # a cut, a length: best known values are whole numbers of any size
    return f"{value:.5g}" if isinstance(value, float) else "" if value is None else value
