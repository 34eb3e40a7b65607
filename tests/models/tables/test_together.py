"""Trainings side by side end as each would alone."""

from __future__ import annotations

import copy

import numpy as np
import pyarrow as pa
import pytest
import torch

from qloom.data import inspect_table, split_rows
from qloom.errors import ConfigError
from qloom.models import HybridClassifier, HybridRegressor, fit_together
from qloom.models.tables.preparation import PreparedTable, prepare_table

SMALL = {"n_qubits": 3, "n_layers": 1, "width": 8, "epochs": 5, "learning_rate": 0.02}


def table(task: str, n_rows: int = 150) -> pa.Table:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=n_rows), rng.choice(["u", "v", "w"], n_rows)
    score = a + (b == "u") + 0.3 * rng.normal(size=n_rows)
    return pa.table({"a": a, "b": b, "y": score if task == "regression" else np.where(score > 0, "yes", "no")})


def rounds(task: str, count: int, sizes: tuple[int, ...] = (150,)) -> list[PreparedTable]:
    found = []
    for k in range(count):
        rows = table(task, sizes[k % len(sizes)])
        schema = inspect_table(rows, "y")
        found.append(prepare_table(rows, schema, split_rows(rows, schema, seed=k)))
    return found


def make(task: str, **options) -> HybridClassifier | HybridRegressor:
    return (HybridRegressor if task == "regression" else HybridClassifier)(**{**SMALL, **options})


def check_same(one, other) -> None:
    for (name, value), expected in zip(
        one.network_.state_dict().items(), other.network_.state_dict().values(), strict=True
    ):
        assert torch.equal(value, expected), name
    keys = ("epoch", "train_loss", "validation_loss", "validation_metric")
    assert [[e[key] for key in keys] for e in one.history_] == [[e[key] for key in keys] for e in other.history_]
    assert one.best_epoch_ == other.best_epoch_


@pytest.mark.parametrize("layer", ["quantum", "separable", "classical", "measured"])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_ends_as_alone(task, layer):
    tables, seeds = rounds(task, 3), [5, 6, 7]
    options = {"layer": "quantum", "engine": {"shots": 20}} if layer == "measured" else {"layer": layer}
    models = [make(task, **options) for _ in tables]
    fits = fit_together(models, tables, seeds)
    for model, data, seed, fit in zip(models, tables, seeds, fits, strict=True):
        alone = make(task, **options)
        alone.fit_prepared(data, seed=seed)
        check_same(model, alone)
        assert fit.network is model.network_
        assert fit.history == model.history_


UNLIKE = [
    {"patience": 1, "epochs": 12, "learning_rate": 0.3},  # the first is done while the others go on
    {"schedule": "layers_in_turn", "n_layers": 2}, {"refit": "linear"}, {"dropout": 0.0, "batch_size": 1000},
]  # fmt: skip


@pytest.mark.parametrize("options", UNLIKE, ids=lambda options: next(iter(options)))
def test_trainings_of_other_lengths_and_tables_end_as_alone(options):
    """Tables of 150, 149 and 131 rows; the second has a category less, hence a feature less."""
    tables = rounds("classification", 3, (150, 149, 131))
    rows = table("classification", 149)
    rows = rows.set_column(1, "b", pa.array([b if b != "w" else "v" for b in rows["b"].to_pylist()]))
    schema = inspect_table(rows, "y")
    tables[1] = prepare_table(rows, schema, split_rows(rows, schema, seed=1))
    models = [make("classification", **options) for _ in tables]
    fit_together(models, tables, [5, 6, 7])
    for model, data, seed in zip(models, tables, [5, 6, 7], strict=True):
        alone = make("classification", **options)
        alone.fit_prepared(data, seed=seed)
        check_same(model, alone)
    if "patience" in options:
        assert len({len(model.history_) for model in models}) > 1
    assert len({data.n_features for data in tables}) == 2


def test_watched_and_resumed_one_by_one():
    tables, seeds, epochs, saved = rounds("classification", 2), [0, 1], [], {}

    def watch(k, fit):
        epochs.append((k, fit.epoch))
        if fit.epoch == 2 + k:  # the two are stopped at different epochs
            saved[k] = copy.deepcopy((fit.tensors(), fit.record()))

    models = [make("classification") for _ in tables]
    fit_together(models, tables, seeds, watch=watch)
    assert sorted(epochs) == [(k, epoch) for k in range(2) for epoch in range(1, 6)]
    again = [make("classification") for _ in tables]
    fit_together(again, tables, seeds, resume=lambda k, fit: fit.restore(*saved[k]))
    for before, after in zip(models, again, strict=True):
        check_same(after, before)


def test_as_many_of_each():
    with pytest.raises(ConfigError, match="2 models, 1 tables, 2 seeds"):
        fit_together([make("classification")] * 2, rounds("classification", 1), [0, 1])
