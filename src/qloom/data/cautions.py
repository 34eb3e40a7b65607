"""What deserves a word before training: leaks, imbalance, missing cells, repeated rows, mixed columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data.category_coding import category_words
from qloom.data.cells import dates, numbers
from qloom.data.copies import find_copies
from qloom.data.row_keys import cell_keys
from qloom.data.schema import Column, Schema
from qloom.data.target import TargetCoding

_LEAK = 0.99
_SAMPLE = 20_000
_BINS = 200
_FEWEST_ROWS_FOR_LEAKS = 40


def find_cautions(table: pa.Table, schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes and warnings, one line each."""
    notes = [f"column {column.name!r} is not used: {column.dropped}" for column in schema.dropped]
    notes += _missing_note(table, schema)
    warnings = _leak_warnings(table, schema) + _imbalance_warnings(table, schema) + _missing_warnings(schema)
    warnings += _repeat_warnings(table, schema)
    return tuple(notes), tuple(warnings)


def _missing_note(table: pa.Table, schema: Schema) -> list[str]:
    shares = {column.name: column.n_missing / table.num_rows for column in schema.features if column.n_missing}
    if not shares:
        return []
    worst = sorted(shares, key=lambda name: -shares[name])
    shown = ", ".join(f"{name} {shares[name]:.2g}" for name in worst[:5]) + (", ..." if len(worst) > 5 else "")
    count = "1 column has" if len(shares) == 1 else f"{len(shares)} columns have"
    return [f"{count} missing cells (share of rows): {shown}"]


def _missing_warnings(schema: Schema) -> list[str]:
    return [
        f"column {column.name!r} is missing in {column.n_missing / schema.n_rows:.0%} of the rows"
        for column in schema.features
        if column.n_missing > 0.5 * schema.n_rows
    ]


def _imbalance_warnings(table: pa.Table, schema: Schema) -> list[str]:
    if schema.task != "classification":
        return []
    counts = sorted(
        (entry["counts"], str(entry["values"])) for entry in pc.value_counts(table[schema.target]).to_pylist()
    )
    (fewest, rarest), (most, _) = counts[0], counts[-1]
    if most < 4 * fewest:
        return []
    return [f"classes are imbalanced: {rarest!r} has {fewest} of {table.num_rows} rows ({fewest / table.num_rows:.1%})"]


def _repeat_warnings(table: pa.Table, schema: Schema) -> list[str]:
    """Copies of rows, and copies that contradict each other."""
    copies = find_copies(table, schema)
    if not copies.are_copies:
        return []
    found = [f"{copies.n_repeated} of {table.num_rows} rows are copies of others in every feature; a split keeps "
             "copies on one side"]  # fmt: skip
    if copies.n_contradictory:
        found.append(f"{copies.n_contradictory} of the copies contradict: equal features, another {schema.target!r}")
    return found


def _leak_warnings(table: pa.Table, schema: Schema) -> list[str]:
    """A warning for each feature that alone predicts held-out rows nearly perfectly."""
    if table.num_rows < _FEWEST_ROWS_FOR_LEAKS:
        return []
    rows = np.random.default_rng(0).permutation(table.num_rows)[:_SAMPLE]
    target = TargetCoding.fit(table, schema).encode(table[schema.target].take(pa.array(rows))).astype(np.float64)
    measure = "R2" if schema.task == "regression" else "AUC"
    found = []
    for column in schema.features:
        score = _leak_score(table[column.name].take(pa.array(rows)), column, target, schema.task)
        if score > _LEAK:
            found.append(
                f"column {column.name!r} alone gives the target away ({measure} {score:.3f}); "
                "leave it out if it is not known before the target"
            )
    return found


def _leak_score(cells: pa.ChunkedArray, column: Column, target: np.ndarray, task: str) -> float:
    """The best of what levels say on held-out rows and, for numbers and dates, what their order says."""
    if column.kind in ("category", "boolean", "text"):
        levels = np.unique(cell_keys(category_words(cells)), return_inverse=True)[1]
        return level_score(levels, target, task)
    if column.kind == "date":
        values = dates(cells, column.name, column.date_format).astype(np.float64)
    else:
        values = numbers(cells, column.name)
    return max(level_score(_bins(values), target, task), _order_score(values, target, task))


def level_score(levels: np.ndarray, target: np.ndarray, task: str) -> float:
    """How well the mean target of each level, learnt on half of the rows, predicts the other half.

    R2 for numbers; for classes the lowest AUC of one class against the others.

    Shapes: levels int64 (B,), target (B,), in random order.
    """
    if task == "regression":
        return _r2(_level_means(levels, target), target[1::2])
    scores = []
    for label in np.unique(target):
        truth = (target == label).astype(np.float64)
        scores.append(_auc(_level_means(levels, truth), truth[1::2]))
    return min(scores)


def _order_score(values: np.ndarray, target: np.ndarray, task: str) -> float:
    """Squared rank correlation for numbers, AUC for two classes in either direction, over present values."""
    present = ~np.isnan(values)
    if present.mean() < 0.5 or len(np.unique(target)) < 2 or np.ptp(values[present]) == 0:
        return 0.0
    if task == "regression":
        return float(np.corrcoef(ranks(values[present]), ranks(target[present]))[0, 1] ** 2)
    if target.max() > 1:
        return 0.0
    area = _auc(values[present], target[present])
    return max(area, 1 - area)


def _bins(values: np.ndarray) -> np.ndarray:
    """Numbers of up to 200 bins of equal count, 20 rows each at least; missing is a bin too."""
    n_bins = min(_BINS, len(values) // 20)
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) > n_bins:
        distinct = np.unique(np.nanquantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.where(np.isnan(values), len(distinct) + 1, np.searchsorted(distinct, values))


def _level_means(levels: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Mean target by level over the even rows, drawn to the overall mean by one row, for the odd rows."""
    n_levels = int(levels.max()) + 1
    sums = np.bincount(levels[::2], target[::2], n_levels)
    counts = np.bincount(levels[::2], minlength=n_levels)
    means = (sums + target[::2].mean()) / (counts + 1)
    return np.asarray(means[levels[1::2]])


def _r2(predicted: np.ndarray, target: np.ndarray) -> float:
    spread = float(((target - target.mean()) ** 2).sum())
    return 1 - float(((target - predicted) ** 2).sum()) / spread if spread > 0 else 0.0


def _auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """The chance that a positive row outranks a negative one, ties counted half; 0.5 if one side is empty."""
    n_positive = truth.sum()
    n_negative = len(truth) - n_positive
    if not n_positive or not n_negative:
        return 0.5
    places = ranks(scores)
    return float((places[truth == 1].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, the mean rank for ties."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])
