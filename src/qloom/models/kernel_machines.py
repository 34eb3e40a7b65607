"""Support vectors, ridge regression and Gaussian processes on quantum kernels."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.kernel_ridge import KernelRidge
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

from qloom.encoders import encoding
from qloom.errors import ConfigError
from qloom.models.kernels import fidelity_kernel, projected_kernel

KERNELS = ("fidelity", "projected")


class QuantumKernelMachine(BaseEstimator):  # type: ignore[misc]
    """What the estimators on kernels share: features to the circuit's inputs, and the kernel matrix.

    Each feature's range on the training rows goes to -pi / 2 to pi / 2, then the encoder makes inputs of it.

    Args:
        kernel: "fidelity" of states, or "projected": a Gaussian of their X, Y and Z expectation values.
        encoder: a name of `qloom.encoders.ENCODERS`.
        encoder_options: of that encoder, such as {"n_layers": 2}.
        entangled: False for the separable control: the encoder without gates on two qubits.
        gamma: of the projected kernel.

    Attributes:
        circuit_: makes the states.
        scaler_: of the features.
        inputs_: of the training rows, (N, I).
    """

    def __init__(
        self, kernel: str, encoder: str, encoder_options: dict[str, Any] | None, entangled: bool, gamma: float
    ):
        self.kernel = kernel
        self.encoder = encoder
        self.encoder_options = encoder_options
        self.entangled = entangled
        self.gamma = gamma

    def _learn_kernel(self, x: np.ndarray) -> np.ndarray:
        """The kernel matrix (N, N) of the training rows."""
        if self.kernel not in KERNELS:
            raise ConfigError(f"kernel={self.kernel!r}, expected one of {', '.join(KERNELS)}")
        self.scaler_ = MinMaxScaler((-np.pi / 2, np.pi / 2)).fit(x)
        self._encoding = encoding(self.encoder, x.shape[1], **(self.encoder_options or {}))
        circuit = self._encoding.circuit
        self.circuit_ = circuit if self.entangled else circuit.without_entanglers()
        self.inputs_ = self._inputs(x)
        return self._matrix(self.inputs_, None)

    def _rows(self, X: Any) -> np.ndarray:
        """The kernel matrix (B, N) of rows with the training rows."""
        check_is_fitted(self, "inputs_")
        return self._matrix(self._inputs(validate_data(self, X, dtype=np.float64, reset=False)), self.inputs_)

    def _inputs(self, x: np.ndarray) -> np.ndarray:
        return self._encoding(torch.from_numpy(self.scaler_.transform(x))).numpy()

    def _matrix(self, x: np.ndarray, y: np.ndarray | None) -> np.ndarray:
        if self.kernel == "fidelity":
            return fidelity_kernel(self.circuit_, x, y)
        return projected_kernel(self.circuit_, x, y, gamma=self.gamma)


class QuantumSVC(ClassifierMixin, QuantumKernelMachine):  # type: ignore[misc]
    """A support vector classifier on a quantum kernel.

    Args:
        kernel, encoder, encoder_options, entangled, gamma: of the kernel, as in `QuantumKernelMachine`.
        C: weight of the errors.

    Source: Havlicek et al. 2019, Nature 567, 209.
    """

    def __init__(
        self,
        kernel: str = "fidelity",
        encoder: str = "iqp",
        encoder_options: dict[str, Any] | None = None,
        entangled: bool = True,
        gamma: float = 1.0,
        C: float = 1.0,
    ):
        super().__init__(kernel, encoder, encoder_options, entangled, gamma)
        self.C = C

    def fit(self, X: Any, y: Any) -> Self:
        """Shapes: X (N, F), y (N,) of two classes or more."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.svc_ = SVC(kernel="precomputed", C=self.C).fit(self._learn_kernel(X), y)
        self.classes_ = self.svc_.classes_
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> (B,) for two classes, (B, C) for more."""
        rows = self._rows(X)
        return self.svc_.decision_function(rows)

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> labels (B,)."""
        rows = self._rows(X)
        return self.svc_.predict(rows)


class QuantumKernelRidge(RegressorMixin, QuantumKernelMachine):  # type: ignore[misc]
    """Ridge regression on a quantum kernel.

    Args:
        kernel, encoder, encoder_options, entangled, gamma: of the kernel, as in `QuantumKernelMachine`.
        alpha: weight of the coefficients.
    """

    def __init__(
        self,
        kernel: str = "fidelity",
        encoder: str = "iqp",
        encoder_options: dict[str, Any] | None = None,
        entangled: bool = True,
        gamma: float = 1.0,
        alpha: float = 0.1,
    ):
        super().__init__(kernel, encoder, encoder_options, entangled, gamma)
        self.alpha = alpha

    def fit(self, X: Any, y: Any) -> Self:
        """Shapes: X (N, F), y (N,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self.ridge_ = KernelRidge(kernel="precomputed", alpha=self.alpha).fit(self._learn_kernel(X), y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> values (B,)."""
        rows = self._rows(X)
        return self.ridge_.predict(rows)


class QuantumGaussianProcess(RegressorMixin, QuantumKernelMachine):  # type: ignore[misc]
    """Regression by a Gaussian process whose covariance is a quantum kernel: values with their uncertainty.

    Args:
        kernel, encoder, encoder_options, entangled, gamma: of the kernel, as in `QuantumKernelMachine`.
        noise: variance of the target's noise, as a share of its variance.

    Source: Rasmussen, Williams 2006, Gaussian Processes for Machine Learning, algorithm 2.1.
    """

    def __init__(
        self,
        kernel: str = "fidelity",
        encoder: str = "iqp",
        encoder_options: dict[str, Any] | None = None,
        entangled: bool = True,
        gamma: float = 1.0,
        noise: float = 0.1,
    ):
        super().__init__(kernel, encoder, encoder_options, entangled, gamma)
        self.noise = noise

    def fit(self, X: Any, y: Any) -> Self:
        """Shapes: X (N, F), y (N,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        if not self.noise > 0:
            raise ConfigError(f"noise={self.noise!r}, expected more than 0; equal rows would make the kernel singular")
        self.mean_, self.deviation_ = float(np.mean(y)), float(np.std(y)) or 1.0
        matrix = self._learn_kernel(X) + self.noise * np.eye(len(y))
        self.factor_ = cho_factor(matrix, lower=True)
        self.coefficients_ = cho_solve(self.factor_, (y - self.mean_) / self.deviation_)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Shapes: X (B, F) -> values (B,), and the standard deviation of the noiseless target (B,) if asked for."""
        rows = self._rows(X)
        values = self.mean_ + self.deviation_ * (rows @ self.coefficients_)
        if not return_std:
            return values
        explained = solve_triangular(self.factor_[0], rows.T, lower=True)
        # The kernel of a row with itself is 1.
        return values, self.deviation_ * np.sqrt(np.clip(1 - np.square(explained).sum(axis=0), 0, None))
