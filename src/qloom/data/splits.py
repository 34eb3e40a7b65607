"""Training, validation and test rows: stratified by class, in order of time, or at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data.cells import dates, is_date, is_text, numbers, plain_column
from qloom.data.columns import require_columns
from qloom.data.schema import Schema
from qloom.data.written_dates import find_dates
from qloom.errors import ConfigError, DataError

KINDS = ("auto", "stratified", "time", "random")


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts: int64, sorted, disjoint, together all rows."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    kind: str = "random"

    def __iter__(self) -> Iterator[np.ndarray]:
        """Train, validation, test, for unpacking."""
        return iter((self.train, self.validation, self.test))


def split_rows(
    rows: int | pa.Table,
    target: Schema | Any = None,
    *,
    kind: str = "auto",
    validation: float = 0.15,
    test: float = 0.2,
    seed: int = 0,
    time_column: str | None = None,
) -> Split:
    """Cut rows into training, validation and test.

    Args:
        rows: the number of rows, or the table.
        target: a Schema (with a table), or the target's values (B,).
        kind: "stratified" keeps the share of every class; "time" takes the last rows as test and those before
            them as validation, in order of `time_column`, else of the schema's time, else of the rows;
            "random". "auto" is time if a time column is named, stratified for classes, random otherwise.
        validation: share of all rows, 0 for none.
        test: share of all rows, 0 for none.
        seed: fixes stratified and random splits.
        time_column: a date or number column of the table.

    Raises:
        ConfigError: for an unknown kind or shares that leave nothing to train on.
        DataError: for too few rows, or missing times.
    """
    _check_shares(validation, test)
    n_rows = rows if isinstance(rows, int | np.integer) else rows.num_rows
    n_test, n_validation = _counts(int(n_rows), validation, test)
    time = time_column or (target.time if isinstance(target, Schema) else None)
    chosen = _choose_kind(kind, target, time)
    if chosen == "time":
        parts = _cut(_time_order(rows, time, int(n_rows)), n_validation, n_test)
    elif chosen == "stratified":
        parts = _stratify(_labels(rows, target, int(n_rows)), n_validation, n_test, np.random.default_rng(seed))
    else:
        parts = _cut(np.random.default_rng(seed).permutation(int(n_rows)), n_validation, n_test)
    train, validating, testing = (np.sort(part).astype(np.int64) for part in parts)
    return Split(train, validating, testing, chosen)


def _check_shares(validation: float, test: float) -> None:
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise ConfigError(
            f"validation={validation:g} and test={test:g}, expected shares from 0 that leave rows "
            "to train on; lower them to a sum below 1"
        )


def _counts(n_rows: int, validation: float, test: float) -> tuple[int, int]:
    """Rounded counts, at least one where a share is asked for."""
    n_test = max(round(n_rows * test), 1) if test else 0
    n_validation = max(round(n_rows * validation), 1) if validation else 0
    if n_rows - n_test - n_validation < 1:
        raise DataError(f"{n_rows} rows, expected at least one each to train, validate and test; give more rows")
    return n_test, n_validation


def _choose_kind(kind: str, target: Any, time: str | None) -> str:
    if kind not in KINDS:
        raise ConfigError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}; leave it out to have it chosen")
    if kind != "auto":
        return kind
    if time is not None:
        return "time"
    if isinstance(target, Schema):
        return "stratified" if target.task == "classification" else "random"
    return "stratified" if target is not None and np.asarray(target).dtype.kind in "biuOUST" else "random"


def _labels(rows: int | pa.Table, target: Any, n_rows: int) -> np.ndarray:
    """Class numbers of the rows."""
    if isinstance(target, Schema):
        if not isinstance(rows, pa.Table):
            raise ConfigError("a stratified split by a Schema needs the table, got a number of rows; pass the table")
        require_columns(rows, [target.target], "to stratify")
        target = rows[target.target].to_numpy()
    if target is None:
        raise ConfigError("a stratified split got no target, expected a Schema or the target's values; pass one")
    labels = np.asarray(target)
    if labels.shape != (n_rows,):
        raise DataError(f"the target has shape {labels.shape}, expected ({n_rows},), one value a row; pass as many")
    return np.asarray(np.unique(labels, return_inverse=True)[1])


def _time_order(rows: int | pa.Table, name: str | None, n_rows: int) -> np.ndarray:
    """Row numbers from the earliest to the latest; rows of one time keep their order."""
    if name is None or not isinstance(rows, pa.Table):
        return np.arange(n_rows)
    require_columns(rows, [name], "to order the rows")
    column = plain_column(rows[name])
    if column.null_count:
        raise DataError(
            f"time column {name!r} is missing in {column.null_count} of {n_rows} rows, expected a time "
            "in every row; drop these rows or use another split"
        )
    return np.argsort(_times(column, name), kind="stable")


def _times(column: pa.ChunkedArray, name: str) -> np.ndarray:
    found = find_dates(column) if is_text(column.type) else None
    if found or is_date(column.type):
        return dates(column, name, found.format if found else None)
    return numbers(column, name)


def _cut(order: np.ndarray, n_validation: int, n_test: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n_train = len(order) - n_validation - n_test
    return order[:n_train], order[n_train : n_train + n_validation], order[n_train + n_validation :]


def _stratify(
    labels: np.ndarray, n_validation: int, n_test: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut every class in the same shares; a class keeps at least one row to train on."""
    sizes = np.bincount(labels)
    tests = _allot(n_test, sizes, sizes - 1)
    validations = _allot(n_validation, sizes, sizes - 1 - tests)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    pieces = [
        _cut(block, n_val, n_tst)
        for block, n_val, n_tst in zip(np.split(order, np.cumsum(sizes)[:-1]), validations, tests, strict=True)
    ]
    train, validation, test = (np.concatenate(part) for part in zip(*pieces, strict=True))
    return train, validation, test


def _allot(total: int, sizes: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Share `total` in proportion to `sizes` by largest remainder, nowhere above `room`."""
    wanted = total * sizes / sizes.sum()
    given = np.minimum(np.floor(wanted).astype(np.int64), np.maximum(room, 0))
    while given.sum() < total and (given < room).any():
        lack = np.where(given < room, wanted - given, -np.inf)
        given[np.argmax(lack)] += 1
    return np.asarray(given)
