"""Outputs that are a function of simpler ones, on any engine that gives those."""

from __future__ import annotations

from typing import Any

import numpy as np

from qloom.engines.base import Derivatives, DifferentiableEvaluator, Estimate, Wants
from qloom.engines.batch import Batch
from qloom.engines.outputs import Outputs


class DerivedEvaluator(DifferentiableEvaluator):
    """Values from those of parts, derivatives by the chain rule.

    With shots these are functions of estimates, which are biased where the function is not linear.

    Args:
        parts: an evaluator of `outputs.made_from()`; walks back if derivatives are asked for.
        outputs: what is made of them.
    """

    def __init__(self, parts: Any, outputs: Outputs):
        self.parts, self.outputs = parts, outputs
        self.circuit, self.n_outputs = parts.circuit, outputs.size
        self.any_norm, self.n_groups = parts.any_norm, parts.n_groups
        self.walk_cost = getattr(parts, "walk_cost", 0)

    @property
    def stream(self) -> Any:  # type: ignore[override]
        return self.parts.stream

    def estimate(self, batch: Batch) -> Estimate:
        """Standard errors to first order, those of the parts taken as independent."""
        parts = self.parts.estimate(batch)
        squares = np.zeros((batch.size, self.n_outputs))
        for o in range(self.n_outputs):
            cotangents = np.zeros((batch.size, self.n_outputs), batch.dtype)
            cotangents[:, o] = 1
            slopes = self.outputs.pulled_back(parts.values, cotangents)
            squares[:, o] = ((slopes * parts.errors) ** 2).sum(axis=1)
        values, errors = (a.astype(batch.dtype) for a in (self.outputs.from_parts(parts.values), np.sqrt(squares)))
        return Estimate(values, errors, parts.runs, parts.shots)

    def forward(self, batch: Batch, keep: bool) -> tuple[np.ndarray, Any]:
        values = self.parts.values(batch)
        return self.outputs.from_parts(values).astype(batch.dtype), values if keep else None

    def backward(self, batch: Batch, cotangents: np.ndarray, kept: Any, wants: Wants) -> Derivatives:
        values = self.parts.values(batch) if kept is None else kept
        pulled = self.outputs.pulled_back(values, cotangents).astype(batch.dtype)
        self.parts.trained = self.trained
        derivatives: Derivatives = self.parts.backward(batch, pulled, None, wants)
        return derivatives
