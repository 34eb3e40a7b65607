"""Layers of R networks at once, forward and back: weights (R, ...), numbers (R, B, .).

What one network computes does not depend, bit by bit, on those beside it: perceptrons and circuits are walked network
by network; elsewhere a matrix product is of one shape a network, sums go over its own rows alone, and B is a multiple
of `ROWS`, so that no number is left to a kernel's scalar rest in one stack and not in another.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from qloom import _native
from qloom.models.tables.controls import ClassicalLayer
from qloom.models.tables.hybrid import BoundedAngles
from qloom.nn import QuantumLayer
from qloom.nn.arrays import backward, forward

# Twice the numbers in the widest vector: kernels take so many at a time.
ROWS = 32

# Of every parameter of a network that was trained: exp_avg and exp_avg_sq, shaped as it is, and step, ().
Moments = dict[Tensor, dict[str, Tensor]]


class Spring(NamedTuple):
    """What holds a parameter w: the loss has stiffness (w - anchor)^2 / 2 beside it. Both are shaped as w."""

    stiffness: Tensor
    anchor: Tensor


@dataclass(frozen=True)
class Batch:
    """What a step is made of, beside its numbers.

    Attributes:
        counts: rows of each network; those after them, up to B, are filled with zeros.
        random: a generator a network.
        before: rows of the same step that other workers walk and that stand before these, of each network; none where
            there are no others.
    """

    counts: Sequence[int]
    random: Sequence[np.random.Generator]
    before: Sequence[int] = ()


class StackedWeights:
    """The parameters of a module of each of R networks, which look into one tensor from then on.

    Attributes:
        values, slopes: (R, P), the parameters of a module one after the other.
        own: the networks' parameters.
    """

    def __init__(self, modules: Sequence[nn.Module]):
        self.own = tuple(tuple(module.parameters()) for module in modules)
        self.names = [name for name, _ in modules[0].named_parameters()]
        self.values = self.joined(self.own)
        self.slopes = torch.zeros_like(self.values)
        for parameters, values in zip(self.own, self.values, strict=True):
            for parameter, value in zip(parameters, self.parts(values), strict=True):
                parameter.data = value

    def parts(self, joined: Tensor) -> list[Tensor]:
        """Each parameter's place in values, slopes or moments.

        Shapes: (P,) or (R, P) -> the parameters', or (R, ...).
        """
        first = self.own[0]
        pieces = joined.split([parameter.numel() for parameter in first], -1)
        return [piece.view(*joined.shape[:-1], *p.shape) for piece, p in zip(pieces, first, strict=True)]

    def moments(self, states: Sequence[Moments], name: str) -> Tensor:
        """A moment of every parameter, (R, P), into which the states look from then on; zeros before the first step."""
        found = [
            [state.setdefault(p, {}).get(name, torch.zeros_like(p)) for p in parameters]
            for state, parameters in zip(states, self.own, strict=True)
        ]
        whole = self.joined(found)
        for state, parameters, joined in zip(states, self.own, whole, strict=True):
            for parameter, part in zip(parameters, self.parts(joined), strict=True):
                state[parameter][name] = part
        return whole

    def joined(self, given: Sequence[Sequence[Tensor]]) -> Tensor:
        """One tensor (R, P) of tensors shaped as the parameters of each network."""
        return torch.stack([_joined(tensors) for tensors in given])

    def release(self) -> None:
        """Give each network tensors of its own again."""
        for parameters in self.own:
            for parameter in parameters:
                parameter.data = parameter.data.clone()


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


class StackedLayer(ABC):
    """One part of R networks. `forward` keeps what `backward` needs.

    Attributes:
        weights: of its modules; None if they have none.
        trained: whether they are: parts of a network are trained or frozen as a whole.
        onward: whether something trained comes before it, so that slopes of what it was given are wanted.
    """

    onward = True

    def __init__(self, modules: Sequence[Any]):
        self.modules = modules
        self.weights = StackedWeights(modules) if next(modules[0].parameters(), None) is not None else None
        self.trained = any(parameter.requires_grad for parameter in modules[0].parameters())

    @abstractmethod
    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        """Shapes: (R, B, I) -> (R, B, O)."""

    @abstractmethod
    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        """Slopes of weights, into their place, and of what was given, if wanted.

        Shapes: (R, B, O) -> (R, B, I).
        """


class StackedPerceptron(StackedLayer):
    """`make_encoder` and `heads.make_perceptron`: one native pass forward and one back."""

    weights: StackedWeights

    def __init__(self, modules: Sequence[nn.Sequential]):
        super().__init__(modules)
        shape = perceptron_shape(modules[0])
        assert shape is not None
        self.native, self.n_outputs = _native.Perceptrons(len(modules), *shape), shape.n_outputs
        self.drops = shape.left_out > 0

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.given = x.contiguous()
        seeds = [random.bit_generator.random_raw() if self.drops else 0 for random in batch.random]
        outputs = x.new_empty(*x.shape[:2], self.n_outputs)
        self.native.forward(self.weights.values, self.given, seeds, outputs, batch.before)
        return outputs

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        back = torch.empty_like(self.given) if self.onward else None
        d_weights = self.weights.slopes if self.trained else None
        self.native.backward(self.weights.values, slopes.contiguous(), d_weights, back)
        return back


class PerceptronShape(NamedTuple):
    """Sizes of a perceptron, whether its outputs are angles, and the share of hidden units left out."""

    n_inputs: int
    width: int
    n_outputs: int
    angles: bool
    left_out: float


def perceptron_shape(module: nn.Module) -> PerceptronShape | None:
    """Of linear, SiLU, perhaps dropout, linear, perhaps angles, in single precision; None for another module."""
    inner = list(module) if type(module) is nn.Sequential else []
    kinds = [type(layer) for layer in inner]
    angles, dropout = BoundedAngles in kinds, nn.Dropout in kinds
    expected = [nn.Linear, nn.SiLU, *[nn.Dropout] * dropout, nn.Linear, *[BoundedAngles] * angles]
    if kinds != expected or any(p.dtype != torch.float32 for p in module.parameters()):
        return None
    first, second = (layer for layer in inner if isinstance(layer, nn.Linear))
    left_out = next((layer.p for layer in inner if isinstance(layer, nn.Dropout)), 0.0)
    return PerceptronShape(first.in_features, first.out_features, second.out_features, angles, left_out)


class StackedClassical(StackedLayer):
    """`ClassicalLayer`, by autograd over the stacked weights."""

    weights: StackedWeights
    modules: Sequence[ClassicalLayer]

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.x = x.detach().requires_grad_(self.onward)
        self.leaves = [p.detach().requires_grad_(self.trained) for p in self.weights.parts(self.weights.values)]
        with torch.enable_grad():
            self.outputs = self.modules[0].of(self.x, **dict(zip(self.weights.names, self.leaves, strict=True)))
        return self.outputs.detach()

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        wanted = [*([self.x] if self.onward else []), *(self.leaves if self.trained else [])]
        found = list(torch.autograd.grad(self.outputs, wanted, slopes))
        back = found.pop(0) if self.onward else None
        for place, slope in zip(self.weights.parts(self.weights.slopes), found, strict=False):
            place.copy_(slope)
        return back


class StackedCircuits(StackedLayer):
    """`QuantumLayer`: a walk of the engine for each network, forward and back."""

    weights: StackedWeights

    def __init__(self, modules: Sequence[QuantumLayer]):
        super().__init__(modules)
        self.evaluators = [module.evaluator for module in modules]

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        keep = self.onward or self.trained
        self.runs: list[tuple[Any, ...]] = []
        outputs = list[Tensor]()
        for evaluator, rows, weights, count in zip(self.evaluators, x, self.weights.values, batch.counts, strict=True):
            given = rows[:count], weights
            values, kept = forward(evaluator, *given, keep)
            self.runs.append((evaluator, *given, kept))
            outputs.append(values)
        return _stacked(outputs, x.shape[1])

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        wants, back = (self.onward, self.trained), list[Tensor]()
        for r, ((evaluator, x, weights, kept), count) in enumerate(zip(self.runs, batch.counts, strict=True)):
            d_inputs, d_weights = backward(evaluator, x, weights, slopes[r, :count], kept, wants)
            if d_inputs is not None:
                back.append(d_inputs)
            if d_weights is not None:
                self.weights.slopes[r] = d_weights
        self.runs = []
        return _stacked(back, slopes.shape[1]) if back else None


class OneByOne(StackedLayer):
    """Modules that are not known here: one network after the other, by autograd."""

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        self.runs = [self._run(*each) for each in zip(self.modules, x, batch.counts, strict=True)]
        return _stacked([values.detach() for _, values in self.runs], x.shape[1])

    def _run(self, module: nn.Module, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
        given = x[:count].detach().requires_grad_(self.onward)
        with torch.enable_grad():
            return given, module(given)

    def backward(self, slopes: Tensor, batch: Batch) -> Tensor | None:
        back = list[Tensor]()
        for r, ((given, values), count) in enumerate(zip(self.runs, batch.counts, strict=True)):
            own = self.weights.own[r] if self.weights is not None and self.trained else ()
            wanted = [*([given] if self.onward else []), *own]
            found = list(torch.autograd.grad(values, wanted, slopes[r, :count]))
            if self.onward:
                back.append(found.pop(0))
            if self.weights is not None and own:
                self.weights.slopes[r] = _joined(found)
        return _stacked(back, slopes.shape[1]) if back else None


def _stacked(rows: Sequence[Tensor], n_rows: int) -> Tensor:
    """(B, O) each -> (R, n_rows, O), zeros below; no copy of one that is filled up."""
    if len(rows) == 1 and len(rows[0]) == n_rows:
        return rows[0].unsqueeze(0)
    whole = rows[0].new_zeros(len(rows), n_rows, rows[0].shape[1])
    for place, given in zip(whole, rows, strict=True):
        place[: len(given)] = given
    return whole


def kind_of(module: nn.Module) -> tuple[type[StackedLayer], Hashable]:
    """How a part of a network is stacked, and what of it must agree."""
    if shape := perceptron_shape(module):
        return StackedPerceptron, shape
    if type(module) is ClassicalLayer:
        return StackedClassical, (module.n_inputs, module.n_outputs, sum(p.numel() for p in module.parameters()))
    if type(module) is QuantumLayer:
        return StackedCircuits, (module.n_inputs, module.n_outputs, module.weights.numel())
    return OneByOne, None
