"""What the published variational classifiers share: scaling, mini-batches, Adam until the loss is flat, prediction."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn

from qloom.errors import DataError
from qloom.fitting import Flat, Training
from qloom.models.execution import OnEngine, on_engine
from qloom.models.published.objectives import Objective
from qloom.models.published.one_against_rest import OneAgainstRest, against_rest
from qloom.models.threads import torch_threads
from qloom.models.weighting import weighted_rows


class VariationalClassifier(OnEngine, ABC, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A network with circuits in it, trained to tell classes apart; subclasses give the network and its objective.

    Of more than two classes each has a network of its own that tells it from the rest, all trained on the same batches,
    unless `tells_many_apart`.

    Args:
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_: the trained module.
        classes_: the labels.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.
        scaler_: of the features, fitted on the training rows.
    """

    network_: Any
    # Whether one network tells any number of classes apart.
    tells_many_apart: ClassVar[bool] = False

    def __init__(
        self, learning_rate: float, batch_size: int, max_steps: int, convergence_interval: int | None, random_state: Any
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.convergence_interval = convergence_interval
        self.random_state = random_state

    @abstractmethod
    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        """The network with first weights: x (B, F) -> outputs; of two classes unless `tells_many_apart`."""

    @abstractmethod
    def make_objective(self, network: Any) -> Objective:
        """What a network is trained for, and how its outputs are read."""

    def make_scaler(self) -> Any:
        """Features to angles: each one's range on the training rows goes to -pi / 2 to pi / 2."""
        return MinMaxScaler((-np.pi / 2, np.pi / 2))

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows; those of more weight are drawn more often.

        Shapes: X (B, F), y (B,) of two classes or more, sample_weight (B,).

        Raises:
            DataError: for a single class.
            ConfigError, CircuitError: for settings that cannot be.
        """
        training = self.begin_fit(X, y, sample_weight)
        with torch_threads(1):  # the circuits have the cores
            training.run()
        self.end_fit(training)
        return self

    def begin_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Training:
        """The training of `fit` before its first step. Arguments are those of `fit`.

        Returns:
            The training, to be run and then given to `end_fit`.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        X, y, weights = weighted_rows(X, y, sample_weight)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(f"y has 1 class in {len(y)} row(s), expected two classes or more")
        self.scaler_ = self.make_scaler().set_output(transform="default").fit(X)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        generator = torch.Generator().manual_seed(int(seed))
        self.network_ = self._make_networks(generator)
        draws = Draws(self._scaled(X), torch.from_numpy(codes), weights, self.batch_size, generator)
        adam = torch.optim.Adam(self.network_.parameters(), self.learning_rate, fused=True)
        stop = Flat(self.convergence_interval) if self.convergence_interval else None
        return Training(
            self.network_, self._loss, draws, adam, epochs=self.max_steps, stop=stop, random=[generator], seed=None
        )

    def end_fit(self, training: Training) -> None:
        """What `fit` does after the last step; a warning where the loss was not flat yet."""
        self.losses_, self.n_steps_ = np.array(training.losses), training.epoch
        if training.stop is not None and not training.stop(training.losses):
            warnings.warn(
                f"{type(self).__name__} took all {self.max_steps} steps and the loss was not flat yet; "
                "raise max_steps, or set convergence_interval=None to train that long without this",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _make_networks(self, generator: torch.Generator) -> nn.Module:
        n_features, n_classes = self.n_features_in_, len(self.classes_)
        if n_classes == 2 or self.tells_many_apart:
            return self.make_network(n_features, n_classes, generator)
        return OneAgainstRest(self.make_network(n_features, 2, generator) for _ in range(n_classes))

    def _objective_of(self, network: Any) -> Objective:
        """Made anew each time, since it may hold parameters of the network."""
        if isinstance(network, OneAgainstRest):
            return against_rest(self.make_objective(network.networks[0]))
        return self.make_objective(network)

    def _loss(self, network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        x, y = batch
        return self._objective_of(network).loss(network(x), y)

    def _scaled(self, x: np.ndarray) -> Tensor:
        return torch.from_numpy(self.scaler_.transform(x).astype(np.float32))

    def learnt(self) -> dict[str, Any]:
        state = {name: tensor.numpy(force=True) for name, tensor in self.network_.state_dict().items()}
        objective = self._objective_of(self.network_).name
        return {**super().learnt(), "network_": state, "objective": objective}

    def put_back(self, learnt: Mapping[str, Any]) -> None:
        later = ("network_", "objective", "engine_")
        super().put_back({name: value for name, value in learnt.items() if name not in later})
        self.network_ = self._make_networks(torch.Generator())
        state = {name: torch.from_numpy(array) for name, array in learnt["network_"].items()}
        self.network_.load_state_dict(state, assign=True)
        found = self._objective_of(self.network_).name
        if found != learnt["objective"]:
            raise ValueError(f"trained for the objective {learnt['objective']!r}, this version has {found!r}")
        super().put_back({name: value for name, value in learnt.items() if name == "engine_"})

    def _run(self) -> None:
        super()._run()
        if self._engine is not None:
            self.network_ = on_engine(self.network_, self._engine)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> probability of each class (B, C)."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        with torch.no_grad(), torch_threads(1):
            return self._objective_of(self.network_).probabilities(self.network_(self._scaled(X)).double()).numpy()

    def decision_function(self, X: Any) -> np.ndarray:
        """From -1 to 1: what is more probable of the class than of the rest.

        Shapes: X (B, F) -> of the second of two classes (B,), of each of more (B, C).
        """
        probabilities = self.predict_proba(X)
        if probabilities.shape[1] > 2:
            return 2 * probabilities - 1
        first, second = probabilities.T
        return second - first

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> the more probable label (B,)."""
        check_is_fitted(self, "network_")
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Draws:
    """Batches of rows, drawn with replacement: one an epoch, so that an epoch is a step.

    Args:
        x, y: rows, (N, F) and (N,).
        weights: how much more likely than others rows are drawn, (N,); None for equal.
        batch_size: rows of a batch.
        generator: that draws.
    """

    def __init__(self, x: Tensor, y: Tensor, weights: np.ndarray | None, batch_size: int, generator: torch.Generator):
        self.x, self.y, self.weights, self.batch_size, self._generator = x, y, weights, batch_size, generator

    def __call__(self, epoch: int) -> list[tuple[Tensor, Tensor]]:
        rows = self._rows()
        return [(self.x.index_select(0, rows), self.y.index_select(0, rows))]

    def _rows(self) -> Tensor:
        if self.weights is None:
            return torch.randint(len(self.x), (self.batch_size,), generator=self._generator)
        shares = torch.from_numpy(self.weights)
        return torch.multinomial(shares, self.batch_size, replacement=True, generator=self._generator)
