"""SPSA: a gradient from two values of the loss, whatever the number of weights.

All weights move at once by +-c along a random direction of signs, and the slope along it is taken for each: noisy,
right on average up to c^2, cheap, and as good with shots as without.

Source: Spall 1998, IEEE Transactions on Aerospace and Electronic Systems 34, 817.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from qloom.errors import ConfigError
from qloom.nn import QuantumLayer
from qloom.optimizers.base import Closure, QuantumOptimizer

# Of the gains a / (k + 1 + stability)^ALPHA and perturbations c / (k + 1)^GAMMA.
ALPHA, GAMMA = 0.602, 0.101
# Directions whose mean slope the first gain is calibrated by; a step is never longer than so many first ones.
CALIBRATIONS, MOST_MOVE = 10, 5.0


class SPSA(QuantumOptimizer):
    """Simultaneous perturbation. `step(closure)` takes a closure that computes and returns the loss, and no more.

    Args:
        model: a module, or several, with QuantumLayers in it.
        lr: how far an angle moves in the first step, on average; the gain is calibrated to that.
        perturbation: c, radians.
        stability: added to the number of steps in the gain; about a tenth of all steps.
        resamplings: directions a step, averaged.
        blocking: take back a step that raises the loss by more than this; None takes all. One more value a step.
        seed: of the directions.

    Raises:
        ConfigError: for a model without QuantumLayers to train, or numbers that are not above 0.

    Source: Spall 1998, IEEE Transactions on Aerospace and Electronic Systems 34, 817.
    """

    def __init__(
        self, model: Any, lr: float = 0.1, perturbation: float = 0.1, stability: float = 10, resamplings: int = 1,
        blocking: float | None = None, seed: int = 0,
    ):  # fmt: skip
        if not (lr > 0 and perturbation > 0 and stability >= 0 and resamplings >= 1):
            raise ConfigError(
                f"lr={lr}, perturbation={perturbation}, stability={stability}, resamplings={resamplings}, expected "
                "positive numbers"
            )
        super().__init__(model, {"lr": lr, "perturbation": perturbation, "stability": stability})
        self.resamplings = resamplings
        self.blocking = blocking
        self._random = np.random.default_rng(seed)
        self.progress: dict[str, Any] = {"steps": 0, "gain": None, "loss": None}

    @torch.no_grad()
    def step(self, closure: Closure) -> Any:  # type: ignore[override]
        """Turn the weights; gives back the loss, after the step with blocking, else halfway between its two sides.

        Args:
            closure: computes the loss and returns it; it calls no backward.
        """
        options, steps = self.param_groups[0], self.progress["steps"]
        reach = options["perturbation"] / (steps + 1) ** GAMMA
        if self.progress["gain"] is None:
            estimates = [self._estimate(closure, reach)[0] for _ in range(-(-CALIBRATIONS // self.resamplings))]
            self.progress["gain"] = (options["stability"] + 1) ** ALPHA / max(float(np.abs(estimates).mean()), 1e-12)
        gain = options["lr"] * self.progress["gain"] / (steps + 1 + options["stability"]) ** ALPHA
        estimate, loss = self._estimate(closure, reach)
        move = -gain * estimate
        # Where the loss was flat at first, the gain is too large for what comes.
        move *= min(1.0, MOST_MOVE * options["lr"] / max(float(np.abs(move).mean()), 1e-300))
        self._take(move, closure, loss)
        self.progress["steps"] += 1
        return self.progress["loss"] if self.blocking is not None else loss

    def _estimate(self, closure: Closure, reach: float) -> tuple[np.ndarray, float]:
        """Of the gradient, and the loss halfway."""
        directions = [self._signs() for _ in range(self.resamplings)]
        slopes = [self._slope(closure, signs, reach) for signs in directions]
        estimate = sum(slope * signs for (slope, _), signs in zip(slopes, directions, strict=True)) / self.resamplings
        return np.asarray(estimate), float(np.mean([loss for _, loss in slopes]))

    def _take(self, move: np.ndarray, closure: Closure, loss: float) -> None:
        if self.blocking is None:
            return self._move(move)
        before = self.progress["loss"]
        before = float(closure()) if before is None else before
        self._move(move)
        after = float(closure())
        if after > before + self.blocking:
            self._move(-move)
            after = before
        self.progress["loss"] = after
        return None

    def _signs(self) -> np.ndarray:
        """Of all layers' weights; 0 for those that are frozen."""
        return np.concatenate([self._signs_of(layer) for layer in self.layers])

    def _signs_of(self, layer: QuantumLayer) -> np.ndarray:
        return self._random.choice([-1.0, 1.0], layer.weights.numel()) * layer.trained

    def _slope(self, closure: Closure, direction: np.ndarray, reach: float) -> tuple[float, float]:
        """Of the loss along a direction, and its mean."""
        self._move(reach * direction)
        above = float(closure())
        self._move(-2 * reach * direction)
        below = float(closure())
        self._move(reach * direction)
        return (above - below) / (2 * reach), (above + below) / 2

    def _move(self, by: np.ndarray) -> None:
        first = 0
        for layer in self.layers:
            count = layer.weights.numel()
            layer.weights.add_(torch.from_numpy(by[first : first + count]).to(layer.weights))
            first += count

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"progress": self.progress.copy(), "random": self._random.bit_generator.state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state_dict = dict(state_dict)
        self.progress = state_dict.pop("progress").copy()
        self._random.bit_generator.state = state_dict.pop("random")
        super().load_state_dict(state_dict)
