"""What all layers of an adapter need is made at once, and once a step, however many layers, tokens and passes ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from qloom.adapters.form import Made
from qloom.errors import UnsupportedError

if TYPE_CHECKING:
    from qloom.adapters.tuner import AdaptedLinear


class Together:
    """The layers of one adapter, and what was last made of their numbers.

    Made anew when a number has changed. The first layer, which every pass asks, compares the values of all, since not
    every change moves torch's counters of versions; each other one these counters, of its own numbers.
    """

    def __init__(self, adapter: str):
        self.adapter = adapter
        self.layers: list[AdaptedLinear] = []
        self._keys: list[Any] = []
        self._values: list[Tensor] = []
        self._made: list[Made] = []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_keys": [], "_values": [], "_made": []}

    def made_for(self, layer: AdaptedLinear) -> Made:
        """Raise UnsupportedError for a replica, which has no place among the layers."""
        if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
            return self._make_in_graph(layer)
        place = next((k for k, each in enumerate(self.layers) if each is layer), None)
        if place is None:
            raise UnsupportedError(
                "adapters made of circuits in a replica of nn.DataParallel, expected the model itself; use a process a "
                "device, as torchrun starts them, with DistributedDataParallel"
            )
        if len(self._made) != len(self.layers) or not self._is_fresh(place):
            self._make()
        return self._made[place]

    def forget(self) -> None:
        """Let go of what was made."""
        self._keys, self._values, self._made = [], [], []

    def _is_fresh(self, place: int) -> bool:
        if any(self._keys[k] != _key_of(self._numbers(k)) for k in {0, place}):
            return False
        return place > 0 or all(map(torch.equal, self._all_numbers(), self._values))

    def _numbers(self, place: int) -> list[Tensor]:
        return list(self.layers[place].numbers(self.adapter).values())

    def _all_numbers(self) -> list[Tensor]:
        return [number for place in range(len(self.layers)) for number in self._numbers(place)]

    def _make(self) -> None:
        forms = [layer.forms[self.adapter] for layer in self.layers]
        names = [list(layer.numbers(self.adapter)) for layer in self.layers]
        devices = [self._numbers(place)[0].device for place in range(len(self.layers))]
        numbers = self._all_numbers()

        def work(*flat: Tensor) -> list[Made]:
            left = (number.to(devices[0]) for number in flat)  # layers may be on several devices
            made = forms[0].make(forms, [{name: next(left) for name in each} for each in names])
            return [tuple(part.to(device) for part in each) for each, device in zip(made, devices, strict=True)]

        self._keys = [_key_of(self._numbers(place)) for place in range(len(self.layers))]
        self._values = [number.detach().clone() for number in numbers]
        with in_full_precision():
            self._made = _many_times(work, numbers)

    def _make_in_graph(self, layer: AdaptedLinear) -> Made:
        """Of a layer alone: a graph cannot ask whether numbers changed. The first layer may hold what all share."""
        layers = [layer] if layer is self.layers[0] else [self.layers[0], layer]
        forms = [each.forms[self.adapter] for each in layers]
        with in_full_precision():
            return forms[0].make(forms, [each.numbers(self.adapter) for each in layers])[-1]


@contextmanager
def in_full_precision() -> Iterator[None]:
    """Without autocast, whose digits are too few for angles and for differences from the identity."""
    with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
        yield


def _key_of(numbers: Sequence[Tensor]) -> Any:
    """Whose numbers they are and which version, in what precision, and whether slopes are wanted."""
    slopes = torch.is_grad_enabled()
    each = [(id(n), 0 if n.is_inference() else n._version, n.dtype, n.requires_grad and slopes) for n in numbers]
    return each, torch.is_inference_mode_enabled()


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
        wanted = ctx.needs_input_grad[2:]
        own = [number.detach().requires_grad_(wants) for number, wants in zip(numbers, wanted, strict=True)]
        # Not to be counted, or written to disk, with the activations of the layer that happened to ask first.
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(_packed, _unpacked):
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


def _packed(tensor: Tensor) -> tuple[Tensor, int]:
    return tensor.detach(), tensor._version


def _unpacked(kept: tuple[Tensor, int]) -> Tensor:
    """torch's own check, which hooks replace."""
    tensor, version = kept
    if tensor._version != version:
        raise RuntimeError(
            "numbers of an adapter were changed in place between the passes forward and back, expected the same; step "
            "the optimizer after backward"
        )
    return tensor
