"""A quantum kernel of table rows: scaling, encoder, trained layers if any, fidelities or expectation values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import MinMaxScaler

from qloom.ansatze import strongly_entangling
from qloom.circuits import Circuit
from qloom.encoders import encoding
from qloom.encoders.encoding import Encoding
from qloom.errors import ConfigError
from qloom.models.execution import OnEngine
from qloom.models.kernels.alignment import align_kernel
from qloom.models.kernels.kernels import KERNELS, fidelity_kernel, projected_kernel


class QuantumKernel(OnEngine, BaseEstimator):  # type: ignore[misc]
    """Similarity of rows. Each feature's range on the training rows goes to -pi / 2 to pi / 2, then to the encoder.

    Args:
        kind: "fidelity" of states, or "projected": a Gaussian of their X, Y and Z expectation values.
        encoder: a name of `qloom.encoders.ENCODERS`.
        encoder_options: of that encoder, such as {"n_layers": 2}.
        entangled: False for the separable control: the same without gates on two qubits.
        gamma: of the projected kernel.
        trained_layers: L layers of any rotation and CX, each between two uploads of the features, turned toward the
            targets by `align_kernel` before anything is fitted; 0 for a fixed kernel.
        n_steps, learning_rate, random_state: of that training.

    Attributes:
        circuit_: makes the states.
        weights_: of its trained layers.
        scaler_: of the features.
        alignments_: of every step with the targets, (n_steps,).

    Source: Havlicek et al. 2019, Nature 567, 209; Huang et al. 2021, Nature Communications 12, 2631.
    """

    def __init__(
        self,
        kind: str = "fidelity",
        encoder: str = "iqp",
        encoder_options: dict[str, Any] | None = None,
        entangled: bool = True,
        gamma: float = 1.0,
        trained_layers: int = 0,
        n_steps: int = 100,
        learning_rate: float = 0.05,
        random_state: int = 0,
    ):
        self.kind = kind
        self.encoder = encoder
        self.encoder_options = encoder_options
        self.entangled = entangled
        self.gamma = gamma
        self.trained_layers = trained_layers
        self.n_steps = n_steps
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, x: np.ndarray, y: Any = None, sample_weight: np.ndarray | None = None) -> Self:
        """Learn the scaling and, if there are layers to train, their weights.

        Shapes: x (N, F), y (N,), labels or numbers, sample_weight (N,).

        Raises:
            ConfigError: for another kind, or layers to train without y.
        """
        if self.kind not in KERNELS:
            raise ConfigError(f"kernel={self.kind!r}, expected one of {', '.join(KERNELS)}")
        self.scaler_ = MinMaxScaler((-np.pi / 2, np.pi / 2)).set_output(transform="default").fit(x)
        self._encoding = self._encoder_of(x.shape[1])
        circuit = reuploaded(self._encoding.circuit, self.trained_layers)
        self.circuit_ = circuit if self.entangled else circuit.without_entanglers()
        self.weights_, self.alignments_ = np.zeros(0), np.zeros(0)
        if self.trained_layers:
            if y is None:
                raise ConfigError("y not given, expected targets; trained_layers are aligned with them")
            self._align(x, y, sample_weight)
        return self

    def _encoder_of(self, n_features: int) -> Encoding:
        return encoding(self.encoder, n_features, **(self.encoder_options or {}))

    def learnt(self) -> dict[str, Any]:
        return {name: value for name, value in super().learnt().items() if name != "_encoding"}

    def put_back(self, learnt: Mapping[str, Any]) -> None:
        super().put_back(learnt)
        if learnt:  # the kernel that a machine is given is not fitted, its copy is
            self._encoding = self._encoder_of(self.scaler_.n_features_in_)

    def _align(self, x: np.ndarray, y: Any, sample_weight: np.ndarray | None) -> None:
        found = align_kernel(
            self.circuit_, self.inputs(x), y, kernel=self.kind, gamma=self.gamma, n_steps=self.n_steps,
            learning_rate=self.learning_rate, seed=self.random_state, sample_weight=sample_weight,
        )  # fmt: skip
        self.weights_, self.alignments_ = found.weights, found.values

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Of the circuit. Shapes: x (N, F) -> (N, I)."""
        return self._encoding(torch.from_numpy(self.scaler_.transform(x))).numpy()

    def matrix(self, inputs: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
        """The kernel of inputs, as `inputs` gives them, with others or with themselves.

        Shapes: inputs (N, I), others (M, I) -> (N, M), or (N, N) for None.
        """
        if self.kind == "fidelity":
            return fidelity_kernel(self.circuit_, inputs, others, self.weights_, engine=self._engine)
        return projected_kernel(self.circuit_, inputs, others, self.weights_, gamma=self.gamma, engine=self._engine)


def fitted_kernel(
    kernel: str | QuantumKernel, x: np.ndarray, y: Any, sample_weight: np.ndarray | None = None
) -> QuantumKernel:
    """A kernel of that kind, or like the one given, fitted to training rows."""
    return (clone(kernel) if isinstance(kernel, QuantumKernel) else QuantumKernel(kernel)).fit(x, y, sample_weight)


class OnKernel(OnEngine, BaseEstimator):  # type: ignore[misc]
    """An estimator whose `kernel` is a name or a `QuantumKernel`; ``kernel__...`` can be set in either case."""

    kernel: str | QuantumKernel
    kernel_: QuantumKernel

    def _run(self) -> None:
        assert self.engine_ is not None
        self.kernel_ = self.kernel_.with_engine(self.engine_)

    def set_params(self, **params: Any) -> Self:
        """As scikit-learn's; a kernel that was a name becomes a `QuantumKernel` where its settings are set."""
        kernel = params.get("kernel", self.kernel)
        if isinstance(kernel, str) and any(name.startswith("kernel__") for name in params):
            params["kernel"] = QuantumKernel(kernel)
        super().set_params(**params)
        return self


def reuploaded(encoder: Circuit, n_layers: int) -> Circuit:
    """The encoder, then so many times a strongly entangling layer and the encoder with the same inputs again."""
    if not n_layers:
        return encoder
    n_qubits, circuit = encoder.n_qubits, Circuit(encoder.n_qubits)
    inputs = circuit.inputs(encoder.n_inputs)
    circuit.place(encoder, range(n_qubits), inputs=inputs)
    for layer in range(n_layers):
        trained = strongly_entangling(n_qubits, 1, [1 + layer % max(1, n_qubits - 1)])
        circuit.place(trained, range(n_qubits), circuit.weights(trained.n_weights))
        circuit.place(encoder, range(n_qubits), inputs=inputs)
    return circuit
