"""Training parts of a model: parameters chosen by name, one part after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from torch import nn

from qloom.errors import ConfigError


def train_only(model: nn.Module, *patterns: str) -> list[nn.Parameter]:
    """Freeze all parameters but those whose names match a pattern, and give these back for an optimizer.

    The walk back goes no further than what is trained needs, and takes no slopes of frozen weights. To freeze some
    weights of one circuit see `QuantumLayer.train_weights`.

    Args:
        model: its parameters' `requires_grad` are set.
        patterns: names with * and ?, such as "quantum.*"; each must match.

    Raises:
        ConfigError: if a pattern matches no parameter.
    """
    parameters = dict(model.named_parameters())
    chosen = {name for pattern in patterns for name in _matching(pattern, parameters)}
    for name, parameter in parameters.items():
        parameter.requires_grad_(name in chosen)
    return [parameter for name, parameter in parameters.items() if name in chosen]


def stages(model: nn.Module, parts: Iterable[str | Sequence[str]]) -> Iterator[list[nn.Parameter]]:
    """Train one part after the other, at each turn only the parameters of that part:

        for parameters in stages(model, ["head.*", "quantum.*", "*"]):
            fit(model, torch.optim.Adam(parameters))

    When the turns are over, or left, every parameter is as it was.

    Args:
        model: changed while it goes on.
        parts: a pattern as of `train_only`, or several, for each turn.

    Yields:
        The parameters of each turn.

    Raises:
        ConfigError: if a pattern matches no parameter.
    """
    before = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    try:
        for part in parts:
            yield train_only(model, *((part,) if isinstance(part, str) else part))
    finally:
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(before.get(name, True))


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        raise ConfigError(f"no parameter matches {pattern!r}, expected one of {', '.join(names)}")
    return found
