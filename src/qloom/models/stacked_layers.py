"""Layers of R networks at once, forward and back: weights (R, ...), numbers (R, B, .).

What one network computes does not depend, bit by bit, on those beside it: a matrix product is of one shape a network,
sums go over its own rows alone, and B is a multiple of `ROWS`, so that no number is left to a kernel's scalar rest in
one stack and not in another.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from qloom.models.controls import ClassicalLayer
from qloom.models.hybrid import BoundedAngles
from qloom.nn import QuantumLayer
from qloom.nn.arrays import backward, forward

# Twice the numbers in the widest vector: kernels take so many at a time.
ROWS = 32
_DRAWS = 1 << 16


@dataclass(frozen=True)
class Batch:
    """What a step is made of, beside its numbers.

    Attributes:
        counts: rows of each network; those after them, up to B, are filled with zeros.
        random: a generator a network.
    """

    counts: Sequence[int]
    random: Sequence[np.random.Generator]


class StackedParameter:
    """A parameter of each of R networks, which look into one tensor from then on.

    Attributes:
        values, slopes: (R, ...), filled with zeros up to `shape`.
        own: the networks' parameters.
    """

    def __init__(self, own: Sequence[Tensor], shape: Sequence[int] | None = None):
        self.own = tuple(own)
        self.shape = tuple(shape or own[0].shape)
        self.values = self.gathered([parameter.detach() for parameter in own])
        self.slopes = torch.zeros_like(self.values)
        for parameter, values in zip(own, self.values, strict=True):
            parameter.data = cropped(values, parameter)

    @property
    def trained(self) -> bool:
        return self.own[0].requires_grad

    def gathered(self, tensors: Sequence[Tensor]) -> Tensor:
        """(R, *shape) of tensors that are no larger, zeros around them."""
        whole = tensors[0].new_zeros(len(tensors), *self.shape)
        for place, tensor in zip(whole, tensors, strict=True):
            cropped(place, tensor).copy_(tensor)
        return whole

    def release(self) -> None:
        """Give each network a tensor of its own again."""
        for parameter in self.own:
            parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)


def cropped(whole: Tensor, like: Tensor) -> Tensor:
    """The corner of a tensor that has the size of another."""
    return whole[tuple(slice(size) for size in like.shape)]


class StackedLayer(ABC):
    """One layer of R networks. `forward` keeps what `backward` needs.

    Attributes:
        parameters: its weights.
        onward: whether something trained comes before it, so that slopes of what it was given are wanted.
    """

    parameters: tuple[StackedParameter, ...] = ()
    onward = True

    @property
    def trained(self) -> bool:
        """Whether any weight is."""
        return any(parameter.trained for parameter in self.parameters)

    @abstractmethod
    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        """Shapes: (R, B, I) -> (R, B, O)."""

    @abstractmethod
    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        """Slopes of weights, into their place, and of what was given, if wanted.

        Shapes: (R, B, O) -> (R, B, I).
        """


class StackedLinear(StackedLayer):
    """`nn.Linear`; its inputs may be wider than those of some networks, with zeros at the end."""

    def __init__(self, modules: Sequence[nn.Linear], n_inputs: int | None = None):
        first = modules[0]
        self.weight = StackedParameter([m.weight for m in modules], (first.out_features, n_inputs or first.in_features))
        self.bias = StackedParameter([m.bias for m in modules])
        self.parameters = (self.weight, self.bias)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.x = x
        return torch.baddbmm(self.bias.values.unsqueeze(1), x, self.weight.values.mT)

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        if self.trained:
            torch.bmm(slopes.mT, self.x, out=self.weight.slopes)
            torch.sum(slopes, 1, out=self.bias.slopes)
        return torch.bmm(slopes, self.weight.values) if self.onward else None


class StackedSiLU(StackedLayer):
    """`nn.SiLU`: y = x s with s = sigmoid(x), dy/dx = s + y (1 - s)."""

    def __init__(self, modules: Sequence[nn.SiLU]):
        pass

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.sigmoid = torch.sigmoid(x)
        self.outputs = x * self.sigmoid
        return self.outputs

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        return torch.addcmul(self.sigmoid, self.outputs, 1 - self.sigmoid).mul_(slopes)


class StackedAngles(StackedLayer):
    """`BoundedAngles`."""

    def __init__(self, modules: Sequence[BoundedAngles]):
        pass

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.squashed = torch.tanh(x)
        return math.pi * self.squashed

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        found: Tensor = torch.ops.aten.tanh_backward(slopes, self.squashed)
        return found.mul_(math.pi)


class StackedDropout(StackedLayer):
    """`nn.Dropout`, each network with numbers of its own; the share is rounded to 16 bits."""

    def __init__(self, modules: Sequence[nn.Dropout]):
        self.left_out = round(modules[0].p * _DRAWS)
        self.scale = _DRAWS / (_DRAWS - self.left_out) if self.left_out < _DRAWS else 0.0

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        if not self.left_out:
            return x
        n_words = -(-x[0].numel() // 4)
        drawn = np.stack([random.bit_generator.random_raw(n_words) for random in batch.random]).view(np.int16)
        kept = torch.from_numpy(drawn[:, : x[0].numel()]) >= self.left_out - _DRAWS // 2
        self.factors = kept.to(x.dtype).mul_(self.scale).view(x.shape)
        return x * self.factors

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        return slopes * self.factors if self.left_out else slopes


class StackedClassical(StackedLayer):
    """`ClassicalLayer`, by autograd over the stacked weights."""

    def __init__(self, modules: Sequence[ClassicalLayer]):
        self.first = modules[0]
        self.names = [name for name, _ in self.first.named_parameters()]
        self.parameters = tuple(StackedParameter([m.get_parameter(name) for m in modules]) for name in self.names)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.x = x.detach().requires_grad_(self.onward)
        self.leaves = [p.values.detach().requires_grad_(p.trained) for p in self.parameters]
        with torch.enable_grad():
            self.outputs = self.first.of(self.x, **dict(zip(self.names, self.leaves, strict=True)))
        return self.outputs.detach()

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        wanted = [*([self.x] if self.onward else []), *(self.leaves if self.trained else [])]
        found = list(torch.autograd.grad(self.outputs, wanted, slopes))
        back = found.pop(0) if self.onward else None
        for parameter, slope in zip(self.parameters, found, strict=False):
            parameter.slopes.copy_(slope)
        return back


class StackedCircuits(StackedLayer):
    """`QuantumLayer`: a walk of the engine for each network, forward and back."""

    def __init__(self, modules: Sequence[QuantumLayer]):
        self.evaluators = [module.evaluator for module in modules]
        self.weights = StackedParameter([module.weights for module in modules])
        self.parameters = (self.weights,)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        keep = self.onward or self.trained
        outputs = x.new_zeros(*x.shape[:2], self.evaluators[0].n_outputs)
        self.runs: list[tuple[Any, ...]] = []
        for r, (evaluator, count) in enumerate(zip(self.evaluators, batch.counts, strict=True)):
            given = x[r, :count], self.weights.values[r]
            outputs[r, :count], kept = forward(evaluator, *given, keep)
            self.runs.append((evaluator, *given, kept))
        return outputs

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        back = slopes.new_zeros(*slopes.shape[:2], self.runs[0][1].shape[-1]) if self.onward else None
        for r, ((evaluator, x, weights, kept), count) in enumerate(zip(self.runs, batch.counts, strict=True)):
            wants = self.onward, self.trained
            d_inputs, d_weights = backward(evaluator, x, weights, slopes[r, :count], kept, wants)
            if back is not None and d_inputs is not None:
                back[r, :count] = d_inputs
            if d_weights is not None:
                self.weights.slopes[r] = d_weights
        self.runs = []
        return back


class OneByOne(StackedLayer):
    """Modules that are not known here: one network after the other, by autograd."""

    def __init__(self, modules: Sequence[nn.Module]):
        self.modules = modules
        self.names = [name for name, _ in modules[0].named_parameters()]
        self.parameters = tuple(StackedParameter([m.get_parameter(name) for m in modules]) for name in self.names)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.runs = [self._run(*each) for each in zip(self.modules, x, batch.counts, strict=True)]
        outputs = x.new_zeros(*x.shape[:2], self.runs[0][1].shape[-1])
        for place, (_, values), count in zip(outputs, self.runs, batch.counts, strict=True):
            place[:count] = values.detach()
        return outputs

    def _run(self, module: nn.Module, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
        given = x[:count].detach().requires_grad_(self.onward)
        with torch.enable_grad():
            return given, module(given)

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        back: Tensor | None = None
        for r, ((given, values), count) in enumerate(zip(self.runs, batch.counts, strict=True)):
            trained = [parameter for parameter in self.parameters if parameter.trained]
            wanted = [*([given] if self.onward else []), *(parameter.own[r] for parameter in trained)]
            found = list(torch.autograd.grad(values, wanted, slopes[r, :count]))
            if self.onward:
                back = slopes.new_zeros(*slopes.shape[:2], given.shape[-1]) if back is None else back
                back[r, :count] = found.pop(0)
            for parameter, slope in zip(trained, found, strict=True):
                parameter.slopes[r] = slope
        return back


# How a module is stacked, and what of it must agree.
STACKED: dict[type[nn.Module], tuple[Callable[[Any], StackedLayer], Callable[[Any], tuple[Any, ...]]]] = {
    nn.Linear: (StackedLinear, lambda m: (m.in_features, m.out_features)),
    nn.SiLU: (StackedSiLU, lambda m: ()),
    BoundedAngles: (StackedAngles, lambda m: ()),
    nn.Dropout: (StackedDropout, lambda m: (m.p,)),
    ClassicalLayer: (StackedClassical, lambda m: (m.n_inputs, m.n_outputs, sum(p.numel() for p in m.parameters()))),
    QuantumLayer: (StackedCircuits, lambda m: (m.n_inputs, m.n_outputs, m.weights.numel())),
}
