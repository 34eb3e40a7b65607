"""What lets test rows be known from training rows: things that several rows are of, and time under a random split."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from qloom.data.category_coding import category_words
from qloom.data.cautions import level_score, ranks
from qloom.data.cells import dates, is_date, is_number
from qloom.data.kinds import typed_cells
from qloom.data.row_keys import cell_keys
from qloom.data.schema import Column, Schema
from qloom.data.target import TargetCoding

_SAMPLE = 20_000
_FEWEST_ROWS = 40
# Above these, rows of one thing tell the target of its others: of things by name, and of any column.
_TELLS = {"classification": (0.75, 0.95), "regression": (0.4, 0.9)}
_FEWEST_THINGS = 10
_THING = re.compile(
    r"(?i)(^|[ _.-])(id|ids|uuid|guid|key|patient|subject|person|customer|client|user|member|account|"
    r"household|animal|machine|engine|device|sensor|unit|vehicle|site|store|plant|batch|speaker|author|session)s?"
    r"([ _.-]?(id|no|nr|number|code|key))?$|[a-z]I[dD]$"
)
# Above these, a random split lets a model look ahead: rank correlation with time, and of neighbours in time.
_DRIFT, _NEIGHBOURS = 0.2, 0.3


def find_leaks(table: pa.Table, schema: Schema, split_kind: str) -> tuple[str, ...]:
    """A warning for each way in which a split of this kind lets training rows tell of test rows.

    Args:
        split_kind: "stratified", "random", "group" or "time".
    """
    if table.num_rows < _FEWEST_ROWS or split_kind == "time":
        return ()
    target = TargetCoding.fit(table, schema).encode(table[schema.target]).astype(np.float64)
    found = [] if split_kind == "group" else _thing_warnings(table, schema, target)
    return (*found, *_time_warnings(table, schema, target))


@dataclass(frozen=True)
class _Things:
    """A column whose values several rows share, and how well rows tell the target of others of the same value."""

    name: str
    n_values: int
    score: float


def _thing_warnings(table: pa.Table, schema: Schema, target: np.ndarray) -> list[str]:
    """The column that tells most; others that name the same things need no warning of their own."""
    things = [thing for column in schema.columns if (thing := _find_things(table, column, schema, target))]
    if not things:
        return []
    worst = max(things, key=lambda thing: thing.score)
    measure = "R2" if schema.task == "regression" else "AUC"
    return [
        f"rows of one {worst.name!r} are on both sides of this split ({worst.n_values} values, "
        f"{table.num_rows / worst.n_values:.3g} rows each) and tell each other's target ({measure} {worst.score:.3f}): "
        f"scores flatter where new rows will have new ones; keep them together with group={worst.name!r}"
    ]


def _find_things(table: pa.Table, column: Column, schema: Schema, target: np.ndarray) -> _Things | None:
    by_name = bool(_THING.search(column.name))
    cells = typed_cells(table[column.name], column)
    if column.name == schema.target or not _may_name_things(column, cells, by_name):
        return None
    levels = np.unique(cell_keys(category_words(cells)), return_inverse=True)[1]
    n_values = int(levels.max()) + 1
    if not max(_FEWEST_THINGS, 2) <= n_values <= table.num_rows / 2:
        return None
    rows = np.random.default_rng(0).permutation(table.num_rows)
    rows = rows[np.isin(levels[rows], levels[rows[:_SAMPLE]])][: 2 * _SAMPLE]
    score = level_score(levels[rows], target[rows], schema.task)
    known, any_column = _TELLS[schema.task]
    return _Things(column.name, n_values, score) if score > (known if by_name else any_column) else None


def _may_name_things(column: Column, cells: pa.ChunkedArray, by_name: bool) -> bool:
    """Text, and whole numbers if their name says so: other numbers measure."""
    if column.kind in ("unsupported", "constant", "date", "boolean") or is_date(cells.type):
        return False
    return not is_number(cells.type) or (by_name and pa.types.is_integer(cells.type))


def _time_warnings(table: pa.Table, schema: Schema, target: np.ndarray) -> list[str]:
    """The date column along which the target moves most."""
    moves = [
        (max(drift, near), drift, near, column.name)
        for column in schema.columns
        if column.kind == "date" and column.name != schema.target
        for drift, near in [_move(typed_cells(table[column.name], column), column.name, _numbers_of(target, schema))]
        if drift > _DRIFT or near > _NEIGHBOURS
    ]
    if not moves:
        return []
    _, drift, near, name = max(moves)
    return [
        f"the target moves with {name!r} (rank correlation {drift:.2f}, of neighbours in time {near:.2f}) and this "
        f"split is not in time: a model may look ahead; to predict later rows from earlier ones use time={name!r}"
    ]


def _numbers_of(target: np.ndarray, schema: Schema) -> list[np.ndarray]:
    """The target as numbers with an order: of more than two classes one a class."""
    if len(schema.classes) <= 2:
        return [target]
    return [(target == code).astype(np.float64) for code in range(len(schema.classes))]


def _move(cells: pa.ChunkedArray, name: str, targets: list[np.ndarray]) -> tuple[float, float]:
    """Rank correlation of target and time, and of the target with that of the row before in time; both at least 0.

    Shuffled within equal times, so that an order of rows that the file has for another reason counts for nothing.
    """
    times = dates(cells, name)
    shuffled = np.random.default_rng(0).permutation(len(times))
    present = shuffled[~np.isnat(times[shuffled])]
    order = present[np.argsort(times[present], kind="stable")]
    if len(order) < _FEWEST_ROWS or len(np.unique(times[order])) < 3:
        return 0.0, 0.0
    later, moved = ranks(times[order].astype(np.int64)), [ranks(target[order]) for target in targets]
    drift = max(abs(_correlation(later, each)) for each in moved)
    return drift, max(0.0, *(_correlation(each[1:], each[:-1]) for each in moved))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else 0.0
