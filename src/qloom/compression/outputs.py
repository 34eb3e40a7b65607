"""What compressed layers do to the outputs of the layers they replace, on a model's own activations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from qloom.compression.feeding import evaluated, feed
from qloom.errors import ConfigError


@torch.no_grad()
def output_errors(
    model: nn.Module, made: Mapping[nn.Module, nn.Module], batches: Iterable[Any]
) -> dict[nn.Module, float]:
    """Norm of the difference over norm of the outputs, by layer, all inputs of the batches taken together.

    Args:
        model: with its original layers, which are given their own inputs.
        made: original layer -> the one to take its place.
        batches: tensors, tuples or mappings.

    Raises:
        ConfigError: if there is no batch.
    """
    sums = {old: [0.0, 0.0] for old in made}
    handles = [old.register_forward_hook(partial(_add, sums[old], new), with_kwargs=True) for old, new in made.items()]
    count = 0
    try:
        with evaluated(model):
            for batch in batches:
                feed(model, batch)
                count += 1
    finally:
        for handle in handles:
            handle.remove()
    if not count:
        raise ConfigError("calibration gave no batch, expected at least one; give a list, not a generator used before")
    return {old: float((lost / whole) ** 0.5) for old, (lost, whole) in sums.items() if whole > 0}


def _add(
    sums: list[float], new: nn.Module, _: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], output: Tensor
) -> None:
    sums[0] += float((new(*inputs, **named) - output).double().square().sum())
    sums[1] += float(output.double().square().sum())
