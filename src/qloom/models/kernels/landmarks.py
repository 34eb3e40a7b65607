"""Kernels for many rows: features whose products are the kernel, but for what a few landmarks leave out (Nystrom)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from qloom.checks import checked_count
from qloom.models.kernels.quantum_kernel import OnKernel, QuantumKernel, fitted_kernel


class QuantumLandmarks(ClassNamePrefixFeaturesOutMixin, TransformerMixin, OnKernel):  # type: ignore[misc]
    """Rows to features by their kernel with M landmarks, random training rows; then any linear model, for any N:

        make_pipeline(QuantumLandmarks(n_landmarks=256), LinearSVC())

    N + M states and N M overlaps for N rows, no N x N matrix. With all rows as landmarks the features' products are
    the kernel itself.

    Args:
        kernel: "fidelity", "projected" or a `QuantumKernel`.
        n_landmarks: M; all rows if there are fewer.
        random_state: seed of the choice.

    Attributes:
        kernel_: the fitted `QuantumKernel`.
        inputs_: of the landmarks, (M, I).
        mixing_: (M, R): kernel values to features; R counts eigenvalues that are not 0 but for rounding.

    Shapes: X (B, F) -> (B, R).

    Source: Williams, Seeger 2001, Advances in Neural Information Processing Systems 13.
    """

    def __init__(self, kernel: str | QuantumKernel = "fidelity", n_landmarks: int = 256, random_state: Any = 0):
        self.kernel = kernel
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Shapes: X (N, F), y (N,) if the kernel has layers to train."""
        X = validate_data(self, X, dtype=np.float64)
        count = checked_count("n_landmarks", self.n_landmarks)
        self.kernel_ = fitted_kernel(self.kernel, X, y)
        random = check_random_state(self.random_state)
        chosen = random.choice(len(X), min(count, len(X)), replace=False)
        self.inputs_ = self.kernel_.inputs(X[chosen])
        values, vectors = np.linalg.eigh(self.kernel_.matrix(self.inputs_))
        kept = values > len(values) * np.finfo(values.dtype).eps * values[-1]
        self.mixing_ = vectors[:, kept] / np.sqrt(values[kept])
        return self

    @property
    def _n_features_out(self) -> int:
        return self.mixing_.shape[1]

    def transform(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> (B, R)."""
        check_is_fitted(self, "mixing_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.kernel_.matrix(self.kernel_.inputs(X), self.inputs_) @ self.mixing_
