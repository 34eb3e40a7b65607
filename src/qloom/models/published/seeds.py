"""Trainings of one classifier from several seeds, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import clone

from qloom.errors import ConfigError
from qloom.fitting import run_together
from qloom.models.published.variational import VariationalClassifier
from qloom.models.threads import torch_threads


def fit_seeds(
    model: VariationalClassifier, X: Any, y: Any, seeds: Sequence[int], sample_weight: Any = None
) -> list[VariationalClassifier]:
    """A fitted copy of a published classifier for each `random_state`; the model itself is left as it is.

    Each ends, to rounding, as `fit` alone would leave it; their steps are taken as one, so that five take 1.7 to
    2.4 times as long as one (benchmarks/training/seeds.py). Each stops where its own loss is flat:

        five = fit_seeds(ReuploadingClassifier(), X, y, range(5))
        scores = [one.score(X_test, y_test) for one in five]

    Args:
        model: with its hyperparameters.
        X, y, sample_weight: as for `fit`.
        seeds: of weights and batches.

    Raises:
        ConfigError: for a model of another kind, or no seeds.
    """
    if not isinstance(model, VariationalClassifier):
        raise ConfigError(
            f"model is a {type(model).__name__}, expected a published classifier that is trained by steps, such as "
            "ReuploadingClassifier; fit the others one by one"
        )
    copies = [clone(model).set_params(random_state=seed) for seed in seeds]
    if not copies:
        raise ConfigError("seeds is empty, expected at least one, such as range(5)")
    trainings = [copy.begin_fit(X, y, sample_weight) for copy in copies]
    for training in trainings:
        training.alike = type(model)
    with torch_threads(1):  # the circuits have the cores
        run_together(trainings)
    for copy, training in zip(copies, trainings, strict=True):
        copy.end_fit(training)
    return copies
