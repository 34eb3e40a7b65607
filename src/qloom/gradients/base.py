"""What a differentiator is: a way to get derivatives, chosen by argument and apart from the engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import DifferentiableEvaluator, Engine, Estimate, Evaluator, Pending
from qloom.engines.batch import Batch


class Differentiator(ABC):
    """Makes, from an engine and a circuit, an evaluator that walks backwards.

    Attributes:
        walks_back: whether it is the engine that walks back.
        is_exact: whether what it gives of exact values are the derivatives, up to rounding; else estimates of them.
    """

    walks_back: bool = False
    is_exact: bool = True

    @abstractmethod
    def prepare(self, engine: Engine, circuit: Circuit, observables: Any = None) -> DifferentiableEvaluator:
        """An evaluator whose `backward` gives derivatives of sum(cotangents * values) by this method.

        Args:
            engine: what gives the values.
            circuit: whose derivatives these are.
            observables: as `Engine.prepare` takes them.

        Raises:
            UnsupportedError: for an engine, gates or outputs that the method is not for.
        """


class ForwardEvaluator(DifferentiableEvaluator):
    """Base of evaluators that get derivatives from further values, so that any engine will do."""

    def __init__(self, evaluator: Evaluator):
        self.evaluator = evaluator
        self.circuit = evaluator.circuit
        self.n_outputs = evaluator.n_outputs
        self.n_groups = evaluator.n_groups

    @property
    def stream(self) -> Any:  # type: ignore[override]
        return self.evaluator.stream

    def estimate(self, batch: Batch) -> Estimate:
        return self.evaluator.estimate(batch)

    def submit(self, batch: Batch) -> Pending:
        return self.evaluator.submit(batch)

    def forward(self, batch: Any, keep: bool) -> tuple[np.ndarray, np.ndarray | None]:
        return self.evaluator.values(batch), None
