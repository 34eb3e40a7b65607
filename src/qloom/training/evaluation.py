"""A trained model scored on rows with a known target, by the engine it was trained with or another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.data import TargetCoding, rows_with_target
from qloom.errors import DataError
from qloom.models.artifact import find_model_folder
from qloom.models.tables.competitors import COMPETITORS, UNDER_TEST
from qloom.models.tables.scores import score, score_names
from qloom.models.tables.served import Predictor, Served, read_served
from qloom.training.bootstrap import bootstrap_scores, interval_of
from qloom.training.folder import find_model
from qloom.training.seen_rows import keys_of, read_seen_rows
from qloom.training.table import read_source
from qloom.training.versions import Ledger

CONTROL = COMPETITORS["hybrid_classical"]


def evaluate(
    path: str | Path, data: str, *, query: str | None = None, model: str | None = None, metric: str | None = None,
    engine: Mapping[str, Any] | None = None, seed: int = 0, force: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Scores of a model of a run, as plain JSON values.

    Args:
        path: run or model folder.
        data: table with the training columns and the target; rows without one are left out.
        query: SQL on it.
        model: its name in the run, "best" for the first of the leaderboard; None for the hybrid model.
        metric: the score to have first.
        engine: changes to the engine that the model was trained with, as {"shots": 1000}: the same weights under
            another execution.
        seed: of the bootstrap.
        force: also on rows of which most were training rows.

    Returns:
        n_rows, target, scores as [value, low, high] with their 95% interval, undefined with reasons,
        n_training_rows (None where that is not known), engine (None without a circuit), and, where that is not exact,
        `beside`: the scores of the same weights with exact values, and of the run's classical control.

    Raises:
        QloomError: for a folder, table, score or engine that cannot be used.
    """
    path = Path(path)
    loaded = open_model(path, model, engine)
    table = rows_with_target(read_source(data, query, known=loaded.preprocessing_.queried), loaded.coding_.name)
    if table.num_rows == 0:
        raise DataError(f"{data} has no row with a target {loaded.coding_.name!r}, expected at least one")
    training = count_training_rows(find_model(path, None) if model is None else path, loaded, table, force)
    result = {**score_model(loaded, table, seed, metric), "n_training_rows": training}
    if loaded.engine_ is None:
        return {**result, "engine": None}
    result["engine"] = loaded.engine_.values()
    if not loaded.engine_.is_exact:
        result["beside"] = _beside(path, model, loaded, table, metric)
    return result


def open_model(path: str | Path, name: str | None = None, engine: Mapping[str, Any] | None = None) -> Predictor:
    """A model of a run for predictions, by the engine it was trained with or one with these changes.

    Args:
        path: of a run folder or a model's.
        name: of the model in the run; None for the hybrid one.
        engine: keys of the section `engine` of a configuration.

    Raises:
        ArtifactError: for a folder that holds no such model.
    """
    loaded = read_served(find_model(Path(path), name))
    return loaded.with_engine(engine) if engine else loaded


def _beside(
    path: Path, name: str | None, loaded: Predictor, table: pa.Table, metric: str | None
) -> dict[str, dict[str, float | None]]:  # fmt: skip
    """What scores of estimates are to be seen beside, by what it is called."""
    others: dict[str, Predictor] = {}
    exact = loaded.undisturbed() if isinstance(loaded, Served) else loaded
    if exact.engine_ is not None and exact.engine_.is_exact:
        others["exact values"] = exact
    control = (Ledger(path).folder if name is None else path) / CONTROL.place
    if name in (None, UNDER_TEST) and control.is_dir():
        others[CONTROL.title] = read_served(control)
    return {
        title: {each: value for each, (value, *_) in score_model(other, table, None, metric)["scores"].items()}
        for title, other in others.items()
    }


def count_training_rows(path: Path, loaded: Predictor, table: pa.Table, force: bool) -> int | None:
    """How many rows the model in a run or model folder learnt from; None where that was not kept.

    Raises:
        DataError: if these are most rows and that is not meant.
    """
    seen = read_seen_rows(find_model_folder(path))
    if seen is None:
        return None
    keys = keys_of(loaded.preprocessing_, loaded.coding_, table)
    count = round(seen.share(keys) * len(keys))
    if seen.flatters(keys) and not force:
        raise DataError(
            f"{count} of {len(keys)} rows were training rows, expected new ones: scores on them say little; "
            "give other rows, or force=True to score these"
        )
    return count


def score_model(model: Predictor, table: pa.Table, seed: int | None, metric: str | None = None) -> dict[str, Any]:
    """Rows used, every score as [value, low, high], and why a score is not defined: its values are None then.

    Without a seed there are no intervals: low and high are None.
    """
    coding, predictions = model.coding_, model.predict_table(table)
    y = coding.truth(table)
    scores = score_predictions(model, y, predictions, seed, metric)
    undefined = {name: why_undefined(coding, y) for name, (value, *_) in scores.items() if value is None}
    return {"n_rows": table.num_rows, "target": coding.name, "scores": scores, "undefined": undefined}


def score_predictions(
    model: Predictor, y: np.ndarray, predictions: np.ndarray, seed: int | None, metric: str | None = None
) -> dict[str, list[float | None]]:
    """Every score of a model's predictions as [value, low, high]; None where it is not defined, or without a seed."""
    coding, level = model.coding_, model.readout_.level
    scores: dict[str, list[float | None]] = {}
    for name in score_names(coding.task, len(coding.classes), metric):
        value = score(name, y, predictions, level)
        if np.isfinite(value) and seed is not None:
            draws = bootstrap_scores(name, y, {"model": predictions}, seed, level=level)["model"]
            scores[name] = [value, *interval_of(draws)]
        else:
            scores[name] = [value if np.isfinite(value) else None, None, None]
    return scores


def why_undefined(coding: TargetCoding, y: np.ndarray) -> str:
    """What of the rows leaves a score without a value."""
    if coding.task == "regression":
        return f"{coding.name!r} is {y[0]:g} in every row" if np.ptp(y) == 0 else "it takes other values"
    present = [coding.classes[code] for code in np.unique(y)]
    if len(present) == 1:
        return f"every row is of the class {present[0]!r}"
    missing = next(label for label in coding.classes if label not in present)
    return f"no row is of the class {missing!r}"
