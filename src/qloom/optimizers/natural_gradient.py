"""Natural gradient: steps measured by how far the state moves, not by how far the angles do.

The metric G of the states replaces the identity: the step is G^-1 times the gradient. G is found for all weights from
one batch of states (`qloom.gradients.metric_tensor`), the mean over all inputs since the last step.

Source: Stokes, Izaac, Killoran, Carleo 2020, Quantum 4, 269.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from qloom.engines import Engine, make_batch
from qloom.errors import ConfigError
from qloom.gradients.metric import Tangents
from qloom.nn import QuantumLayer
from qloom.optimizers.base import Closure, QuantumOptimizer, engine_of_states

METRICS = ("full", "block", "diagonal")


class NaturalGradient(QuantumOptimizer):
    """Steps of -lr (G + damping)^-1 gradient for the weights of circuits; put another optimizer beside for the rest.

    The gradient is autograd's: call `loss.backward()` before `step()`, or give a closure. Angles are brought to one
    scale by the metric's diagonal before it is damped, so a step does not change when an angle is written as a multiple
    of another number; weights that do not move the state stay where they are.

    Args:
        model: a module, or several, with QuantumLayers in it.
        lr: step size; 1/2 would reach the minimum of a loss that is the squared distance of two states.
        metric: "full"; "block", between weights of one layer of the circuit only; "diagonal".
        damping: added to the scaled metric, whose diagonal is 1; raise it where shots make the gradient noisy.
        momentum: of former steps that is kept, from 0 to below 1.
        longest: a step goes at most so far in the metric of the states, radians; None for any length.
        engine: gives the states of the metric; None for each layer's own, which must give states.

    Raises:
        ConfigError: for a model without QuantumLayers to train, another `metric`, numbers out of range, or layers whose
            engine gives no states.

    Source: Stokes, Izaac, Killoran, Carleo 2020, Quantum 4, 269.
    """

    remembers_inputs = True

    def __init__(
        self, model: Any, lr: float = 0.1, metric: str = "full", damping: float = 1e-3, momentum: float = 0.0,
        longest: float | None = 0.5, engine: Engine | None = None,
    ):  # fmt: skip
        if metric not in METRICS:
            raise ConfigError(f"metric={metric!r}, expected one of {', '.join(METRICS)}")
        if not (lr > 0 and damping >= 0 and 0 <= momentum < 1 and (longest is None or longest > 0)):
            raise ConfigError(
                f"lr={lr}, damping={damping}, momentum={momentum}, longest={longest}, expected positive ones, damping "
                "at least 0 and momentum from 0 to below 1"
            )
        options = {"lr": lr, "metric": metric, "damping": damping, "momentum": momentum, "longest": longest}
        super().__init__(model, options)
        self._engine = engine
        self._tangents = [Tangents(layer.circuit, engine_of_states(layer, engine)) for layer in self.layers]

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:  # type: ignore[override]
        """Turn the weights by their gradients. A closure clears them, computes the loss, calls backward, returns it."""
        loss = self.differentiate(closure)
        for number, (group, layer) in enumerate(zip(self.param_groups, self.layers, strict=True)):
            gradient = layer.weights.grad
            if gradient is not None and len(inputs := self.take_inputs(layer)):
                move = self._move(group, layer, self._tangents_of(number), inputs, gradient.double().numpy())
                layer.weights.add_(move)
        self.forget_inputs()
        return loss

    def _tangents_of(self, number: int) -> Tangents:
        """Made again where a layer's circuit was exchanged."""
        layer = self.layers[number]
        if self._tangents[number].circuit is not layer.circuit:
            self._tangents[number] = Tangents(layer.circuit, engine_of_states(layer, self._engine))
        return self._tangents[number]

    def _move(
        self, group: dict[str, Any], layer: QuantumLayer, tangents: Tangents, inputs: torch.Tensor, gradient: np.ndarray
    ) -> torch.Tensor:
        """By the metric at the inputs since the last step."""
        weights = layer.weights.detach()
        batch = make_batch(layer.circuit, inputs.to(weights.dtype).numpy(), weights.numpy())
        self.cost.evaluations += batch.size * tangents.n_states
        # A metric is a difference of products of order 1: its entries are rounded at some times this.
        rounding = max(1e-12, 100 * float(torch.finfo(weights.dtype).eps))
        system = System(layer.trained, rounding, group["damping"])
        if group["metric"] == "full" and batch.size * 2 ** (layer.circuit.n_qubits + 1) < len(gradient):
            rows = tangents.rows(batch).astype(np.float64)
            step = system.solve_by_rows(rows, gradient)
            length = lambda move: float(np.linalg.norm(rows.T @ move))  # noqa: E731
        else:
            metric = tangents.mean_metric(batch).astype(np.float64)
            kept = metric if group["metric"] == "full" else metric * _mask(group["metric"], tangents)
            step = system.solve(kept, gradient)
            length = lambda move: float(np.sqrt(max(0.0, move @ metric @ move)))  # noqa: E731
        return self._with_momentum(group, layer, -group["lr"] * step, length)

    def _with_momentum(
        self, group: dict[str, Any], layer: QuantumLayer, move: np.ndarray, length: Callable[[np.ndarray], float]
    ) -> torch.Tensor:
        """A step with a share of the former ones, made as short as asked."""
        state, weights = self.state[layer.weights], layer.weights
        if group["momentum"]:
            before = state.get("velocity", torch.zeros_like(weights)).double().numpy()
            move = (move + group["momentum"] * before) * layer.trained
        longest, far = group["longest"], length(move)
        made = torch.from_numpy(move if longest is None or far <= longest else move * (longest / far)).to(weights)
        if group["momentum"]:
            state["velocity"] = made.clone()
        return made


@dataclass(frozen=True)
class System:
    """The equations of a step, (G + damping * its diagonal) step = gradient.

    Attributes:
        trained: (W,), the weights it is solved for; the step of the others is 0.
        rounding: of the numbers G was found with; weights whose entry is no larger do not move the state, and stay.
        damping: of the metric brought to a diagonal of 1.
    """

    trained: np.ndarray
    rounding: float
    damping: float

    def solve(self, metric: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Shapes: metric (W, W), gradient (W,) -> (W,).

        Raises:
            ConfigError: if that is singular.
        """
        moved, scale = self._scaling(np.diagonal(metric))
        values, vectors = np.linalg.eigh(metric[np.ix_(moved, moved)] * np.outer(scale, scale))
        values = np.maximum(values, 0) + self.damping  # a metric has no negative directions but by rounding
        if len(values) and values[0] < 1e-12 * values[-1]:
            self._refuse(len(values), int((values > 1e-12 * values[-1]).sum()))
        out = np.zeros_like(gradient)
        out[moved] = scale * (vectors @ ((vectors.T @ (scale * gradient[moved])) / values))
        return out

    def solve_by_rows(self, rows: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """The same for a metric rows @ rows.T of fewer columns than weights: stochastic reconfiguration by its kernel.

        Shapes: rows (W, M), gradient (W,) -> (W,).

        Source: Chen, Heyl 2024, Nature Physics 20, 1476.
        """
        if not self.damping > 0:
            self._refuse(len(rows), rows.shape[1])
        moved, scale = self._scaling(np.square(rows).sum(axis=1))
        scaled, pulled, out = rows[moved] * scale[:, None], scale * gradient[moved], np.zeros_like(gradient)
        kernel = scaled.T @ scaled + self.damping * np.eye(rows.shape[1])
        out[moved] = scale * (pulled - scaled @ np.linalg.solve(kernel, scaled.T @ pulled)) / self.damping
        return out

    def _scaling(self, diagonal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which weights move the state at all, and what brings these to one scale."""
        moved = self.trained & (diagonal > self.rounding * max(diagonal.max(), 1e-300))
        return moved, 1 / np.sqrt(diagonal[moved])

    def _refuse(self, n_weights: int, rank: int) -> None:
        raise ConfigError(
            f"the metric of {n_weights} weights has rank {rank} and damping={self.damping} does not mend it, expected "
            "a regular one; raise damping"
        )


def _mask(metric: str, tangents: Tangents) -> np.ndarray:
    """1 where an entry of the metric is kept."""
    if metric == "diagonal":
        return np.eye(len(tangents.scales))
    layers = tangents.layers_of_weights()
    return (layers[:, None] == layers[None]).astype(float)
