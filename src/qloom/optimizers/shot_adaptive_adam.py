"""Adam that spends measurements where they are needed: on noisy derivatives, and more of them near the minimum.

With s_k measurements for the derivative by rotation k, of variance v_k a measurement, the gradient's squared error is
sum v_k / s_k. The fewest measurements that keep it at `noise` times the squared gradient are
s_k = sqrt(v_k) sum_j sqrt(v_j) / (noise |gradient|^2).

Source: Gu, Lowe, Dub, Coles, Arrasmith 2021, arXiv 2108.10434; Kuebler et al. 2020, Quantum 4, 263.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from qloom.errors import ConfigError
from qloom.gradients import ShotPlan
from qloom.nn import QuantumLayer
from qloom.optimizers.base import Closure, QuantumOptimizer

# Variances, which few measurements tell badly, are averaged over about 1 / (1 - MEMORY) steps.
MEMORY = 0.9


class ShotAdaptiveAdam(QuantumOptimizer):
    """Adam for layers that measure, which says how often each derivative is measured.

    Values and derivatives by inputs are measured with the layer's own `shots`.

    Args:
        model: a module, or several, with QuantumLayers that have shots.
        lr, betas, eps: as Adam's.
        noise: the squared error of a gradient that is put up with, in squared gradients; Adam averages over steps.
        fewest, most: measurements of each shifted circuit at a sample, at least 2.

    Raises:
        ConfigError: for layers without shots, or differentiated in another way than by parameter shift.

    Source: Kingma, Ba 2015, arXiv 1412.6980; Gu et al. 2021, arXiv 2108.10434.
    """

    def __init__(
        self, model: Any, lr: float = 0.01, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        noise: float = 10.0, fewest: int = 10, most: int = 10_000,
    ):  # fmt: skip
        if not (lr > 0 and noise > 0 and eps > 0 and len(betas) == 2 and all(0 <= beta < 1 for beta in betas)):
            raise ConfigError(
                f"lr={lr}, betas={betas}, eps={eps}, noise={noise}, expected positive numbers and two betas below 1"
            )
        if not 2 <= fewest <= most:
            raise ConfigError(f"fewest={fewest}, most={most}, expected at least 2 shots, and no more fewest than most")
        options = {"lr": lr, "betas": betas, "eps": eps, "noise": noise, "fewest": fewest, "most": most}
        super().__init__(model, options)
        exact = sum(layer.n_slopes == 0 for layer in self.layers)
        if exact:
            raise ConfigError(
                f"{exact} of {len(self.layers)} QuantumLayers measure no derivatives, expected shots and parameter "
                "shift; give QuantumLayer(..., shots=100), or use torch.optim.Adam for exact values"
            )
        self._plans = [self._plan(group, layer) for group, layer in zip(self.param_groups, self.layers, strict=True)]

    def _plan(self, group: dict[str, Any], layer: QuantumLayer) -> ShotPlan:
        """What a layer follows from now on; it begins with the layer's own shots, within bounds."""
        assert layer.shots is not None
        shots = np.full(layer.n_slopes, min(max(layer.shots, group["fewest"]), group["most"]))
        layer.follow(plan := ShotPlan(shots))
        return plan

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:  # type: ignore[override]
        """Turn the weights by their gradients. A closure clears them, computes the loss, calls backward, returns it."""
        loss = self.differentiate(closure)
        for number, (group, layer) in enumerate(zip(self.param_groups, self.layers, strict=True)):
            plan = self._plan_of(number)
            self.cost.evaluations += plan.runs
            self.cost.shots += plan.spent
            if layer.weights.grad is not None:
                gradient = self._turn(group, layer)
                if plan.spent:
                    self._allot(group, layer, plan, float(gradient.square().sum()))
            plan.restart()
        return loss

    def _plan_of(self, number: int) -> ShotPlan:
        """A new one where a circuit of other rotations was put in a layer's place.

        Raises:
            ConfigError: if the layer follows another optimizer meanwhile.
        """
        layer, plan = self.layers[number], self._plans[number]
        if layer.plan is plan:
            return plan
        if layer.plan is not None:
            raise ConfigError("a layer follows another ShotAdaptiveAdam, expected one optimizer a layer; step that one")
        self._plans[number] = self._plan(self.param_groups[number], layer)
        return plan

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget gradients, and the variances of their measurements; what they took stays counted.

        Args:
            set_to_none: whether gradients become None, or 0.
        """
        super().zero_grad(set_to_none)
        for plan in self._plans:
            plan.variances[:] = 0

    def _turn(self, group: dict[str, Any], layer: QuantumLayer) -> torch.Tensor:
        """A step of Adam; the mean gradient it takes."""
        weights, gradient, state = layer.weights, layer.weights.grad, self.state[layer.weights]
        assert gradient is not None
        if not torch.isfinite(gradient).all():
            raise ConfigError(
                f"a gradient holds NaN or infinity, expected finite numbers; lower lr (now {group['lr']})"
            )
        if not state:
            state |= {"step": 0, "mean": torch.zeros_like(weights), "square": torch.zeros_like(weights)}
        state["step"] += 1
        (first, second), count = group["betas"], state["step"]
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient.square(), 1 - second)
        mean, square = state["mean"] / (1 - first**count), state["square"] / (1 - second**count)
        weights.sub_(group["lr"] * mean / (square.sqrt() + group["eps"]))
        return mean

    def _allot(self, group: dict[str, Any], layer: QuantumLayer, plan: ShotPlan, squared_gradient: float) -> None:
        """Measurements for the next step, by the variances and the gradient of the last ones."""
        state = self.state[layer.weights]
        measured = torch.from_numpy(plan.variances).to(layer.weights.dtype)
        before = state.get("variances")
        if before is None or len(before) != len(measured):
            before = measured
        state["variances"] = torch.lerp(measured, before, MEMORY)
        spreads = state["variances"].double().sqrt().numpy()
        wanted = spreads * spreads.sum() / max(group["noise"] * squared_gradient, 1e-300)
        plan.shots[:] = np.ceil(np.clip(wanted, group["fewest"], group["most"])).astype(int)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"shots": [plan.shots.tolist() for plan in self._plans]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state_dict = dict(state_dict)
        shots = state_dict.pop("shots", [])
        if list(map(len, shots)) != [len(plan.shots) for plan in self._plans]:
            raise ConfigError(
                f"state_dict has shots of {len(shots)} layers, expected those of a ShotAdaptiveAdam of the same layers"
            )
        for plan, kept in zip(self._plans, shots, strict=True):
            plan.shots[:] = kept
        super().load_state_dict(state_dict)
