"""A table on disk in files of several kinds of columns, and the same in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

N_ROWS = 90_000


def make_table(n: int, seed: int = 0) -> pa.Table:
    """Numbers even and uneven, with gaps and codes, categories of few and of many levels, dates, truth values."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(n, 2))
    gaps = random.normal(50, 12, n)
    gaps[random.random(n) < 0.05] = np.nan
    many = random.zipf(1.3, n) % 3000
    days = random.integers(0, 1500 * 86_400, n)
    target = numbers @ [1, 2] + (many % 5) + random.normal(size=n)
    return pa.table(
        {
            "even": numbers[:, 0],
            "other": numbers[:, 1] * 1e-3 + 7,
            "amount": np.exp(random.normal(3, 2, n)),
            "gaps": gaps,
            "zeros": np.where(random.random(n) < 0.4, 0.0, random.gamma(2, 3, n)),
            "hour": random.integers(0, 24, n),
            "colour": np.array(["red", "green", "blue", "NA"])[random.choice(4, n, p=[0.6, 0.3, 0.08, 0.02])],
            "town": np.char.add("town ", many.astype(str)),
            "when": np.datetime64("2019-03-01", "ms") + days.astype("timedelta64[s]"),
            "flag": random.random(n) < 0.3,
            "y": np.where(target > 2, "yes", "no"),
            "z": target,
        }
    )


def write_parts(table: pa.Table, folder: Path, n_files: int = 3, group_rows: int = 25_000) -> Path:
    """Parquet files of equal parts."""
    folder.mkdir(parents=True)
    rows = -(-table.num_rows // n_files)
    for i in range(n_files):
        parquet.write_table(table.slice(i * rows, rows), folder / f"part-{i}.parquet", row_group_size=group_rows)
    return folder


@pytest.fixture(scope="session")
def table() -> pa.Table:
    return make_table(N_ROWS)


@pytest.fixture(scope="session")
def folder(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parts(table, tmp_path_factory.mktemp("streams") / "table")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 2 MB; skipped where this process may mount none."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this process may not mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)
