"""A made table of any size on disk, in Parquet files: 14 numbers, 4 categories, a date, a truth value and a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

GROUP_ROWS = 65_536
FILE_ROWS = 16 * GROUP_ROWS
_LEVELS = (4, 12, 40, 300)
_FIRST = np.datetime64("2019-01-01", "ms")


def make_rows(n: int, seed: int, first: int = 0) -> pa.Table:
    """Rows from number `first` on, which are the same however the table is cut into such groups.

    Numbers: eight normal ones, two with heavy tails, one with gaps, three whole ones. Categories of 4, 12, 40 and 300
    levels. The target, yes or no, follows two of the numbers, the largest category and noise.
    """
    random = np.random.default_rng([seed, first])
    hidden = random.normal(size=(n, 4))
    columns: dict[str, object] = {f"n{i}": hidden[:, i % 4] * (i + 1) + random.normal(size=n) for i in range(8)}
    columns["amount"], columns["income"] = np.exp(random.normal(3, 2, n)), np.exp(random.normal(10, 0.7, n))
    columns["age"] = np.where(random.random(n) < 0.05, np.nan, random.normal(50, 12, n))
    columns |= {"hour": random.integers(0, 24, n), "grade": random.integers(1, 6, n), "visits": random.poisson(3, n)}
    for k in _LEVELS:
        drawn = random.choice(k, n, p=1 / np.arange(1, k + 1) / (1 / np.arange(1, k + 1)).sum())
        columns[f"of {k}"] = pa.array([f"level {i}" for i in range(k)]).take(pa.array(drawn))
    columns["when"] = _FIRST + random.integers(0, 5 * 365 * 86_400, n).astype("timedelta64[s]")
    columns["flag"] = random.random(n) < 0.3
    score = hidden[:, 0] + 0.5 * hidden[:, 1] + 0.3 * (drawn % 5 - 2) + random.normal(size=n)
    return pa.table({**columns, "bought": np.where(score > 0, "yes", "no")})


def write_table(folder: Path, n_rows: int, seed: int = 0) -> Path:
    """Write a table of `n_rows` in files of about a million rows; the folder."""
    folder.mkdir(parents=True)
    for start in range(0, n_rows, FILE_ROWS):
        end = min(start + FILE_ROWS, n_rows)
        with parquet.ParquetWriter(
            folder / f"part-{start // FILE_ROWS:05}.parquet", make_rows(1, seed).schema
        ) as writer:
            for first in range(start, end, GROUP_ROWS):
                writer.write_table(make_rows(min(GROUP_ROWS, end - first), seed, first), row_group_size=GROUP_ROWS)
    return folder
