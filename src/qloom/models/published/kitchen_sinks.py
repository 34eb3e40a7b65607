"""Quantum kitchen sinks: random features from many small fixed circuits, a linear model on top."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from qloom.circuits import Circuit
from qloom.engines import expectation, sample
from qloom.errors import ConfigError
from qloom.models.execution import OnEngine
from qloom.models.weighting import weighted_rows


def kitchen_sink_circuit(n_qubits: int, entangled: bool = True) -> Circuit:
    """RX of an input on each qubit, then CX from each first to each second of neighbours, and to the next but one."""
    circuit = Circuit(n_qubits)
    for qubit, x in enumerate(circuit.inputs(n_qubits)):
        circuit.rx(x, qubit)
    near = [(q, q + 1) for q in range(0, n_qubits - 1, 2)]
    for pair in near + [(q, q + 2) for q in range(n_qubits - 2)] if entangled else ():
        circuit.cx(*pair)
    return circuit


class QuantumKitchenSinks(ClassifierMixin, OnEngine, BaseEstimator):  # type: ignore[misc]
    """Random linear maps of the features turn the qubits of many circuits; their outcomes feed a logistic regression.

    Features are scaled to -1 to 1 by their range on the training rows. Nothing quantum is trained.

    Args:
        n_episodes: E, circuits, each with angles omega x + beta of its own.
        n_qubits: n of each circuit; "full" for one a feature, "half" for half as many.
        variance: of omega, normal; beta is uniform from 0 to 2 pi.
        shots: measurements whose mean is a feature, 1 in the source; None for expectation values.
        entangled: False for the separable control: the same without CX.
        C: of the logistic regression, the inverse of its penalty.
        random_state: seed of the maps and of the measurements.

    Attributes:
        omega_: (E, n, F).
        beta_: (E, n).
        linear_: the regression on E n features.

    Source: Wilson et al. 2018, arXiv 1806.08321; generalized as in Bowles, Ahmed, Schuld 2024, arXiv 2403.07059.
    """

    def __init__(
        self,
        n_episodes: int = 100,
        n_qubits: int | str = "full",
        variance: float = 1.0,
        shots: int | None = None,
        entangled: bool = True,
        C: float = 1.0,
        random_state: Any = 0,
    ):
        self.n_episodes = n_episodes
        self.n_qubits = n_qubits
        self.variance = variance
        self.shots = shots
        self.entangled = entangled
        self.C = C
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Shapes: X (N, F), y (N,) of two classes or more, sample_weight (N,).

        Raises:
            ConfigError: for numbers that cannot be.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        X, y, weights = weighted_rows(X, y, sample_weight)
        random, n_features = check_random_state(self.random_state), X.shape[1]
        self.circuit_ = kitchen_sink_circuit(self._count(n_features), self.entangled)
        shape = (self.n_episodes, self.circuit_.n_qubits)
        self.omega_ = random.normal(scale=np.sqrt(self.variance), size=(*shape, n_features))
        self.beta_ = random.uniform(0, 2 * np.pi, size=shape)
        self.seed_ = int(random.randint(2**31 - 1))
        self.scaler_ = MinMaxScaler((-1, 1)).set_output(transform="default").fit(X)
        self.linear_ = LogisticRegression(C=self.C, max_iter=1000).fit(self._features(X), y, weights)
        self.classes_ = self.linear_.classes_
        return self

    def _count(self, n_features: int) -> int:
        counts = {"full": n_features, "half": -(-n_features // 2)}
        count = counts.get(self.n_qubits, self.n_qubits) if isinstance(self.n_qubits, str) else self.n_qubits
        if not isinstance(count, int) or count < 1:
            raise ConfigError(f"n_qubits={self.n_qubits!r}, expected a positive number, full or half")
        return count

    def _features(self, x: np.ndarray) -> np.ndarray:
        """Means of the outcomes, from -1 to 1. Shapes: x (B, F) -> (B, E n)."""
        angles = np.einsum("enf,bf->ben", self.omega_, self.scaler_.transform(x)) + self.beta_
        inputs = angles.reshape(-1, angles.shape[-1])
        if self.shots is None:
            values = expectation(self.circuit_, inputs=inputs, engine=self._engine)
        else:
            bits = sample(self.circuit_, self.shots, inputs, seed=self.seed_, engine=self._engine)
            values = 1 - 2 * bits.mean(axis=1)
        return values.reshape(len(x), -1)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> probability of each class (B, C)."""
        check_is_fitted(self, "linear_")
        return self.linear_.predict_proba(self._features(validate_data(self, X, dtype=np.float64, reset=False)))

    def decision_function(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> (B,) for two classes, (B, C) for more."""
        check_is_fitted(self, "linear_")
        return self.linear_.decision_function(self._features(validate_data(self, X, dtype=np.float64, reset=False)))

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> labels (B,)."""
        check_is_fitted(self, "linear_")
        return self.linear_.predict(self._features(validate_data(self, X, dtype=np.float64, reset=False)))
