"""Several trainings of one kind of network, side by side: rounds of a comparison, folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from qloom.errors import ConfigError
from qloom.fitting import run_together
from qloom.fitting.workers import ALONE, Workers
from qloom.models.tables.fitting import Fit
from qloom.models.tables.preparation import PreparedTable
from qloom.models.tables.tabular import HybridModel
from qloom.models.threads import numeric_threads


def fit_together(
    models: Sequence[HybridModel],
    tables: Sequence[PreparedTable],
    seeds: Sequence[int],
    watch: Callable[[int, Fit], None] | None = None,
    resume: Callable[[int, Fit], Any] | None = None,
    workers: Workers = ALONE,
) -> list[Fit]:
    """Train each model on its table; each ends as `HybridModel.fit_prepared` would leave it, bit for bit.

    Args:
        models: estimators with the same hyperparameters.
        tables: one a model.
        seeds: one a model, of weights, order of rows and dropout.
        watch: called with the number of the model, from 0, after each of its epochs.
        resume: called with the number of the model before its first epoch; may restore an earlier state.
        workers: who train them together, each called with the same models and tables; the first one's predict in the
            end.

    Raises:
        ConfigError: for lists of different lengths.
    """
    if not len(models) == len(tables) == len(seeds):
        raise ConfigError(f"{len(models)} models, {len(tables)} tables, {len(seeds)} seeds, expected as many of each")
    fits = [
        model.begin_fit(table, seed, None if resume is None else partial(resume, k))
        for k, (model, table, seed) in enumerate(zip(models, tables, seeds, strict=True))
    ]
    for fit in fits:
        fit.workers = workers
    with numeric_threads(max((model.threads for model in models), default=1)):
        run_together([fit.given(table.train, table.validation) for fit, table in zip(fits, tables, strict=True)], watch)
        for model, fit, table in zip(models, fits, tables, strict=True) if workers.leads else ():
            model.end_fit(fit, table)
    return fits
