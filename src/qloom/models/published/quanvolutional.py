"""The quanvolutional classifier: a fixed quantum filter over images, a small convolutional network on what it gives."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from math import isqrt
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from qloom.ansatze import random_layers
from qloom.circuits import Circuit
from qloom.encoders import angle
from qloom.engines import Engine, probabilities
from qloom.engines.choice import EngineChoice, choose_engine
from qloom.errors import ConfigError, ShapeError
from qloom.models.published.objectives import LOGISTIC, SOFTMAX, Objective
from qloom.models.published.variational import VariationalClassifier
from qloom.models.saving import Saved

# Distinct patches of pixels 0 and 1 are few: their circuits are run once, all of them.
MOST_PIXELS = 16


class QuantumFilter(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Saved, BaseEstimator):  # type: ignore[misc]
    """Fixed random circuits over all patches of black and white images; the number of ones in the likeliest outcome.

    Pixels above the threshold are 1, turned to by RY(pi); the others stay 0.

    Args:
        n_channels: circuits.
        kernel_size: k, of patches k x k, a qubit a pixel.
        n_layers, n_rotations: of each circuit's random layers.
        entangled: False for the separable control: the same without CX.
        random_state: seed of circuits and angles.

    Attributes:
        circuits_, angles_: one a channel, with its weights.
        table_: number of ones, for each channel and patch read as a number, (n_channels, 2^(k k)).

    Source: Henderson et al. 2020, Quantum Machine Intelligence 2, 2; as in Bowles, Ahmed, Schuld 2024,
    arXiv 2403.07059.
    """

    def __init__(
        self, n_channels: int = 5, kernel_size: int = 2, n_layers: int = 10, n_rotations: int = 20,
        entangled: bool = True, random_state: Any = 0,
    ):  # fmt: skip
        self.n_channels = n_channels
        self.kernel_size = kernel_size
        self.n_layers = n_layers
        self.n_rotations = n_rotations
        self.entangled = entangled
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Draw circuits and angles, and tabulate them. Of X only the number of pixels counts; y is ignored.

        Shapes: X (B, H H), square images row by row.

        Raises:
            ShapeError: for images that are not square, or a `kernel_size` that is not from 1 to their side.
            ConfigError: for patches of more than 4 x 4 pixels.
        """
        side, n_pixels = image_side(X.shape[1]), self.kernel_size**2
        if not 1 <= self.kernel_size <= side:
            raise ShapeError(f"kernel_size={self.kernel_size}, expected from 1 to the images' side of {side}")
        if n_pixels > MOST_PIXELS:
            raise ConfigError(f"kernel_size={self.kernel_size}, expected at most {isqrt(MOST_PIXELS)}: a qubit a pixel")
        self._n_features_out = self.n_channels * (side - self.kernel_size + 1) ** 2
        random = check_random_state(self.random_state)
        drawn = [self._draw_circuit(n_pixels, random) for _ in range(self.n_channels)]
        self.circuits_, self.angles_ = [circuit for circuit, _ in drawn], np.stack([angles for _, angles in drawn])
        self.table_ = self._ones_of_patches()
        return self

    def _draw_circuit(self, n_pixels: int, random: Any) -> tuple[Circuit, np.ndarray]:
        seed = int(random.randint(2**31 - 1))
        layers = random_layers(n_pixels, self.n_layers, self.n_rotations, seed=seed)
        circuit: Circuit = angle(n_pixels, scale=np.pi) + layers
        angles = random.uniform(0, 2 * np.pi, layers.n_weights)
        return circuit if self.entangled else circuit.without_entanglers(), angles

    def _ones_of_patches(self, engine: Engine | None = None) -> np.ndarray:
        n_pixels = self.kernel_size**2
        patches = ((np.arange(2**n_pixels)[:, None] >> np.arange(n_pixels)[::-1]) & 1).astype(float)
        likeliest = [
            probabilities(circuit, patches, angles, engine=engine).argmax(axis=1)
            for circuit, angles in zip(self.circuits_, self.angles_, strict=True)
        ]
        return np.bitwise_count(np.stack(likeliest))

    def with_engine(self, engine: Mapping[str, Any] | EngineChoice | Engine) -> Self:
        """The same filter with a table that another engine gives; it is measured once.

        Args:
            engine: an engine, or what to change of the present one, by the keys of the section `engine` of a
                configuration.
        """
        check_is_fitted(self, "table_")
        other = copy.copy(self)
        other.table_ = self._ones_of_patches(engine if isinstance(engine, Engine) else choose_engine(engine).engine())
        return other

    def transform(self, X: Any) -> np.ndarray:
        """Shapes: X (B, H H) -> (B, n_channels (H - k + 1)^2)."""
        side, k = image_side(X.shape[1]), self.kernel_size
        pixels = (np.asarray(X).reshape(-1, side, side) > 0).astype(np.int64)
        patches = np.lib.stride_tricks.sliding_window_view(pixels, (k, k), axis=(1, 2))
        numbers = np.einsum("bijkl,kl->bij", patches, (1 << np.arange(k * k)[::-1]).reshape(k, k))
        return self.table_[:, numbers].swapaxes(0, 1).reshape(len(pixels), -1)


def image_side(n_pixels: int) -> int:
    """H of H x H pixels."""
    side = isqrt(n_pixels)
    if side * side != n_pixels:
        raise ShapeError(f"{n_pixels} features, expected those of square images, such as {side * side}; pad the images")
    return side


class ImageNetwork(nn.Sequential):
    """Two convolutions with pooling, two dense layers: the logarithm of the odds, or one number a class.

    Shapes: x (B, channels H H) -> (B,) for two classes, (B, C) for more.
    """

    def __init__(self, n_channels: int, side: int, kernel_size: int, widths: tuple[int, int], n_classes: int = 2):
        # As much before as after, one more after for even sizes: images keep theirs.
        same = nn.ZeroPad2d(((kernel_size - 1) // 2, kernel_size // 2) * 2)
        pooled = [side]
        for _ in widths:
            pooled.append(-(-pooled[-1] // 2))
        super().__init__(
            nn.Unflatten(1, (n_channels, side, side)),
            same,
            nn.Conv2d(n_channels, widths[0], kernel_size),
            nn.MaxPool2d(2, ceil_mode=True),
            same,
            nn.Conv2d(widths[0], widths[1], kernel_size),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Flatten(),
            nn.Linear(widths[1] * pooled[-1] ** 2, 2 * widths[1]),
            nn.ReLU(),
            nn.Linear(2 * widths[1], 1 if n_classes == 2 else n_classes),
            nn.Flatten(0 if n_classes == 2 else 1),
        )


class QuanvolutionalClassifier(VariationalClassifier):
    """Square images through a fixed quantum filter once, then a convolutional network is trained on what it gives.

    More than two classes: an output each, softmax and cross-entropy, as in the first source.

    Args:
        n_channels, quantum_kernel_size, n_layers, n_rotations: of the `QuantumFilter`.
        quantum: False for the control: the same network on the standardized pixels.
        entangled: False for the separable control: the filter without CX.
        kernel_size, widths: of the two convolutions.
        learning_rate: of Adam.
        batch_size: rows a step, drawn with replacement.
        max_steps: taken at most.
        convergence_interval: steps over which the loss must be flat to stop; None to take all steps.
        random_state: seed of weights and batches.

    Attributes:
        network_, classes_, scaler_: the trained module, the labels, and the scaling of features.
        losses_: of every step, (n_steps_,).
        n_steps_: taken.

    Shapes: X (B, H H), rows of pixels; after scaling to -pi / 2 to pi / 2 those above 0 are white.

    Source: Henderson et al. 2020, Quantum Machine Intelligence 2, 2; as in Bowles, Ahmed, Schuld 2024,
    arXiv 2403.07059.
    """

    tells_many_apart = True

    def __init__(
        self,
        n_channels: int = 5,
        quantum_kernel_size: int = 2,
        n_layers: int = 10,
        n_rotations: int = 20,
        quantum: bool = True,
        entangled: bool = True,
        kernel_size: int = 3,
        widths: tuple[int, int] = (32, 64),
        learning_rate: float = 0.001,
        batch_size: int = 32,
        max_steps: int = 10_000,
        convergence_interval: int | None = 200,
        random_state: Any = 0,
    ):
        super().__init__(learning_rate, batch_size, max_steps, convergence_interval, random_state)
        self.n_channels = n_channels
        self.quantum_kernel_size = quantum_kernel_size
        self.n_layers = n_layers
        self.n_rotations = n_rotations
        self.quantum = quantum
        self.entangled = entangled
        self.kernel_size = kernel_size
        self.widths = widths

    def make_scaler(self) -> Any:
        if not self.quantum:
            return StandardScaler()
        quantum_filter = QuantumFilter(
            self.n_channels, self.quantum_kernel_size, self.n_layers, self.n_rotations, self.entangled,
            self.random_state,
        )  # fmt: skip
        return make_pipeline(MinMaxScaler((-np.pi / 2, np.pi / 2)), quantum_filter)

    def with_engine(self, engine: Mapping[str, Any] | EngineChoice | Engine) -> Self:
        """The same model whose filter is measured by another engine, once.

        Raises:
            ConfigError: for a model without a circuit, or an engine that there is not.
        """
        check_is_fitted(self, "network_")
        if not self.quantum:
            raise ConfigError("quantum=False: a model without a circuit has no engine; leave it out")
        other, (ranges, quantum_filter) = copy.copy(self), (step for _, step in self.scaler_.steps)
        other.scaler_ = make_pipeline(ranges, quantum_filter.with_engine(engine))
        return other

    def make_network(self, n_features: int, n_classes: int, generator: torch.Generator) -> nn.Module:
        side, n_channels = image_side(n_features), 1
        if self.quantum:
            side, n_channels = side - self.quantum_kernel_size + 1, self.n_channels
        network = ImageNetwork(n_channels, side, self.kernel_size, self.widths, n_classes)
        for parameter in network.parameters():
            if parameter.dim() == 1:
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, nonlinearity="linear", generator=generator)
        return network

    def make_objective(self, network: Any) -> Objective:
        return LOGISTIC if len(self.classes_) == 2 else SOFTMAX
