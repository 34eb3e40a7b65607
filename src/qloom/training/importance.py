"""What the hybrid model of a run and the best of the others hang on, and what the parts of the circuit do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from qloom.models.explanations.dependence import partial_dependence
from qloom.models.explanations.permutation import permutation_importance, repeats_for
from qloom.models.tables.competitors import UNDER_TEST
from qloom.models.tables.served import Predictor, Served, read_served
from qloom.training.circuit_importance import cheap_level, describe_circuit
from qloom.training.competitors import PreparedRound
from qloom.training.folder import RunFolder, best_model
from qloom.training.table import RunTable

MOST_ROWS = 300


def find_importance(
    folder: RunFolder, loaded: RunTable, kept: PreparedRound, metrics: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Shuffle columns, and take parts of the circuit out, on test rows of the round that is kept.

    Of the circuit, what takes a few seconds; `qloom explain` does the rest where it is asked.
    """
    others = {key: model for key, model in metrics["models"].items() if key != UNDER_TEST}
    keys = (UNDER_TEST, best_model({**metrics, "models": others}))
    models = {key: read_served(folder.model(key)) for key in keys}
    rows = loaded.table.take(pa.array(kept.split.test))
    truth, hybrid = kept.data.test.truth, models[UNDER_TEST]
    found = describe_importance(models, rows, truth, metrics["metric"], seed)
    level = cheap_level(hybrid, len(truth)) if isinstance(hybrid, Served) else "outputs"
    return {**found, "circuit": describe_circuit(hybrid, rows, truth, metrics["metric"], seed, level)}


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
