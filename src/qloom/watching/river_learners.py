"""Adaptive models of river, row by row, as its users run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from qloom.data import TargetCoding
from qloom.errors import ConfigError
from qloom.extras import package
from qloom.watching.learners import Block, Learner


def _forest(river: Any, task: str, seed: int) -> Any:
    return (river.forest.ARFRegressor if task == "regression" else river.forest.ARFClassifier)(seed=seed)


def _tree(river: Any, task: str, seed: int) -> Any:
    kinds = river.tree.HoeffdingAdaptiveTreeRegressor, river.tree.HoeffdingAdaptiveTreeClassifier
    return kinds[task == "classification"](seed=seed)


def _bagging(river: Any, task: str, seed: int) -> Any:
    if task == "regression":
        return river.ensemble.BaggingRegressor(river.tree.HoeffdingTreeRegressor(), seed=seed)
    return river.ensemble.LeveragingBaggingClassifier(river.tree.HoeffdingTreeClassifier(), seed=seed)


def _linear(river: Any, task: str, seed: int) -> Any:
    kinds = river.linear_model.LinearRegression, river.linear_model.LogisticRegression
    model = kinds[task == "classification"]()
    if task == "classification":
        model = river.multiclass.OneVsRestClassifier(model)
    numbers = river.compose.SelectType((int, float)) | river.preprocessing.StandardScaler()
    words = river.compose.SelectType(str) | river.preprocessing.OneHotEncoder()
    return (numbers + words) | model


# Name on the command line -> title, the model for a task and a seed; river's own defaults.
RIVER: Mapping[str, tuple[str, Callable[[Any, str, int], Any]]] = {
    "forest": ("adaptive random forest", _forest),
    "tree": ("Hoeffding adaptive tree", _tree),
    "bagging": ("leveraging bagging", _bagging),
    "linear": ("linear model", _linear),
}


class RiverLearner(Learner):
    """A model of river.

    Args:
        name: one of `RIVER`.
        coding: of the target.
        seed: of the model.
    """

    role = "river"

    def __init__(self, name: str, coding: TargetCoding, seed: int):
        river = package("river", "qloom watch --prequential", "watch")
        for part in ("forest", "tree", "ensemble", "linear_model", "multiclass", "compose", "preprocessing"):
            import_module(f"river.{part}")
        self.title = f"{RIVER[name][0]} (river)"
        self.is_number, self.usual = coding.task == "regression", 0 if coding.classes else 0.0
        self.model = RIVER[name][1](river, coding.task, seed)

    def step(self, block: Block) -> np.ndarray:
        predicted = []
        for cells, truth in zip(block.cells, block.truth.tolist(), strict=True):
            found = self.model.predict_one(cells)
            predicted.append(self.usual if found is None else found)
            self.model.learn_one(cells, truth)
        return np.array(predicted, dtype=np.float64 if self.is_number else np.int64)


def check_river(names: tuple[str, ...]) -> None:
    """Raise ConfigError for a name that is none."""
    for name in names:
        if name not in RIVER:
            raise ConfigError(f"no model {name!r} of river, expected one of {', '.join(RIVER)}; choose one of them")
