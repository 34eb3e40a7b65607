"""What the published variational classifiers share: scaling, mini-batches, Adam until the loss is flat, prediction."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from qloom.models.published.objectives import Objective
from qloom.models.saving import Saved
from qloom.models.threads import torch_threads
from qloom.models.weighting import weighted_rows


class VariationalClassifier(Saved, ABC, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network with circuits in it, trained on two classes; subclasses give the network and its objective.

    Args:
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_: the trained module.
        classes_: the two labels.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.
        scaler_: of the features, fitted on the training rows.
    """

    network_: Any

    def __init__(
        self, learning_rate: float, batch_size: int, max_steps: int, convergence_interval: int | None, random_state: Any
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.convergence_interval = convergence_interval
        self.random_state = random_state

    @abstractmethod
    def make_network(self, n_features: int, generator: torch.Generator) -> nn.Module:
        """The network with first weights: x (B, F) -> outputs."""

    @abstractmethod
    def make_objective(self, network: Any) -> Objective:
        """What it is trained for, and how its outputs are read."""

    def make_scaler(self) -> Any:
        """Features to angles: each one's range on the training rows goes to -pi / 2 to pi / 2."""
        return MinMaxScaler((-np.pi / 2, np.pi / 2))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows; those of more weight are drawn more often.

        Shapes: X (B, F), y (B,) of two classes, sample_weight (B,).
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        X, y, weights = weighted_rows(X, y, sample_weight)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(
                f"Only binary classification is supported. y has {len(self.classes_)} class(es), expected 2"
            )
        self.scaler_ = self.make_scaler().set_output(transform="default").fit(X)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        generator = torch.Generator().manual_seed(int(seed))
        self.network_ = self.make_network(X.shape[1], generator)
        with torch_threads(1):  # the circuits have the cores
            self._train(self._scaled(X), torch.from_numpy(codes), weights, generator)
        return self

    def _train(self, x: Tensor, y: Tensor, weights: np.ndarray | None, generator: torch.Generator) -> None:
        objective, losses = self.make_objective(self.network_), []
        optimizer = torch.optim.Adam(self.network_.parameters(), self.learning_rate, fused=True)
        for _ in range(self.max_steps):
            batch = self._draw(len(x), weights, generator)
            loss = objective.loss(self.network_(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if self.convergence_interval and is_flat(losses, self.convergence_interval):
                break
        else:
            if self.convergence_interval:
                warnings.warn(
                    f"{type(self).__name__} took all {self.max_steps} steps and the loss was not flat yet; "
                    "raise max_steps, or set convergence_interval=None to train that long without this",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        self.losses_, self.n_steps_ = np.array(losses), len(losses)

    def _draw(self, n_rows: int, weights: np.ndarray | None, generator: torch.Generator) -> Tensor:
        if weights is None:
            return torch.randint(n_rows, (self.batch_size,), generator=generator)
        return torch.multinomial(torch.from_numpy(weights), self.batch_size, replacement=True, generator=generator)

    def _scaled(self, x: np.ndarray) -> Tensor:
        return torch.from_numpy(self.scaler_.transform(x).astype(np.float32))

    def learnt(self) -> dict[str, Any]:
        state = {name: tensor.numpy(force=True) for name, tensor in self.network_.state_dict().items()}
        objective = self.make_objective(self.network_).name
        return {**super().learnt(), "network_": state, "objective": objective}

    def put_back(self, learnt: Mapping[str, Any]) -> None:
        super().put_back({name: value for name, value in learnt.items() if name not in ("network_", "objective")})
        self.network_ = self.make_network(self.n_features_in_, torch.Generator())
        state = {name: torch.from_numpy(array) for name, array in learnt["network_"].items()}
        self.network_.load_state_dict(state, assign=True)
        found = self.make_objective(self.network_).name
        if found != learnt["objective"]:
            raise ValueError(f"trained for the objective {learnt['objective']!r}, this version has {found!r}")

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> probability of each class (B, 2)."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        with torch.no_grad(), torch_threads(1):
            return self.make_objective(self.network_).probabilities(self.network_(self._scaled(X)).double()).numpy()

    def decision_function(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> the second class's probability less the first's (B,), from -1 to 1."""
        first, second = self.predict_proba(X).T
        return second - first

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> the more probable label (B,)."""
        check_is_fitted(self, "network_")
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def is_flat(losses: list[float], interval: int) -> bool:
    """Whether the means of the last two intervals differ by less than half the standard error of the last.

    Source: Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """
    if len(losses) <= 2 * interval + 1:
        return False
    last, before = losses[-interval:], losses[-2 * interval : -interval]
    return bool(abs(np.mean(last) - np.mean(before)) <= np.std(last) / np.sqrt(interval) / 2)
