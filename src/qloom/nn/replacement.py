"""Layers of an existing model exchanged by name."""

from __future__ import annotations

from difflib import get_close_matches

from torch import nn

from qloom.errors import ConfigError


def replace(model: nn.Module, name: str, layer: nn.Module) -> nn.Module:
    """Put a layer in the place of the one called `name`, and give that one back.

    Args:
        model: changed in place.
        name: as in ``model.named_modules()``, such as "encoder.2".
        layer: takes what the old one took and gives what it gave.

    Raises:
        ConfigError: if the model has no such layer.
    """
    known = dict(model.named_modules())
    if not name or name not in known:
        near = get_close_matches(name, known, n=3)
        hint = f"; near it: {', '.join(near)}" if near else f"; it has {', '.join(filter(None, known))}"
        raise ConfigError(f"{type(model).__name__} has no layer {name!r}{hint}")
    parent, _, last = name.rpartition(".")
    setattr(known[parent], last, layer)
    return known[name]
