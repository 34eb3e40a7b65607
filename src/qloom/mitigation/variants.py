"""Variants of one circuit, whose values a mitigation combines: all submitted before the first result is asked for.

Variants that differ in numbers alone are one circuit with further inputs, and one batch of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from qloom.engines.base import Derivatives, DifferentiableEvaluator, Estimate, Pending, Wants
from qloom.engines.batch import Batch


class Variants(ABC):
    """S variants of a prepared circuit.

    `settings` are the numbers in which they differ, (S, A), or (S, B, A) where samples have their own; None where they
    differ in their gates.

    Attributes:
        n_outputs: P, of each variant.
        n_groups: of words that are measured together, of all variants.
        stream: of their random numbers; None where the same arrays give the same values.
    """

    n_outputs: int
    n_groups: int
    walk_cost: int
    stream: Any

    @abstractmethod
    def submit(self, batch: Batch, settings: np.ndarray | None) -> Sequence[Pending]:
        """Begin all of them."""

    @abstractmethod
    def gathered(
        self, batch: Batch, settings: np.ndarray | None, pending: Sequence[Pending], timeout: float | None = None
    ) -> np.ndarray:
        """Their values (S, B, P), float64."""

    @abstractmethod
    def estimate(self, batch: Batch, settings: np.ndarray | None) -> Estimate:
        """The same with errors (S, B, P) and cost."""

    @abstractmethod
    def backward(
        self, batch: Batch, settings: np.ndarray | None, cotangents: np.ndarray, wants: Wants,
        trained: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:  # fmt: skip
        """Derivatives by inputs and weights as those of evaluators, and by settings (S, B, A), of cotangents
        (S, B, P)."""

    def values(self, batch: Batch, settings: np.ndarray | None) -> np.ndarray:
        """Values (S, B, P), float64."""
        return self.gathered(batch, settings, self.submit(batch, settings))


class SeparateVariants(Variants):
    """Circuits of different gates with the same inputs and weights, an evaluator each."""

    def __init__(self, evaluators: Sequence[DifferentiableEvaluator]):
        self.evaluators = tuple(evaluators)
        self.n_outputs = evaluators[0].n_outputs
        self.n_groups = sum(evaluator.n_groups for evaluator in evaluators)

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return sum(evaluator.walk_cost for evaluator in self.evaluators)

    @property
    def stream(self) -> Any:  # type: ignore[override]
        return next((e.stream for e in self.evaluators if e.stream is not None), None)

    def submit(self, batch: Batch, settings: np.ndarray | None) -> Sequence[Pending]:
        return [evaluator.submit(batch) for evaluator in self.evaluators]

    def gathered(
        self, batch: Batch, settings: np.ndarray | None, pending: Sequence[Pending], timeout: float | None = None
    ) -> np.ndarray:
        return np.array([each.result(timeout) for each in pending], np.float64)

    def estimate(self, batch: Batch, settings: np.ndarray | None) -> Estimate:
        found = [evaluator.estimate(batch) for evaluator in self.evaluators]
        values, errors = (np.array([getattr(e, name) for e in found], np.float64) for name in ("values", "errors"))
        return Estimate(values, errors, sum(e.runs for e in found), sum(e.shots for e in found))

    def backward(
        self, batch: Batch, settings: np.ndarray | None, cotangents: np.ndarray, wants: Wants,
        trained: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:  # fmt: skip
        parts: list[Derivatives] = []
        for evaluator, g in zip(self.evaluators, cotangents.astype(batch.dtype), strict=True):
            evaluator.trained = trained
            parts.append(evaluator.backward(batch, g, None, wants))
        d_inputs, d_weights = (_total([part[k] for part in parts]) for k in (0, 1))
        return d_inputs, d_weights, None


def _total(arrays: Sequence[np.ndarray | None]) -> np.ndarray | None:
    known = [array for array in arrays if array is not None]
    return sum(known[1:], known[0]) if known else None


class SettingVariants(Variants):
    """One circuit whose last inputs are settings."""

    def __init__(self, evaluator: DifferentiableEvaluator, n_settings: int):
        self.evaluator, self.n_settings = evaluator, n_settings
        self.n_outputs, self.n_groups = evaluator.n_outputs, evaluator.n_groups

    @property
    def walk_cost(self) -> int:  # type: ignore[override]
        return self.evaluator.walk_cost

    @property
    def stream(self) -> Any:  # type: ignore[override]
        return self.evaluator.stream

    def rows(self, batch: Batch, settings: np.ndarray | None) -> Batch:
        """The samples of all variants, variant by variant, as one batch (S B)."""
        assert settings is not None
        count = len(settings)
        of_sample = settings if settings.ndim == 3 else settings[:, None, :]
        further = np.broadcast_to(of_sample, (count, batch.size, self.n_settings)).reshape(-1, self.n_settings)
        inputs = np.concatenate([np.tile(batch.inputs, (count, 1)), further.astype(batch.dtype)], axis=1)
        weights = batch.weights if batch.weights.ndim == 1 else np.tile(batch.weights, (count, 1))
        return Batch(np.ascontiguousarray(inputs), weights, False)

    def submit(self, batch: Batch, settings: np.ndarray | None) -> Sequence[Pending]:
        return [self.evaluator.submit(self.rows(batch, settings))]

    def gathered(
        self, batch: Batch, settings: np.ndarray | None, pending: Sequence[Pending], timeout: float | None = None
    ) -> np.ndarray:
        return self._by_variant(batch, settings, pending[0].result(timeout))

    def _by_variant(self, batch: Batch, settings: np.ndarray | None, values: np.ndarray) -> np.ndarray:
        assert settings is not None
        return values.astype(np.float64).reshape(len(settings), batch.size, self.n_outputs)

    def estimate(self, batch: Batch, settings: np.ndarray | None) -> Estimate:
        found = self.evaluator.estimate(self.rows(batch, settings))
        values, errors = (self._by_variant(batch, settings, array) for array in (found.values, found.errors))
        return Estimate(values, errors, found.runs, found.shots)

    def backward(
        self, batch: Batch, settings: np.ndarray | None, cotangents: np.ndarray, wants: Wants,
        trained: np.ndarray | None,
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:  # fmt: skip
        self.evaluator.trained = trained
        g = np.ascontiguousarray(cotangents.reshape(-1, self.n_outputs), batch.dtype)
        d_rows, d_weights = self.evaluator.backward(self.rows(batch, settings), g, None, wants)
        if d_weights is not None and batch.weights.ndim == 2:
            d_weights = d_weights.reshape(len(settings), *batch.weights.shape).sum(axis=0)  # type: ignore[arg-type]
        if d_rows is None:
            return None, d_weights, None
        assert settings is not None
        by_variant = d_rows.reshape(len(settings), batch.size, d_rows.shape[1])
        own = batch.inputs.shape[1]
        return by_variant[:, :, :own].sum(axis=0), d_weights, by_variant[:, :, own:]
