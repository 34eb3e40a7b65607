"""Why a model of a run predicts what it does for single rows, beside its classical control."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data import TargetCoding
from qloom.data.target import class_text
from qloom.errors import ConfigError
from qloom.models.explanations.blocks import blocks_of
from qloom.models.explanations.games import ColumnGame
from qloom.models.explanations.outputs import output_of
from qloom.models.explanations.shapley import ERROR, Attribution, attribute
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST
from qloom.models.tables.served import Predictor, read_served
from qloom.training.evaluation import CONTROL, open_model
from qloom.training.explained_rows import ExplainedRows, Sources, read_rows
from qloom.training.versions import Ledger

N_BACKGROUND = 100


def explain_rows(
    path: str | Path, numbers: Sequence[int], *, data: str | None = None, query: str | None = None,
    model: str | None = None, label: str | None = None, engine: Mapping[str, Any] | None = None,
    n_background: int = N_BACKGROUND, background: str | None = None, error: float = ERROR, seed: int = 0,
) -> dict[str, Any]:  # fmt: skip
    """Contributions of columns to predictions of single rows, by a model and by its classical control.

    Args:
        path: run folder; with `background` and `data` also a model folder.
        numbers: of rows, from 0, of the run's table or of `data`.
        data: table with the training columns.
        query: SQL on it.
        model: its name in the run; None for the hybrid model.
        label: the class whose probability is explained; None for the second of two, else the one that the model
            predicts for the row.
        engine: changes to the engine of the model's circuit.
        n_background: training rows that stand for columns that are not known.
        background: table to take them from, in place of the run's training rows.
        error: of sampled contributions, a share of the spread of the background's predictions.
        seed: of background rows and orders.

    Returns:
        run, target, source, background (n_rows, of, seed), and rows: each with row, part, truth, unseen, class, and
        models by key with title, prediction, base, spread, exact, sweeps, predictions, wanted, reached and columns,
        which have column, value, contribution and error, largest first.

    Raises:
        QloomError: for a folder, table, row, class or model that cannot be used.
    """
    path = Path(path)
    _check_numbers(n_background, error, seed)
    models = _models(path, model, engine)
    first = next(iter(models.values()))
    rows = read_rows(path, first, Sources(data, query, background), n_background, seed)
    for number in numbers:
        rows.check(number)
    labelled = _labels(first.coding_, label)
    options = {"seed": seed, "error": error}
    return {
        "run": str(path), "target": first.coding_.name, "source": rows.source,
        "background": {"n_rows": rows.background.num_rows, "of": rows.of, "seed": seed},
        "rows": [_explain(rows, number, models, labelled, options) for number in numbers],
    }  # fmt: skip


def _models(path: Path, name: str | None, engine: Mapping[str, Any] | None) -> dict[str, Predictor]:
    """The model that is asked for, and the control where the folder has one."""
    key = UNDER_TEST if name is None else name
    models = {key: open_model(path, name, engine)}
    control = (Ledger(path).folder if name is None else path) / CONTROL.place
    if control.is_dir() and name not in (CONTROL.key, CONTROL.name):
        models[CONTROL.key] = read_served(control)
    return models


def _check_numbers(n_background: int, error: float, seed: int) -> None:
    if n_background < 1:
        raise ConfigError(f"n_background={n_background}, expected at least 1 training row to see predictions against")
    if not 0 < error < 1:
        raise ConfigError(f"error={error:g}, expected a share between 0 and 1 such as {ERROR}")
    if seed < 0:
        raise ConfigError(f"seed={seed}, expected 0 or more")


def _labels(coding: TargetCoding, label: str | None) -> Callable[[np.ndarray], int | None]:
    """From a prediction of one row to the code of the class that is explained."""
    names = [class_text(each) for each in coding.classes]
    if label is not None and label not in names:
        expected = f"one of {', '.join(names)}" if names else f"none: {coding.name!r} is a number"
        raise ConfigError(f"class {label!r} given, expected {expected}")
    if not names:
        return lambda predicted: None
    if label is not None:
        return lambda predicted: names.index(label)
    return lambda predicted: 1 if len(names) == 2 else int(predicted[0].argmax())


def _explain(
    rows: ExplainedRows, number: int, models: Mapping[str, Predictor], labels: Callable[[np.ndarray], int | None],
    options: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """All that is said of a row."""
    row, first = rows.table.slice(number, 1), next(iter(models.values()))
    code = labels(first.predict_table(row))
    novelties = first.preprocessing_.novelties(row)
    return {
        "row": number, "part": rows.part_of(number), "truth": _truth(first.coding_, row),
        "unseen": None if novelties is None else novelties.texts[0].as_py(),
        "class": None if code is None else class_text(first.coding_.classes[code]),
        "models": dict(_attributions(rows, row, models, code, options)),
    }  # fmt: skip


def _attributions(
    rows: ExplainedRows, row: pa.Table, models: Mapping[str, Predictor], code: int | None, options: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    order: list[str] = []
    for key, model in models.items():
        coded = (model.preprocessing_.transform(table) for table in (row, rows.background))
        (own, background), blocks = coded, blocks_of(model.preprocessing_)
        found = attribute(ColumnGame(output_of(model, code), own[0], background, blocks), **options)
        order = order or [found.columns[k] for k in np.argsort(-np.abs(found.contributions), kind="stable")]
        yield key, {"title": _title(key), **_record(found, row, order)}


def _title(key: str) -> str:
    return next((each.title for each in COMPETITORS.values() if key in (each.key, each.name)), f"{key} model")


def _record(found: Attribution, row: pa.Table, order: Sequence[str]) -> dict[str, Any]:
    """Plain JSON values, columns in the order of the first model, those it does not have last."""
    places = {name: k for k, name in enumerate(found.columns)}
    names = [name for name in order if name in places] + [name for name in found.columns if name not in order]
    return {
        "prediction": found.prediction, "base": found.base, "spread": found.spread, "exact": found.is_exact,
        "sweeps": found.n_sweeps, "predictions": found.n_predictions, "wanted": found.wanted,
        "reached": found.is_reached,
        "columns": [
            {"column": name, "value": _cell(row, name), "contribution": float(found.contributions[places[name]]),
             "error": float(found.errors[places[name]])}
            for name in names
        ],
    }  # fmt: skip


def _cell(row: pa.Table, name: str) -> Any:
    """A cell as JSON has it; None where it is missing or the table has no such column."""
    cell = row[name][0].as_py() if name in row.column_names else None
    return cell if cell is None or isinstance(cell, bool | int | float | str) else str(cell)


def _truth(coding: TargetCoding, row: pa.Table) -> Any:
    return _cell(row, coding.name)
