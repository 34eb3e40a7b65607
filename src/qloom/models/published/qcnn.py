"""The quantum convolutional classifier: a `nn.QCNN` whose last qubit tells a class from the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from torch import nn

from qloom.errors import ConfigError
from qloom.models.published.objectives import SQUARED, Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.nn import QCNN


class QCNNClassifier(VariationalClassifier):
    """Convolutions and poolings of qubits that hold the features; <Z> of the last one; squared loss.

    Features are scaled to 0 to pi by their range on the training rows, but for amplitudes, which are taken as they are.
    More than two classes: one against the rest; the source has two.

    Args:
        encoder: "angle", a feature a qubit; "hybrid", 15 on four; "amplitude", 2^n on n.
        convolution, pooling: blocks of `ansatze.BLOCKS`.
        entangled: False for the separable control: the same without gates on two qubits.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_, classes_, scaler_: the trained module, the labels, and the scaling of features.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.

    Source: Hur, Kim, Park 2022, Quantum Machine Intelligence 4, 3.
    """

    def __init__(
        self,
        encoder: str = "angle",
        convolution: str = "su4",
        pooling: str | None = "pooling",
        entangled: bool = True,
        learning_rate: float = 0.01,
        batch_size: int = 32,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.encoder = encoder
        self.convolution = convolution
        self.pooling = pooling
        self.entangled = entangled

    def make_scaler(self) -> Any:
        return FunctionTransformer() if self.encoder == "amplitude" else MinMaxScaler((0, np.pi))

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        if self.encoder == "angle" and n_features == 1:
            raise ConfigError("X has n_features=1, expected at least 2: one qubit has nothing to convolve")
        seed = int(torch.randint(2**31 - 1, (), generator=generator))
        network = QCNN(
            n_features, self.encoder, convolution=self.convolution, pooling=self.pooling, entangled=self.entangled,
            init="normal", seed=seed,
        )  # fmt: skip
        return nn.Sequential(network, nn.Flatten(0))

    def make_objective(self, network: Any) -> Objective:
        return SQUARED
