"""Batches into models, whatever both are, with a model's modes as they were afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn


def feed(model: nn.Module, batch: Any) -> Any:
    """The model's answer to a tensor, to a tuple of arguments or to a mapping of named ones."""
    if isinstance(batch, Mapping):
        return model(**batch)
    return model(*batch) if isinstance(batch, tuple | list) else model(batch)


@contextmanager
def evaluated(*models: nn.Module) -> Iterator[None]:
    """Dropout off inside the block; every module's mode as before after it."""
    modes = {module: module.training for model in models for module in model.modules()}
    for model in models:
        model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
