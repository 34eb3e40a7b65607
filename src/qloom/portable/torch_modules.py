"""Steps as torch modules: a table beside `ordinary.STEPS`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.nn import QuantumLayer
from qloom.portable.steps import AnyStep, CircuitStep, Step

_FIXED = ("inputs", "units", "degrees", "outputs")


class StepModule(nn.Module):
    """One ordinary step; its arrays are buffers of the dtype it computes in."""

    def __init__(self, step: Step, dtype: torch.dtype):
        super().__init__()
        self.kind, self.dtype = step.kind, dtype
        self.sizes = {name: array.item() for name, array in step.arrays.items() if array.shape == ()}
        # What the graph hangs on is part of it; other arrays are buffers.
        self.lists = {name: array.tolist() for name, array in step.arrays.items() if name.split(".")[-1] in _FIXED}
        for name, array in step.arrays.items():
            if array.shape and name not in self.lists:
                kept = dtype if np.issubdtype(array.dtype, np.floating) else torch.int64
                self.register_buffer(name.replace(".", "_"), torch.tensor(np.ascontiguousarray(array), dtype=kept))

    def forward(self, x: Tensor) -> Tensor:
        return MODULES[self.kind](self, x.to(self.dtype))


def _residual(m: Any, x: Tensor) -> Tensor:
    hidden = torch.tanh(x @ m.down.T + m.hidden_shifts)
    carried = (x * m.gains)[:, torch.arange(len(m.up)) % x.shape[1]]
    return torch.tanh(carried + hidden @ m.up.T + m.output_shifts)


def _trees(m: Any, x: Tensor) -> Tensor:
    each = torch.arange(len(m.value))
    node = torch.zeros((x.shape[0], len(each)), dtype=torch.int64)
    for _ in range(int(m.sizes["depth"])):
        low = x.gather(1, m.feature[each, node]) <= m.threshold[each, node]
        node = torch.where(low, m.left[each, node], m.right[each, node])
    return m.baseline + m.value[each, node] @ m.share


def _products(parts: Sequence[Tensor], x: Tensor) -> Tensor:
    start = torch.ones_like(x[:, :1])
    return reduce(lambda out, part: (out[:, :, None] * part[:, None, :]).flatten(1), parts, start)


def _waves(x: Tensor, unit: float, degree: int) -> Tensor:
    phases = torch.arange(1, degree + 1, dtype=x.dtype) * (unit * x)[:, None]
    both = torch.stack([torch.cos(phases), torch.sin(phases)], dim=2).flatten(1)
    return torch.cat([torch.ones_like(x[:, None]), both], dim=1)


def _polynomial(m: Any, x: Tensor) -> Tensor:
    values, places = [], []
    for group in range(int(m.sizes["n_groups"])):
        inputs, units, degrees, outputs = (m.lists[f"{group}.{name}"] for name in _FIXED)
        coefficients = getattr(m, f"{group}_coefficients")
        each = [
            _waves(x[:, i], u, d)
            for i, u, d in zip(inputs, units, degrees, strict=True)
        ]  # fmt: skip
        split = int(m.sizes[f"{group}.split"])
        inner = (_products(each[:split], x) @ coefficients.flatten(1)).unflatten(1, coefficients.shape[1:])
        values.append((inner * _products(each[split:], x)[:, :, None]).sum(dim=1))
        places += outputs
    order = sorted(range(len(places)), key=places.__getitem__)
    return torch.cat(values, dim=1)[:, order]


def _words(m: Any, x: Tensor) -> Tensor:
    phases = m.scales * x[:, m.lists["inputs"]] + m.offsets
    columns = torch.stack([torch.cos(phases), torch.sin(phases)], dim=2).flatten(1)
    columns = torch.cat([torch.ones_like(x[:, :1]), columns], dim=1)
    term = torch.ones_like(x[:, :1])
    for k in range(m.factors.shape[1]):
        term = term * columns[:, m.factors[:, k]]
    return term.expand(-1, len(m.factors)) @ m.coefficients


def _target(m: Any, x: Tensor) -> Tensor:
    s = m.sizes
    coded = (x[:, :1] + m.residuals) * s["scale"] + s["mean"]
    within = coded if s["kind"] == "none" else coded.clamp(s["low"], s["high"])
    if s["kind"] == "log":
        within = torch.exp(within)
    elif s["kind"] == "power":
        negative = -_power_back((-within).clamp(min=0), 2 - s["exponent"])
        within = s["unit"] * torch.where(within < 0, negative, _power_back(within.clamp(min=0), s["exponent"]))
    return within.mean(dim=1)


def _power_back(x: Tensor, exponent: float) -> Tensor:
    return torch.expm1(x if exponent == 0 else torch.log1p(exponent * x) / exponent)


MODULES: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "affine": lambda m, x: nn.functional.linear(x, m.weight, m.bias),
    "silu": lambda m, x: nn.functional.silu(x),
    "angles": lambda m, x: math.pi * torch.tanh(x),
    "residual": _residual,
    "trees": _trees,
    "polynomial": _polynomial,
    "words": _words,
    "softmax": lambda m, x: torch.softmax(x, dim=1),
    "exponential": lambda m, x: torch.exp(x),
    "target": _target,
}


def as_module(steps: Sequence[AnyStep], dtype: torch.dtype) -> nn.Module:
    """The steps one after the other; a circuit is a `QuantumLayer`."""
    return nn.Sequential(*(_module(step, dtype) for step in steps)).eval()


def _module(step: AnyStep, dtype: torch.dtype) -> nn.Module:
    if isinstance(step, Step):
        return StepModule(step, dtype)
    assert isinstance(step, CircuitStep)
    return QuantumLayer(step.circuit, step.observables, engine=step.engine, init=step.weights, dtype=dtype)


class Chain(nn.Module):
    """Steps in one precision, then those that read the outputs in double."""

    def __init__(self, steps: Sequence[AnyStep], readout: Sequence[Step], dtype: torch.dtype):
        super().__init__()
        self.network = as_module(steps, dtype)
        self.readout = as_module(readout, torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.network(x))  # type: ignore[no-any-return]
