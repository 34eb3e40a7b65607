"""Which layers of a model are meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from torch import nn

from qloom.compression.linear import is_linear
from qloom.errors import ConfigError

ALL = "all-linear"
# Last parts of names under which models have the layer that answers.
HEADS = ("classifier", "score", "lm_head", "head")


def find_layers(model: nn.Module, targets: str | Sequence[str]) -> dict[str, nn.Module]:
    """Linear layers by name, each once, in the model's order.

    Args:
        model: any module.
        targets: endings of names such as "query" or "output.dense", whole parts between dots, as peft's target_modules
            has them; or "all-linear", all but what answers: output embeddings, layers called classifier, score,
            lm_head or head, and in models of transformers what lies outside of the base model.

    Raises:
        ConfigError: for an ending that no linear layer has.
    """
    layers = {name: module for name, module in model.named_modules() if is_linear(module)}
    if "" in layers:
        raise ConfigError(f"the model is itself a {type(model).__name__}, expected one that has such layers; wrap it")
    if not layers:
        raise ConfigError(f"{type(model).__name__} has no layer that is a Linear or Conv1D, expected at least one")
    if targets == ALL:
        return _without_heads(model, layers)
    endings = [targets] if isinstance(targets, str) else list(targets)
    _check(model, endings, layers)
    return {name: layer for name, layer in layers.items() if any(_ends(name, ending) for ending in endings)}


def put(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put a layer in the place of another, everywhere where the model has it."""
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is old:
                setattr(parent, name, new)


def names_of(model: nn.Module, layer: nn.Module) -> list[str]:
    """All names that a layer has in a model."""
    return [name for name, module in model.named_modules(remove_duplicate=False) if module is layer]


def shares_weight(model: nn.Module, layer: nn.Module) -> str | None:
    """The name of another module with the same weight, such as an embedding; None without."""
    for name, module in model.named_modules():
        if module is not layer and any(tensor is layer.weight for tensor in module._parameters.values()):
            return name
    return None


def _without_heads(model: nn.Module, layers: dict[str, nn.Module]) -> dict[str, nn.Module]:
    body = getattr(model, "base_model", None)
    inside = set(body.modules()) if isinstance(body, nn.Module) else set(model.modules())
    outputs = getattr(model, "get_output_embeddings", lambda: None)()
    return {
        name: layer
        for name, layer in layers.items()
        if layer in inside and layer is not outputs and name.rpartition(".")[2] not in HEADS
    }


def _ends(name: str, ending: str) -> bool:
    return name == ending or name.endswith(f".{ending}")


def _check(model: nn.Module, endings: Sequence[str], layers: Iterable[str]) -> None:
    if not endings:
        raise ConfigError(f"targets is empty, expected endings of names or {ALL!r}")
    for ending in endings:
        if any(_ends(name, ending) for name in layers):
            continue
        others = [type(module).__name__ for name, module in model.named_modules() if _ends(name, ending)]
        if others:
            raise ConfigError(f"target {ending!r} names a {others[0]}, expected layers that are Linear or Conv1D")
        known = {name.split(".", k)[-1] for name in layers for k in range(name.count(".") + 1)}
        near = get_close_matches(ending, sorted(known), n=3) or sorted({name.rpartition(".")[2] for name in layers})
        raise ConfigError(
            f"target {ending!r} is the end of no linear layer's name in {type(model).__name__}; near it: "
            f"{', '.join(near[:8])}; or {ALL!r}"
        )
