"""Training, validation and test rows: stratified by class, in order of time, by groups, or at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data.cells import dates, is_date, is_text, numbers, plain_column
from qloom.data.columns import require_columns
from qloom.data.copies import find_copies
from qloom.data.row_keys import table_keys
from qloom.data.schema import Schema
from qloom.data.written_dates import find_dates
from qloom.errors import ConfigError, DataError

_DRAWS = 100
KINDS = ("auto", "stratified", "time", "group", "random")


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts: int64, sorted, disjoint, together all rows.

    Attributes:
        train, validation, test: the row numbers; unpacked in this order.
        kind: "stratified", "time", "group" or "random".
    """

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
    group_column: str | None = None,
    copies: str = "together",
) -> Split:
    """Cut rows into training, validation and test.

    Args:
        rows: the number of rows, or the table.
        target: a Schema (with a table), or the target's values (B,).
        kind: "stratified" keeps the share of every class; "time" takes the last rows as test and those before
            them as validation, in order of `time_column`, else of the schema's time, else of the rows; "group" keeps
            the rows of one value of `group_column`, else of the schema's group, in one part, and the shares of
            classes as near as that allows; "random". "auto" is time if a time column is named, group if a group is,
            stratified for classes, random otherwise.
        validation: share of all rows, 0 for none.
        test: share of all rows, 0 for none.
        seed: fixes stratified and random splits.
        time_column: a date or number column of the table.
        group_column: a column of the table with one value a person, machine or other thing that rows are of.
        copies: "together": rows equal in every feature go into one part of a random, stratified or group split, which
            takes a Schema and the table; "anywhere": they do not.

    Raises:
        ConfigError: for an unknown kind or shares that leave nothing to train on.
        DataError: for too few rows, or missing times.
    """
    check_shares(validation, test)
    n_rows = rows if isinstance(rows, int | np.integer) else rows.num_rows
    n_test, n_validation = _counts(int(n_rows), validation, test)
    time = time_column or (target.time if isinstance(target, Schema) else None)
    group = group_column or (target.group if isinstance(target, Schema) else None)
    chosen = _choose_kind(kind, target, time, group)
    rng = np.random.default_rng(seed)
    units = _units(rows, target, chosen, group, copies)
    if chosen == "time":
        parts = _cut(time_order(rows, time, int(n_rows)), n_validation, n_test)
    elif units is not None:
        strata = _strata(rows, target, chosen, int(n_rows))
        parts = _cut_with_classes(units, strata, n_validation, n_test, rng)
    elif chosen == "stratified":
        parts = _stratify(_labels(rows, target, int(n_rows)), n_validation, n_test, rng)
    else:
        parts = _cut(rng.permutation(int(n_rows)), n_validation, n_test)
    train, validating, testing = (np.sort(part).astype(np.int64) for part in parts)
    return Split(train, validating, testing, chosen)


def check_shares(validation: float, test: float) -> None:
    """Raise ConfigError unless both shares are from 0 on and leave rows to train on."""
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


def _choose_kind(kind: str, target: Any, time: str | None, group: str | None) -> str:
    if kind not in KINDS:
        raise ConfigError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}; leave it out to have it chosen")
    if kind == "group" and group is None:
        raise ConfigError("kind is 'group' without a group, expected the column whose rows stay together; name it")
    if kind != "auto":
        return kind
    if time is not None or group is not None:
        return "time" if time is not None else "group"
    if isinstance(target, Schema):
        return "stratified" if target.task == "classification" else "random"
    return "stratified" if target is not None and np.asarray(target).dtype.kind in "biuOUST" else "random"


def _units(rows: int | pa.Table, target: Any, kind: str, group: str | None, copies: str) -> np.ndarray | None:
    """What stays together, as a number a row (B,); None where every row is free."""
    if copies not in ("together", "anywhere"):
        raise ConfigError(f"copies is {copies!r}, expected together or anywhere; leave it out to keep them together")
    if kind == "group":
        return _groups(rows, str(group))
    if kind == "time" or copies == "anywhere" or not (isinstance(rows, pa.Table) and isinstance(target, Schema)):
        return None
    found = find_copies(rows, target)
    return found.units if found.are_copies else None


def _groups(rows: int | pa.Table, name: str) -> np.ndarray:
    if not isinstance(rows, pa.Table):
        raise ConfigError(f"a split by {name!r} needs the table, got a number of rows; pass the table")
    column = _complete_column(rows, name, "group", "to keep rows together")
    return np.asarray(np.unique(table_keys(pa.table({name: column})), return_inverse=True)[1])


def _complete_column(rows: pa.Table, name: str, what: str, purpose: str) -> pa.ChunkedArray:
    require_columns(rows, [name], purpose)
    column = plain_column(rows[name])
    if column.null_count:
        raise DataError(
            f"{what} column {name!r} is missing in {column.null_count} of {rows.num_rows} rows, expected a value "
            "in every row; drop these rows or use another split"
        )
    return column


def _strata(rows: int | pa.Table, target: Any, kind: str, n_rows: int) -> np.ndarray:
    """Class numbers of the rows where classes are to be spread evenly, else zeros."""
    of_classes = isinstance(target, Schema) and target.task == "classification"
    given = not isinstance(target, Schema) and _choose_kind("auto", target, None, None) == "stratified"
    if kind == "stratified" or (kind == "group" and (of_classes or given)):
        return _labels(rows, target, n_rows)
    return np.zeros(n_rows, dtype=np.int64)


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


def time_order(rows: int | pa.Table, name: str | None, n_rows: int) -> np.ndarray:
    """Row numbers from the earliest to the latest; rows of one time keep their order."""
    if name is None or not isinstance(rows, pa.Table):
        return np.arange(n_rows)
    column = _complete_column(rows, name, "time", "to order the rows")
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


def _cut_with_classes(
    units: np.ndarray, strata: np.ndarray, n_validation: int, n_test: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first of some draws that trains on every class and, of two classes, tests on both.

    Raises:
        DataError: if there is none: a class is in too few units.
    """
    n_classes = int(strata.max()) + 1
    for _ in range(_DRAWS):
        train, validation, test = cut_units(units, strata, n_validation, n_test, rng)
        tested = n_classes != 2 or not n_test or len(np.unique(strata[test])) == 2
        if tested and len(np.unique(strata[train])) == n_classes:
            return train, validation, test
    places = [len(np.unique(units[strata == code])) for code in range(n_classes)]
    raise DataError(
        f"a class is in {min(places)} of {int(units.max()) + 1} groups of rows that stay together, expected enough to "
        "train and to test on; choose another column or split"
    )


def cut_units(
    units: np.ndarray, strata: np.ndarray, n_validation: int, n_test: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut rows of which some stay together, in nearly the same shares in every stratum.

    A unit counts to the stratum that most of its rows are of. In each stratum units in random order fill test, then
    validation, up to whichever end is nearer to the rows wanted; what that is off is made up for in the next.

    Shapes: units (B,), strata (B,) -> row numbers of training, validation and test.

    Raises:
        DataError: for fewer units than parts.
    """
    n_units = int(units.max()) + 1
    wanted = np.array([n_test, n_validation])
    if n_units < 1 + np.count_nonzero(wanted):
        raise DataError(
            f"{n_units} groups of rows that stay together, expected at least one each to train, validate and test; "
            "choose another column or split"
        )
    sizes, majority = np.bincount(units), _majority(units, strata, n_units)
    order = rng.permutation(n_units)
    order = order[np.argsort(majority[order], kind="stable")]
    blocks = np.split(order, np.cumsum(np.bincount(majority))[:-1])
    parts = _fill(blocks, sizes, wanted) if min(map(len, blocks)) >= 3 else None
    if parts is None or any(not (parts == k + 1).any() for k in range(2) if wanted[k]) or not (parts == 0).any():
        parts = _fill([rng.permutation(n_units)], sizes, wanted, least=1)
    of_rows = parts[units]
    return np.flatnonzero(of_rows == 0), np.flatnonzero(of_rows == 2), np.flatnonzero(of_rows == 1)


def _majority(units: np.ndarray, strata: np.ndarray, n_units: int) -> np.ndarray:
    """The stratum that most rows of each unit are of."""
    pairs, counts = np.unique(units * (int(strata.max()) + 1) + strata, return_counts=True)
    pairs = pairs[np.argsort(counts, kind="stable")]  # the most frequent comes last and stays
    majority = np.zeros(n_units, dtype=np.int64)
    majority[pairs // (int(strata.max()) + 1)] = pairs % (int(strata.max()) + 1)
    return majority


def _fill(blocks: list[np.ndarray], sizes: np.ndarray, wanted: np.ndarray, least: int = 0) -> np.ndarray:
    """The part of each unit, 1 for test, 2 for validation, else 0."""
    n_rows, owed = sizes.sum(), np.zeros(2)
    parts = np.zeros(len(sizes), dtype=np.int64)
    for block in blocks:
        ends = np.concatenate([[0], np.cumsum(sizes[block])])
        first = 0
        for k in range(2):
            owed[k] += wanted[k] * ends[-1] / n_rows
            lowest = first + (least if wanted[k] else 0)
            last = max(lowest, int(np.argmin(np.abs(ends - ends[first] - owed[k]))))
            last = min(last, len(block) - least * (1 + (k == 0 and wanted[1] > 0)))
            parts[block[first:last]] = k + 1
            owed[k] -= ends[last] - ends[first]
            first = last
    return parts
