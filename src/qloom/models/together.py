"""Several trainings of one kind of network, side by side: rounds of a comparison, folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qloom.errors import ConfigError
from qloom.models.fitting import Fit
from qloom.models.preparation import PreparedTable
from qloom.models.tabular import HybridModel


def fit_together(
    models: Sequence[HybridModel],
    tables: Sequence[PreparedTable],
    seeds: Sequence[int],
    watch: Callable[[int, Fit], None] | None = None,
    resume: Callable[[int, Fit], Any] | None = None,
) -> list[Fit]:
    """Train each model on its table; each ends as `HybridModel.fit_prepared` would leave it, bit for bit.

    Args:
        models: estimators with the same hyperparameters.
        tables: one a model.
        seeds: one a model, of weights, order of rows and dropout.
        watch: called with the number of the model, from 0, after each of its epochs.
        resume: called with the number of the model before its first epoch; may restore an earlier state.

    Raises:
        ConfigError: for lists of different lengths.
    """
    if not len(models) == len(tables) == len(seeds):
        raise ConfigError(f"{len(models)} models, {len(tables)} tables, {len(seeds)} seeds, expected as many of each")
    return [
        model.fit_prepared(table, seed=seed, watch=_of(k, watch), resume=_of(k, resume))
        for k, (model, table, seed) in enumerate(zip(models, tables, seeds, strict=True))
    ]


def _of(number: int, call: Callable[[int, Fit], Any] | None) -> Callable[[Fit], Any] | None:
    return None if call is None else lambda fit: call(number, fit)
