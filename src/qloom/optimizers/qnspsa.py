"""QN-SPSA: SPSA with a metric, itself estimated from four fidelities of the states a step.

A fidelity F(w, w + d) falls off as 1 - d G d, so its second difference along two random directions estimates the metric
G in the way in which SPSA estimates the gradient. Estimates are averaged over steps and made positive.

Source: Gacon, Zoufal, Carleo, Woerner 2021, Quantum 5, 567.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from qloom.engines import Engine, make_batch
from qloom.errors import ConfigError
from qloom.optimizers.base import Closure, engine_of_states
from qloom.optimizers.spsa import SPSA


class QNSPSA(SPSA):
    """Natural gradient from two values of the loss and four fidelities a step, whatever the number of weights.

    Args:
        model: a module, or several, with QuantumLayers in it.
        lr, perturbation, stability, resamplings, blocking, seed: as in `SPSA`.
        damping: added to the estimated metric.
        engine: gives the states whose fidelities are taken; None for each layer's own, which must give states.

    Raises:
        ConfigError: as `SPSA`; for a damping that is not above 0, or layers whose engine gives no states.

    Source: Gacon, Zoufal, Carleo, Woerner 2021, Quantum 5, 567.
    """

    remembers_inputs = True

    def __init__(
        self, model: Any, lr: float = 0.1, perturbation: float = 0.1, stability: float = 10, resamplings: int = 1,
        blocking: float | None = None, damping: float = 1e-2, seed: int = 0, engine: Engine | None = None,
    ):  # fmt: skip
        if not damping > 0:
            raise ConfigError(f"damping={damping}, expected more than 0; estimates of the metric are singular at first")
        super().__init__(model, lr, perturbation, stability, resamplings, blocking, seed)
        self.damping = damping
        self._engines = [engine_of_states(layer, engine) for layer in self.layers]
        self.metrics = [np.eye(layer.weights.numel()) for layer in self.layers]

    def _estimate(self, closure: Closure, reach: float) -> tuple[np.ndarray, float]:
        with torch.enable_grad():  # for the inputs to be remembered
            closure()
        gradient, loss = super()._estimate(closure, reach)
        if not all(len(torch.cat(given)) for given in self._given.values() if given):
            raise ConfigError("the closure ran circuits on no rows, expected some; leave empty batches out")
        parts, first, steps = [], 0, self.progress["steps"]
        for number, layer in enumerate(self.layers):
            count = layer.weights.numel()
            now = np.mean([self._metric(number, reach) for _ in range(self.resamplings)], axis=0)
            mean = self.metrics[number] = ((steps + 1) * self.metrics[number] + now) / (steps + 2)
            values, vectors = np.linalg.eigh(mean)
            inverse = (vectors / (np.abs(values) + self.damping)) @ vectors.T
            parts.append(inverse @ gradient[first : first + count])
            first += count
        self.forget_inputs()
        return np.concatenate(parts), loss

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"metrics": [torch.from_numpy(metric.copy()) for metric in self.metrics]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state_dict = dict(state_dict)
        self.metrics = [metric.numpy().copy() for metric in state_dict.pop("metrics")]
        super().load_state_dict(state_dict)

    def _metric(self, number: int, reach: float) -> np.ndarray:
        """An estimate of a layer's G, (W, W), with expectation G up to the square of the reach."""
        layer = self.layers[number]
        a, b = self._signs_of(layer), self._signs_of(layer)
        rows, weights = torch.cat(self._given[id(layer)]).numpy(), layer.weights.detach().numpy()
        moved = [weights + reach * d for d in (0 * a, a + b, a, b - a, -a)]
        states = [self._states(number, rows, w.astype(weights.dtype)) for w in moved]
        both, one, other, back = (self._fidelity(states[0], state) for state in states[1:])
        self.cost.evaluations += 4 * len(rows)
        change = (both - one - other + back) / (2 * reach**2)
        return -change / 2 * (np.outer(a, b) + np.outer(b, a)) / 2

    def _states(self, number: int, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        circuit = self.layers[number].circuit
        return self._engines[number].state(circuit, make_batch(circuit, rows.astype(weights.dtype), weights))

    @staticmethod
    def _fidelity(states: np.ndarray, others: np.ndarray) -> float:
        return float((np.abs((states.conj() * others).sum(axis=1)) ** 2).mean())
