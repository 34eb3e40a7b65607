"""What is tested on each block of a stream and then trained on it: networks, and the simplest of guesses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from qloom.data import TargetCoding
from qloom.models.tables.fitting import Fit, Recipe
from qloom.models.tables.inference import predict_rows
from qloom.models.tables.losses import Loss
from qloom.models.tables.rows import Rows
from qloom.models.tables.tabular import HybridModel
from qloom.training.configuration import Configuration
from qloom.watching.tracking import Pace, Tracker, choose_pace

PACED = 5000
UNPACED = Pace(0.999, 40.0)


class Block(NamedTuple):
    """Neighbouring rows of a stream, as every learner takes them.

    Shapes: x (B, F) as networks take it; y (B,) codes of classes or standardised numbers; truth (B,) class codes or
    numbers; cells: a dictionary a row, without missing cells.
    """

    x: Tensor
    y: Tensor
    truth: np.ndarray
    cells: Sequence[Mapping[str, Any]]


class Learner(ABC):
    """What predicts a block before it learns from it.

    Attributes:
        title: for people.
        role: "ours", "control", "frozen", "retrained", "river" or "guess".
    """

    title: str
    role: str

    @abstractmethod
    def step(self, block: Block) -> np.ndarray:
        """Predictions for a block, made before any of its rows that they are for is learnt.

        Shapes: B rows -> class codes or numbers (B,).
        """

    def begin(self, block: Block) -> None:
        """Learn from the rows before the stream."""
        self.step(block)


class Network(Learner):
    """A trained network of a run, as it is.

    Args:
        model: of the version in force, or its control.
    """

    def __init__(self, title: str, role: str, model: HybridModel):
        self.title, self.role, self.model = title, role, model

    def begin(self, block: Block) -> None:
        """It has been trained on these."""

    def step(self, block: Block) -> np.ndarray:
        return self.predicted(block)

    def predicted(self, block: Block) -> np.ndarray:
        """Shapes: -> (B,)."""
        model = self.model
        outputs = predict_rows(model.network_, block.x).numpy()
        predictions = model.readout_.predictions(model.coding_, outputs)
        if predictions.ndim == 1:
            return predictions
        if predictions.shape[1] == 2:
            return (predictions[:, 1] > model.readout_.threshold).astype(np.int64)
        return predictions.argmax(axis=1)


class UpdatedNetwork(Network):
    """A network that is trained on after every block, once, on the last rows of the stream.

    The moments of AdamW are kept from block to block, and the rate does not fall.

    Args:
        configuration: `watch.window` and `watch.learning_rate` say how; `training` the rest.
    """

    def __init__(self, title: str, role: str, model: HybridModel, loss: Loss, configuration: Configuration):
        super().__init__(title, role, model)
        section, training = configuration.watch, configuration.training
        self.loss, self.window, self.moments = loss, section.window, dict[Any, Any]()
        size = training.batch_size or 32
        self.recipe = Recipe(epochs=1, batch_size=size, learning_rate=section.learning_rate, weight_decay=0.0)
        self.recent = Rows(torch.zeros(0), torch.zeros(0))
        self.seed, self.n_updates = configuration.seed, 0

    def begin(self, block: Block) -> None:
        """The last of the rows that the run was trained on are the first of the window."""
        self._remember(block)

    def step(self, block: Block) -> np.ndarray:
        predicted = self.predicted(block)
        self._remember(block)
        self._learn()
        return predicted

    def _remember(self, block: Block) -> None:
        x, y = (
            torch.cat([old, new])[-self.window :] if len(old) else new[-self.window :]
            for old, new in ((self.recent.x, block.x), (self.recent.y, block.y))
        )
        self.recent = Rows(x, y)

    def _learn(self) -> None:
        model, rows = self.model, self.recent
        self.n_updates += 1
        seed = int(np.random.SeedSequence([self.seed, self.n_updates]).generate_state(1)[0])
        fit = Fit(model.network_, model.coding_.task, replace(self.recipe, seed=seed), self.loss)
        fit.rate = lambda epoch: self.recipe.learning_rate
        fit.moments = self.moments
        fit.run(rows, Rows(rows.x[:0], rows.y[:0]))
        self.moments = fit.moments


class Tracked(Learner):
    """A linear readout, of inputs and of what a network's middle layer makes of them, that follows a stream row by row.

    How fast it follows is chosen on rows before the stream, the last `PACED` of them.

    Args:
        coding: of the target.
        model: whose encoder and middle layer are kept as they are; None for the inputs alone.
    """

    def __init__(self, title: str, role: str, coding: TargetCoding, model: HybridModel | None = None):
        self.title, self.role, self.coding = title, role, coding
        self.body = None if model is None else nn.Sequential(model.network_.encoder, model.network_.layer)
        self.tracker: Tracker | None = None

    def begin(self, block: Block) -> None:
        features, targets = self._features(block)[-PACED:], self._targets(block)[-PACED:]
        self.tracker = Tracker(features.shape[1], self.coding.n_outputs, choose_pace(features, targets))
        self.tracker.follow(features, targets)

    def step(self, block: Block) -> np.ndarray:
        features = self._features(block)
        self.tracker = self.tracker or Tracker(features.shape[1], self.coding.n_outputs, UNPACED)
        followed = self.tracker.follow(features, self._targets(block))
        if self.coding.task == "regression":
            return self.coding.decode(followed[:, 0])
        return followed.argmax(axis=1)

    def _features(self, block: Block) -> np.ndarray:
        made = [] if self.body is None else [predict_rows(self.body, block.x)]
        features = torch.cat([*made, block.x], dim=1)
        return np.c_[np.ones(len(features)), features.double().numpy()]

    def _targets(self, block: Block) -> np.ndarray:
        if self.coding.task == "regression":
            return block.y.double().numpy()[:, None]
        return np.eye(self.coding.n_outputs)[block.y.numpy()]


class LastTarget(Learner):
    """The last target again: what a stream of alike neighbours gives to anyone."""

    title, role = "last target again", "guess"

    def __init__(self) -> None:
        self.last: Any = None

    def step(self, block: Block) -> np.ndarray:
        first = block.truth[0] if self.last is None else self.last
        self.last = block.truth[-1]
        return np.r_[first, block.truth[:-1]]


class Usual(Learner):
    """The most frequent class so far, or the mean."""

    role = "guess"

    def __init__(self, coding: TargetCoding):
        self.is_number = coding.task == "regression"
        self.title = "mean so far" if self.is_number else "most frequent class so far"
        self.counts = np.zeros(max(2, len(coding.classes)))  # sum and number, or rows a class

    def step(self, block: Block) -> np.ndarray:
        if self.is_number:
            sums, n = self.counts[0] + np.cumsum(block.truth), self.counts[1] + np.arange(1, len(block.truth) + 1)
            first = self.counts[0] / self.counts[1] if self.counts[1] else 0.0
            self.counts = np.array([sums[-1], n[-1]])
            return np.r_[first, (sums / n)[:-1]]
        hot = np.zeros((len(block.truth), len(self.counts)))
        hot[np.arange(len(block.truth)), block.truth] = 1
        before = self.counts + np.cumsum(hot, axis=0) - hot
        self.counts = self.counts + hot.sum(axis=0)
        return before.argmax(axis=1)
