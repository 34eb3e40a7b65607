"""What a model's predictions hang on: columns shuffled, and columns held at one value after another.

A column of the table is a block of features; the features of a block are shuffled or set together, which is the same as
doing so in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qloom.data import Preprocessing
from qloom.data.cells import is_date, is_number, plain_column
from qloom.models.tables.scores import METRICS, score
from qloom.models.tables.served import Predictor

MOST_ROWS, N_REPEATS, MOST_SHUFFLES = 300, 5, 200
MOST_CURVE_ROWS, MOST_VALUES, MOST_LEVELS = 100, 12, 8


@dataclass(frozen=True)
class Importance:
    """By how much a score falls when a column's cells are shuffled, over several shuffles.

    Attributes:
        column: of the table.
        mean, deviation: of the loss in score, positive where shuffling does harm.
    """

    column: str
    mean: float
    deviation: float


@dataclass(frozen=True)
class Dependence:
    """The mean prediction with a column held at one value after another.

    Attributes:
        column: of the table.
        values: numbers, or text.
        predictions: of numbers the mean prediction in the target's unit, of classes the mean probability of `shown`.
        shown: the class whose probability it is; None for numbers.
    """

    column: str
    values: tuple[Any, ...]
    predictions: tuple[float, ...]
    shown: str | None = None


def blocks_of(preprocessing: Preprocessing) -> dict[str, np.ndarray]:
    """The numbers of the features that each column makes."""
    blocks: dict[str, list[int]] = {}
    first = 0
    for coding in preprocessing.codings:
        last = first + len(coding.feature_names)
        blocks.setdefault(coding.name, []).extend(range(first, last))
        first = last
    return {name: np.array(features, dtype=int) for name, features in blocks.items()}


def permutation_importance(
    model: Predictor, x: np.ndarray, truth: np.ndarray, metric: str, seed: int = 0, n_repeats: int = N_REPEATS
) -> list[Importance]:
    """Every column's importance for a score, largest first.

    Args:
        model: fitted.
        x: rows it was not trained on, preprocessed.
        truth: their class codes or numbers.
        metric: one of `METRICS`.
        seed: of the shuffles, which all columns share.
        n_repeats: shuffles a column.

    Shapes: x (B, F), truth (B,).

    Source: Breiman 2001, Machine Learning 45, 5.
    """
    level, sign = model.readout_.level, METRICS[metric].sign
    before = score(metric, truth, model.predict_features(x), level)
    random = np.random.default_rng(seed)
    shuffles = [random.permutation(len(x)) for _ in range(n_repeats)]
    found = []
    for column, block in blocks_of(model.preprocessing_).items():
        losses = []
        for shuffle in shuffles:
            shuffled = x.copy()
            shuffled[:, block] = x[np.ix_(shuffle, block)]
            after = score(metric, truth, model.predict_features(shuffled), level)
            losses.append(sign * (before - after))
        found.append(Importance(column, float(np.mean(losses)), float(np.std(losses))))
    return sorted(found, key=lambda each: -each.mean)


def repeats_for(model: Predictor) -> int:
    """Shuffles a column, fewer of many columns."""
    return int(np.clip(MOST_SHUFFLES // max(len(model.preprocessing_.codings), 1), 2, N_REPEATS))


def partial_dependence(model: Predictor, table: pa.Table, x: np.ndarray, columns: Sequence[str]) -> list[Dependence]:
    """How the mean prediction changes with each of some columns, at values that its cells take.

    Args:
        model: fitted.
        table: rows to take values from, and the ones predicted.
        x: the same rows, preprocessed.
        columns: of the table.

    Shapes: table B rows, x (B, F).

    Source: Friedman 2001, Annals of Statistics 29, 1189.
    """
    blocks, rows = blocks_of(model.preprocessing_), np.linspace(0, len(x) - 1, min(len(x), MOST_CURVE_ROWS)).astype(int)
    found = []
    for column in columns:
        at = typical_rows(table[column])
        if len(at) < 2:
            continue
        coded = x[np.ix_(at, blocks[column])]
        means = [_mean_prediction(model, x[rows], blocks[column], features) for features in coded]
        cells = plain_column(table[column]).take(pa.array(at)).to_pylist()
        found.append(Dependence(column, tuple(map(_plain, cells)), tuple(means), _shown(model)))
    return found


def _mean_prediction(model: Predictor, x: np.ndarray, block: np.ndarray, features: np.ndarray) -> float:
    held = x.copy()
    held[:, block] = features
    predicted = model.predict_features(held)
    return float(predicted.mean() if predicted.ndim == 1 else predicted[:, _class_shown(model)].mean())


def _class_shown(model: Predictor) -> int:
    return 1 if len(model.coding_.classes) == 2 else 0


def _shown(model: Predictor) -> str | None:
    classes = model.coding_.classes
    return str(classes[_class_shown(model)]) if classes else None


def typical_rows(column: pa.ChunkedArray) -> np.ndarray:
    """Rows whose cells stand for a column: quantiles of what can be ordered, else the most frequent values."""
    cells = plain_column(column)
    present = np.flatnonzero(pc.is_valid(cells).to_numpy())
    if not len(present):
        return present
    values = cells.take(pa.array(present))
    if is_number(values.type) or is_date(values.type):
        order = present[np.asarray(pc.sort_indices(values))]
        places = np.unique((np.linspace(0.02, 0.98, MOST_VALUES) * (len(order) - 1)).round().astype(int))
        chosen = order[places]
        _, first = np.unique(np.asarray(cells.take(pa.array(chosen)).to_numpy()), return_index=True)
        return chosen[np.sort(first)]
    counts = sorted(pc.value_counts(values).to_pylist(), key=lambda entry: -entry["counts"])[:MOST_LEVELS]
    words = values.to_pylist()
    return np.array([present[words.index(entry["values"])] for entry in counts])


def _plain(cell: Any) -> Any:
    return cell if isinstance(cell, int | float) and not isinstance(cell, bool) else str(cell)


def describe_importance(
    models: Mapping[str, Predictor], table: pa.Table, truth: np.ndarray, metric: str, seed: int, most_columns: int = 6
) -> dict[str, Any]:
    """Importance of all columns and dependence on the first ones, of some models, as plain JSON values.

    Args:
        models: by key; columns shown are those that matter most to any of them.
        table: rows that none was trained on; at most `MOST_ROWS` of them are used.
        truth: their class codes or numbers, (B,).
    """
    chosen = np.sort(np.random.default_rng(seed).permutation(len(truth))[:MOST_ROWS])
    rows, truth = table.take(pa.array(chosen)), truth[chosen]
    coded = {key: model.preprocessing_.transform(rows) for key, model in models.items()}
    found = {
        key: permutation_importance(model, coded[key], truth, metric, seed, repeats_for(model))
        for key, model in models.items()
    }
    largest: dict[str, float] = {}
    for importances in found.values():
        for each in importances:
            largest[each.column] = max(each.mean, largest.get(each.column, 0.0))
    columns = sorted((name for name in largest if largest[name] > 0), key=lambda name: -largest[name])[:most_columns]
    return {
        "metric": metric,
        "n_rows": len(truth),
        "models": {
            key: {
                "importance": [vars(each) for each in found[key]],
                "dependence": [vars(each) for each in partial_dependence(model, rows, coded[key], columns)],
            }
            for key, model in models.items()
        },
    }
