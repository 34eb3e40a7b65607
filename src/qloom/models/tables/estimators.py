"""Hybrid models for tables with the face of scikit-learn: fit, predict, score, save, load."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from qloom.models.tables.scores import decide
from qloom.models.tables.tabular import HybridModel


class HybridClassifier(ClassifierMixin, HybridModel):  # type: ignore[misc]
    __doc__ = "A hybrid classifier for tables.\n" + (HybridModel.__doc__ or "").split("\n", 1)[1]

    _task = "classification"

    @property
    def classes_(self) -> np.ndarray:
        """The labels in the order of the columns of `predict_proba`."""
        if not hasattr(self, "coding_"):
            raise AttributeError("classes_ is known after fit")
        return np.array(self.coding_.classes)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> probability of each class (B, C)."""
        return self._predict(X)

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> the most probable label (B,); of two classes the second above the threshold."""
        probabilities = self._predict(X)
        return self.coding_.decode(decide(probabilities, self.readout_.threshold))


class HybridRegressor(RegressorMixin, HybridModel):  # type: ignore[misc]
    __doc__ = "A hybrid regressor for tables.\n" + (HybridModel.__doc__ or "").split("\n", 1)[1]

    _task = "regression"

    def predict(self, X: Any) -> np.ndarray:
        """Shapes: X (B, F) -> values in the target's unit (B,)."""
        return self._predict(X)
