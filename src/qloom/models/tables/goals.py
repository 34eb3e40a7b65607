"""What a user wants of a fit: the loss, how rows count, on which scale errors are measured, where decisions fall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qloom.data import TargetCoding
from qloom.data.target import class_text
from qloom.data.target_transformation import TRANSFORMATIONS
from qloom.errors import ConfigError
from qloom.models.tables.choices import CRITERIA
from qloom.models.tables.losses import Loss, make_loss
from qloom.models.tables.scores import score_names


@dataclass(frozen=True)
class Goal:
    """The choices that networks and baselines of one table share.

    Attributes:
        loss: one of `LOSS_NAMES`.
        quantile: of the loss "quantile".
        class_weight: None; "balanced", the inverse of each class's share; or a number a label.
        target_transformation: "auto" or one of `TRANSFORMATIONS`.
        threshold: the probability above which the second of two classes is decided for, or a score of `CRITERIA`
            that is to be highest on the validation rows.
        metric: the main score; None for the loss's or the task's usual one.
    """

    loss: str = "auto"
    quantile: float = 0.5
    class_weight: str | Mapping[Any, float] | None = None
    target_transformation: str = "auto"
    threshold: float | str = 0.5
    metric: str | None = None

    def make_loss(self, task: str) -> Loss:
        """The loss for a task.

        Raises:
            ConfigError: for a choice that the task does not know, or choices that do not go together.
        """
        loss = make_loss(task, self.loss, self.quantile)
        known = ("auto", *TRANSFORMATIONS)
        if self.target_transformation not in known:
            given = f"target_transformation is {self.target_transformation!r}"
            raise ConfigError(f"{given}, expected one of {', '.join(known)}")
        plain = self.target_transformation in ("auto", "none")
        if not plain and (task == "classification" or loss.name == "poisson"):
            what = "classes" if task == "classification" else "loss='poisson'"
            raise ConfigError(
                f"target_transformation is {self.target_transformation!r}, expected none for {what}; leave it out"
            )
        if task == "regression" and self.class_weight is not None:
            raise ConfigError(f"class_weight is {self.class_weight!r}, expected None for numbers; weight rows instead")
        return loss

    def score_names(self, task: str, n_classes: int) -> tuple[str, ...]:
        """The scores that are reported, the main one first.

        Raises:
            ConfigError: for a main one that is unknown or not for this task.
        """
        return score_names(task, n_classes, self.metric or self.make_loss(task).metric)

    def check_threshold(self, n_classes: int) -> None:
        """Raise ConfigError for a threshold that is none, or where there are not two classes to decide between."""
        given = self.threshold
        if given not in CRITERIA if isinstance(given, str) else not 0 < given < 1:
            expected = f"a number between 0 and 1 or one of {', '.join(CRITERIA)}"
            raise ConfigError(f"threshold is {given!r}, expected {expected}; choose one of them")
        if n_classes != 2 and given != 0.5:
            raise ConfigError(f"threshold is {given!r}, expected a target of two classes with it; leave it out")

    def weights_of_classes(self, coding: TargetCoding, codes: np.ndarray) -> np.ndarray | None:
        """The weight of every class by the rows to learn from; None for equal ones.

        Shapes: codes (B,) -> (C,).

        Raises:
            ConfigError: for a label that is none, or a weight that is not positive.
        """
        if self.class_weight is None:
            return None
        if self.class_weight == "balanced":
            counts = np.bincount(codes, minlength=coding.n_outputs)
            return len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        if not isinstance(self.class_weight, Mapping):
            raise ConfigError(f"class_weight is {self.class_weight!r}, expected balanced or a number for each label")
        places = {class_text(label): place for place, label in enumerate(coding.classes)}
        weights = np.ones(coding.n_outputs)
        for label, weight in self.class_weight.items():
            if class_text(label) not in places:
                known = ", ".join(list(places)[:6])
                raise ConfigError(f"class_weight names the class {label!r}, expected one of {known}; correct it")
            if not (weight > 0 and np.isfinite(weight)):
                raise ConfigError(f"class_weight of {label!r} is {weight!r}, expected a positive number")
            weights[places[class_text(label)]] = weight
        return weights
