"""Adapters under FSDP: angles of all layers are run together, so every process holds all of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qloom.adapters.tuner import AdaptedLinear


def replicated(model: nn.Module) -> set[nn.Parameter]:
    """The numbers of our adapters, which FSDP must leave whole, and sums of their slopes over processes.

    Give what comes back as `ignored_params` to `fully_shard`, or as `ignored_states` to `FullyShardedDataParallel`,
    once, before an optimizer is made. They are few; slopes become means over processes as they arrive, as for all other
    parameters under FSDP.

    Args:
        model: with adapters of ours, on every process.
    """
    numbers = {
        parameter
        for layer in model.modules()
        if isinstance(layer, AdaptedLinear)
        for adapter in layer.forms
        for parameter in layer._numbers[adapter].parameters()
    }
    for parameter in numbers:
        parameter.register_post_accumulate_grad_hook(_mean_over_processes)
    return numbers


def _mean_over_processes(parameter: Tensor) -> None:
    if parameter.grad is not None and torch.distributed.is_initialized():
        torch.distributed.all_reduce(parameter.grad)
        parameter.grad /= torch.distributed.get_world_size()
