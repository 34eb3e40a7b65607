"""What an adapted model is made of, weight by weight."""

from __future__ import annotations

from typing import Any, NamedTuple

from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from qloom.adapters.tuner import AdaptedLinear


class AdaptedWeight(NamedTuple):
    """A weight and its adapter.

    Attributes:
        name: of the layer.
        shape: (D_out, D_in).
        n_numbers: that are trained.
        sizes: in words, and what was padded.
    """

    name: str
    shape: tuple[int, int]
    n_numbers: int
    sizes: str


def adapter_table(model: nn.Module, adapter: str = "default") -> list[AdaptedWeight]:
    """The weights that an adapter of ours changes.

    Args:
        model: with the adapter in it.
        adapter: its name.

    Returns:
        Of each weight the name of its layer, its shape (D_out, D_in), the numbers that are trained, and sizes in words.
    """
    return [
        AdaptedWeight(name, (layer.out_features, layer.in_features), _count(layer, adapter), form.described())
        for name, layer in model.named_modules()
        if isinstance(layer, AdaptedLinear) and (form := layer.forms.get(adapter)) is not None
    ]


def trained_numbers(model: nn.Module) -> int:
    """How many numbers of adapters, of any kind that peft has, are trained: heads are not counted."""
    layers: list[Any] = [layer for layer in model.modules() if isinstance(layer, BaseTunerLayer)]
    inside = {id(p): p for layer in layers for n, p in layer.named_parameters() if not n.startswith("base_layer.")}
    return sum(parameter.numel() for parameter in inside.values() if parameter.requires_grad)


def _count(layer: AdaptedLinear, adapter: str) -> int:
    return sum(number.numel() for number in layer.numbers(adapter).values())
