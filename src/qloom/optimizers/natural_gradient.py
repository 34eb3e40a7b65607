"""Natural gradient: steps measured by how far the state moves, not by how far the angles do.

The metric G of the states replaces the identity: the step is G^-1 times the gradient. G is found for all weights from
one batch of states (`qloom.gradients.metric_tensor`), the mean over all inputs since the last step.

Source: Stokes, Izaac, Killoran, Carleo 2020, Quantum 4, 269.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from qloom.engines import StatevectorEngine, make_batch
from qloom.errors import ConfigError
from qloom.gradients.metric import Tangents
from qloom.nn import QuantumLayer
from qloom.optimizers.base import Closure, QuantumOptimizer

METRICS = ("full", "block", "diagonal")


class NaturalGradient(QuantumOptimizer):
    """Steps of -lr (G + damping)^-1 gradient for the weights of circuits; put another optimizer beside for the rest.

    The gradient is autograd's: call `loss.backward()` before `step()`, or give a closure. Angles are brought to one
    scale by the metric's diagonal before it is damped, so a step does not change when an angle is written as a multiple
    of another number; weights that do not move the state stay where they are.

    Args:
        model: a module, or several, with QuantumLayers in it.
        lr: step size; 1 would reach the minimum of a quadratic loss of the states' distance.
        metric: "full"; "block", between weights of one layer of the circuit only; "diagonal".
        damping: added to the scaled metric, whose diagonal is 1; raise it where shots make the gradient noisy.
        momentum: of former steps that is kept, from 0 to below 1.
        longest: a step goes at most so far in the metric of the states, radians; None for any length.

    Source: Stokes, Izaac, Killoran, Carleo 2020, Quantum 4, 269.
    """

    def __init__(
        self, model: Any, lr: float = 0.1, metric: str = "full", damping: float = 1e-3, momentum: float = 0.0,
        longest: float | None = 0.5,
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
        self._tangents = [Tangents(layer.circuit, StatevectorEngine()) for layer in self.layers]

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:  # type: ignore[override]
        """Turn the weights by their gradients. A closure clears them, computes the loss, calls backward, returns it."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group, layer, tangents in zip(self.param_groups, self.layers, self._tangents, strict=True):
            gradient = layer.weights.grad
            if gradient is not None:
                move = torch.from_numpy(self._move(group, layer, tangents, gradient.double().numpy()))
                layer.weights.add_(self._with_momentum(group, layer, move.to(layer.weights)))
        return loss

    def _move(self, group: dict[str, Any], layer: QuantumLayer, tangents: Tangents, gradient: np.ndarray) -> np.ndarray:
        """By the metric at the inputs since the last step; in float64."""
        inputs, weights = self.take_inputs(layer), layer.weights.detach()
        batch = make_batch(layer.circuit, inputs.to(weights.dtype).numpy(), weights.numpy())
        self.cost.evaluations += batch.size * tangents.n_states
        if group["metric"] == "full" and batch.size * 2 ** (layer.circuit.n_qubits + 1) < len(gradient):
            rows = tangents.rows(batch).astype(np.float64)
            move = -group["lr"] * solve_by_rows(rows, gradient, group["damping"])
            return shortened(move, float(np.linalg.norm(rows.T @ move)), group["longest"])
        metric = tangents.mean_metric(batch).astype(np.float64)
        if group["metric"] != "full":
            metric *= _mask(group["metric"], tangents)
        move = -group["lr"] * solve(metric, gradient, group["damping"])
        return shortened(move, float(np.sqrt(max(0.0, move @ metric @ move))), group["longest"])

    def _with_momentum(self, group: dict[str, Any], layer: QuantumLayer, move: torch.Tensor) -> torch.Tensor:
        if not group["momentum"]:
            return move
        state = self.state[layer.weights]
        state["velocity"] = move + group["momentum"] * state.get("velocity", torch.zeros_like(move))
        return state["velocity"]


def solve(metric: np.ndarray, gradient: np.ndarray, damping: float) -> np.ndarray:
    """(metric + damping * its diagonal)^-1 gradient, 0 where the diagonal is 0.

    Shapes: metric (W, W), gradient (W,) -> (W,).

    Raises:
        ConfigError: if that is singular.
    """
    moved, scale = _scaling(np.diagonal(metric))
    scaled = metric[np.ix_(moved, moved)] * np.outer(scale, scale) + damping * np.eye(len(scale))
    out = np.zeros_like(gradient)
    values = np.linalg.eigvalsh(scaled)
    if len(values) and values[0] < 1e-12 * values[-1]:
        rank = int((values > 1e-12 * values[-1]).sum())
        raise ConfigError(
            f"the metric of {len(values)} weights has rank {rank} and damping={damping} does not mend it, expected a "
            "regular one; raise damping"
        )
    out[moved] = scale * np.linalg.solve(scaled, scale * gradient[moved])
    return out


def solve_by_rows(rows: np.ndarray, gradient: np.ndarray, damping: float) -> np.ndarray:
    """The same for a metric rows @ rows.T of fewer columns than weights: stochastic reconfiguration by its kernel.

    Shapes: rows (W, M), gradient (W,) -> (W,).

    Source: Chen, Heyl 2024, Nature Physics 20, 1476.
    """
    if not damping > 0:
        raise ConfigError(
            f"the metric of {len(rows)} weights has rank at most {rows.shape[1]} and damping={damping} does not mend "
            "it, expected a regular one; raise damping"
        )
    moved, scale = _scaling(np.square(rows).sum(axis=1))
    scaled, out = rows[moved] * scale[:, None], np.zeros_like(gradient)
    kernel = scaled.T @ scaled + damping * np.eye(rows.shape[1])
    pulled = scale * gradient[moved]
    out[moved] = scale * (pulled - scaled @ np.linalg.solve(kernel, scaled.T @ pulled)) / damping
    return out


def _scaling(diagonal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which weights move the state at all, and what brings these to one scale."""
    moved = diagonal > 1e-12 * max(diagonal.max(), 1e-300)
    return moved, 1 / np.sqrt(diagonal[moved])


def shortened(move: np.ndarray, length: float, longest: float | None) -> np.ndarray:
    """A move of a length in the metric, made as short as asked."""
    return move if longest is None or length <= longest else move * (longest / length)


def _mask(metric: str, tangents: Tangents) -> np.ndarray:
    """1 where an entry of the metric is kept."""
    if metric == "diagonal":
        return np.eye(len(tangents.scales))
    layers = tangents.layers_of_weights()
    return (layers[:, None] == layers[None]).astype(float)
