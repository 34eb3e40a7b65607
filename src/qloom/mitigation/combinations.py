"""How the values of variants are combined: values, cotangents on the way back, and errors to first order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from qloom.errors import UnsupportedError
from qloom.mitigation.fits import Fit


class Combination(ABC):
    """A function of values (S, B, P) that gives (B, O).

    Attributes:
        reads_errors: whether values are refused by their errors, which are then measured with them.
    """

    reads_errors: bool = False

    @abstractmethod
    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        """Mitigated values (B, O)."""

    @abstractmethod
    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        """Cotangents (S, B, P) of the values, from those (B, O) of what they make."""

    def errors(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Standard errors (B, O) to first order, those of the values taken as independent: also where some are measured
        together, as what is kept and its share are."""
        combined = self.combine(values, errors)
        out = np.empty_like(combined)
        for o in range(combined.shape[1]):
            cotangents = np.zeros_like(combined)
            cotangents[:, o] = 1
            slopes = np.nan_to_num(self.pulled_back(values, cotangents))
            out[:, o] = np.sqrt(((slopes * errors) ** 2).sum(axis=(0, 2)))
        return out


@dataclass(frozen=True, eq=False)
class WeightedSum(Combination):
    """Every variant times a weight; what is asked for is what variants give.

    Args:
        weights: (S,), or (S, P) where outputs have their own.
        are_drawn: whether variants are a sample of more, so that their scatter is part of the error.
    """

    weights: np.ndarray
    are_drawn: bool = False

    def _by_output(self, values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.weights.reshape(len(values), -1), (len(values), values.shape[2]))

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        return np.einsum("so,sbo->bo", self._by_output(values), values)

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        return self._by_output(values)[:, None, :] * cotangents

    def errors(self, values: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """Of a drawn sample the larger of its scatter and what its values' own errors make."""
        own = np.sqrt(np.einsum("so,sbo->bo", self._by_output(values) ** 2, errors**2))
        if not self.are_drawn or len(values) < 2:
            return own
        weighted = self._by_output(values)[:, None, :] * values * len(values)
        # Rounding of equal values is no scatter.
        scatter = weighted.std(axis=0, ddof=1) / np.sqrt(len(values))
        return np.maximum(own, np.where(scatter > 1e-12, scatter, 0))


@dataclass(frozen=True, eq=False)
class Extrapolation(Combination):
    """The fit of variants at several noise scales, at scale 0.

    Shapes: scales (S,).
    """

    scales: np.ndarray
    fit: Fit

    @property
    def reads_errors(self) -> bool:  # type: ignore[override]
        return self.fit.reads_errors

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        flat = values.reshape(len(values), -1)
        solution = self.fit.solve(self.scales, flat)
        known = np.zeros_like(flat) if errors is None else errors.reshape(flat.shape)
        self.fit.check_values(flat, known, solution, False)
        return solution.value.reshape(values.shape[1:])

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        slopes = self.fit.solve(self.scales, values.reshape(len(values), -1)).slopes.reshape(values.shape)
        pulled = np.where(cotangents == 0, 0, slopes * cotangents)
        if np.isnan(pulled).any():
            raise UnsupportedError(
                'values that are 0 at every noise scale have no derivative by an exponential; take fit="linear"'
            )
        return pulled


@dataclass(frozen=True, eq=False)
class LinearMap(Combination):
    """A matrix (O, P) for the outputs of one variant."""

    matrix: np.ndarray

    def combine(self, values: np.ndarray, errors: np.ndarray | None = None) -> np.ndarray:
        return values[0] @ self.matrix.T

    def pulled_back(self, values: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        return (cotangents @ self.matrix)[None]
