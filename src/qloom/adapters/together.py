"""What all layers of an adapter need is made at once, and once a step, however many layers, tokens and passes ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from qloom.adapters.form import Made

if TYPE_CHECKING:
    from qloom.adapters.tuner import AdaptedLinear


class Together:
    """The layers of one adapter, and what was last made of their numbers.

    Made anew when a number has changed, whoever changed it: all of them are compared, which is little beside a pass.
    """

    def __init__(self, adapter: str):
        self.adapter = adapter
        self.layers: list[AdaptedLinear] = []
        self._key: Any = None
        self._values: Tensor | None = None
        self._made: list[Made] = []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_key": None, "_values": None, "_made": []}

    def made_for(self, layer: AdaptedLinear) -> Made:
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return self._make_in_graph(layer)
        numbers = [number for each in self.layers for number in each.numbers(self.adapter).values()]
        key = _key_of(numbers)
        with torch.no_grad():
            values = torch.cat([number.reshape(-1) for number in numbers])
        if self._values is None or key != self._key or not torch.equal(values, self._values):
            self._made = self._make(numbers)
            self._key, self._values = key, values
        return self._made[self.layers.index(layer)]

    def _make(self, numbers: list[Tensor]) -> list[Made]:
        forms = [layer.forms[self.adapter] for layer in self.layers]
        names = [list(layer.numbers(self.adapter)) for layer in self.layers]

        def work(*flat: Tensor) -> list[Made]:
            left = iter(flat)
            return forms[0].make(forms, [{name: next(left) for name in each} for each in names])

        return _many_times(work, numbers)

    def _make_in_graph(self, layer: AdaptedLinear) -> Made:
        """Of a layer alone: a graph cannot ask whether numbers changed. The first layer may hold what all share."""
        layers = [layer] if layer is self.layers[0] else [self.layers[0], layer]
        forms = [each.forms[self.adapter] for each in layers]
        return forms[0].make(forms, [each.numbers(self.adapter) for each in layers])[-1]


def _key_of(numbers: Sequence[Tensor]) -> Any:
    """What must be the same besides the numbers: whose they are, and whether slopes are wanted."""
    slopes = torch.is_grad_enabled()
    return (
        [id(number) for number in numbers],
        [number.requires_grad and slopes for number in numbers],
        (torch.is_inference_mode_enabled()),
    )


def _many_times(work: Callable[..., list[Made]], numbers: list[Tensor]) -> list[Made]:
    """work(*numbers), whose derivatives may be asked for many times.

    Micro-batches of one step, and layers whose activations are computed again on the way back, each send slopes through
    what was made once.
    """
    if not (torch.is_grad_enabled() and any(number.requires_grad for number in numbers)):
        with torch.no_grad():
            return work(*numbers)
    shapes: list[int] = []
    flat = _ManyTimes.apply(work, shapes, *numbers)
    left = iter(flat)
    return [tuple(next(left) for _ in range(count)) for count in shapes]


class _ManyTimes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, work: Callable[..., list[Made]], shapes: list[int], *numbers: Tensor) -> tuple[Tensor, ...]:
        own = [
            number.detach().requires_grad_(wanted)
            for number, wanted in zip(numbers, ctx.needs_input_grad[2:], strict=True)
        ]
        # Not to be counted, or written to disk, with the activations of the layer that happened to ask first.
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(_as_is, _as_is):
            made = work(*own)
        shapes.extend(len(each) for each in made)
        flat = [tensor for each in made for tensor in each]
        ctx.which = [tensor.requires_grad for tensor in flat]
        ctx.graph = [each for each in own if each.requires_grad], [each for each in flat if each.requires_grad]
        return tuple(tensor.detach() for tensor in flat)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        own, made = ctx.graph
        wanted = [cotangent for cotangent, differs in zip(cotangents, ctx.which, strict=True) if differs]
        slopes = iter(torch.autograd.grad(made, own, wanted, retain_graph=True, allow_unused=True))
        return None, None, *(next(slopes) if needed else None for needed in ctx.needs_input_grad[2:])


def _as_is(tensor: Tensor) -> Tensor:
    return tensor
