"""Support vectors, ridge regression and Gaussian processes on quantum kernels."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import SVC
from sklearn.utils.multiclass import _ovr_decision_function, check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from qloom.errors import ConfigError, DataError
from qloom.models.kernels.quantum_kernel import OnKernel, QuantumKernel, fitted_kernel
from qloom.models.weighting import weighted_rows


class QuantumKernelMachine(OnKernel):
    """What the estimators on kernels share.

    Args:
        kernel: "fidelity", "projected" or a `QuantumKernel`.

    Attributes:
        kernel_: the fitted `QuantumKernel`.
        inputs_: of the training rows, (N, I).
    """

    def __init__(self, kernel: str | QuantumKernel):
        self.kernel = kernel

    def _learn_kernel(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        """The kernel matrix (N, N) of the training rows."""
        self.kernel_ = fitted_kernel(self.kernel, x, y, weights)
        self.inputs_ = self.kernel_.inputs(x)
        return self.kernel_.matrix(self.inputs_)

    def _rows(self, X: Any) -> np.ndarray:
        """The kernel matrix (B, N) of rows with the training rows."""
        check_is_fitted(self, "inputs_")
        x = validate_data(self, X, dtype=np.float64, reset=False)
        return self.kernel_.matrix(self.kernel_.inputs(x), self.inputs_)


class QuantumSVC(ClassifierMixin, QuantumKernelMachine):  # type: ignore[misc]
    """A support vector classifier on a quantum kernel; more than two classes are told apart pair by pair.

    Args:
        kernel: "fidelity", "projected" or a `QuantumKernel`.
        C: weight of the errors.

    Attributes:
        inputs_: of the S support rows, (S, I).
        support_: which rows these are, of those with weight, (S,).
        coefficients_, intercepts_: of each of the P pairs of classes, (P, S) and (P,); above 0 is the pair's second.

    Source: Havlicek et al. 2019, Nature 567, 209.
    """

    def __init__(self, kernel: str | QuantumKernel = "fidelity", C: float = 1.0):
        super().__init__(kernel)
        self.C = C

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Shapes: X (N, F), y (N,) of two classes or more, sample_weight (N,).

        Raises:
            DataError: for a single class.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        X, y, weights = weighted_rows(X, y, sample_weight)
        labels, codes = np.unique(y, return_inverse=True)  # labels, even where they are numbers
        if len(labels) < 2:
            raise DataError(f"y has 1 class in {len(y)} row(s), expected two classes or more")
        matrix = self._learn_kernel(X, codes, weights)
        svc = SVC(kernel="precomputed", C=self.C).fit(matrix, y, weights)
        self.classes_, self.support_ = svc.classes_, svc.support_
        self.inputs_ = self.inputs_[self.support_]
        self.coefficients_, self.intercepts_ = _of_pairs(svc)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> (B,) for two classes, (B, C) for more."""
        pairs = self._rows(X) @ self.coefficients_.T + self.intercepts_
        return pairs[:, 0] if len(self.classes_) == 2 else _ovr_decision_function(pairs > 0, pairs, len(self.classes_))

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> labels (B,), of the class that wins most pairs."""
        decisions = self.decision_function(X)
        return self.classes_[(decisions > 0).astype(int) if decisions.ndim == 1 else decisions.argmax(axis=1)]


def _of_pairs(svc: SVC) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (P, S) and intercepts (P,) of (0, 1), (0, 2), ..., above 0 for the second.

    Source: scikit-learn's user guide, 1.4.1.1: row j - 1 holds class i's rows against class j > i, row i those of j.
    """
    of_class = np.repeat(np.arange(len(svc.classes_)), svc.n_support_)
    pairs = list(combinations(range(len(svc.classes_)), 2))
    rows = [
        np.where(of_class == i, svc.dual_coef_[j - 1], np.where(of_class == j, svc.dual_coef_[i], 0)) for i, j in pairs
    ]
    sign = 1 if len(pairs) == 1 else -1  # scikit-learn turns the sign where there are two classes
    return sign * np.array(rows), sign * svc.intercept_


class QuantumKernelRidge(RegressorMixin, QuantumKernelMachine):  # type: ignore[misc]
    """Ridge regression on a quantum kernel.

    Args:
        kernel: "fidelity", "projected" or a `QuantumKernel`.
        alpha: weight of the coefficients.

    Attributes:
        coefficients_: of the training rows' kernel values, (N,).
    """

    def __init__(self, kernel: str | QuantumKernel = "fidelity", alpha: float = 0.1):
        super().__init__(kernel)
        self.alpha = alpha

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Shapes: X (N, F), y (N,), sample_weight (N,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        X, y, weights = weighted_rows(X, y, sample_weight)
        matrix = self._learn_kernel(X, y, weights)
        self.coefficients_ = KernelRidge(kernel="precomputed", alpha=self.alpha).fit(matrix, y, weights).dual_coef_
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> values (B,)."""
        return self._rows(X) @ self.coefficients_


class QuantumGaussianProcess(RegressorMixin, QuantumKernelMachine):  # type: ignore[misc]
    """Regression by a Gaussian process whose covariance is a quantum kernel: values with their uncertainty.

    Args:
        kernel: "fidelity", "projected" or a `QuantumKernel`.
        noise: variance of the target's noise, as a share of its variance.

    Source: Rasmussen, Williams 2006, Gaussian Processes for Machine Learning, algorithm 2.1.
    """

    def __init__(self, kernel: str | QuantumKernel = "fidelity", noise: float = 0.1):
        super().__init__(kernel)
        self.noise = noise

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows; one of weight w has noise of a w-th of the variance, as the mean of w rows would.

        Shapes: X (N, F), y (N,), sample_weight (N,).

        Raises:
            ConfigError: for a noise that is not above 0.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        X, y, weights = weighted_rows(X, y, sample_weight)
        if not self.noise > 0:
            raise ConfigError(f"noise={self.noise!r}, expected more than 0; equal rows would make the kernel singular")
        self.mean_ = float(np.average(y, weights=weights))
        self.deviation_ = float(np.sqrt(np.average((y - self.mean_) ** 2, weights=weights))) or 1.0
        noise = self.noise / (np.ones(len(y)) if weights is None else weights)
        matrix = self._learn_kernel(X, y, weights) + np.diag(noise)
        self.factor_ = cho_factor(matrix, lower=True)
        self.coefficients_ = cho_solve(self.factor_, (y - self.mean_) / self.deviation_)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Args:
            return_std: whether the standard deviation is asked for.

        Shapes: X (B, F) -> values (B,), and the standard deviation of the noiseless target (B,) if asked for.
        """
        rows = self._rows(X)
        values = self.mean_ + self.deviation_ * (rows @ self.coefficients_)
        if not return_std:
            return values
        explained = solve_triangular(self.factor_[0], rows.T, lower=True)
        # The kernel of a row with itself is 1.
        return values, self.deviation_ * np.sqrt(np.clip(1 - np.square(explained).sum(axis=0), 0, None))
