"""Options that run a trained model on another engine, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qloom.engines.choice import DEFAULT, choose_engine
from qloom.errors import ConfigError
from qloom.training.configuration import known_keys, parse_change

_KEYS = [key for key in known_keys() if key.startswith("engine.")]
ENGINE_HELP = f"{' or '.join(_KEYS)}=value: the same weights on another engine; may be repeated."


def engine_changes(settings: Sequence[str]) -> dict[str, Any]:
    """Changes to the engine of a model.

    Raises:
        ConfigError: for a setting that a trained model does not have any more.
    """
    changes = dict(map(parse_change, settings))
    for key in changes:
        if key not in _KEYS:
            raise ConfigError(f"{key} changes no trained model, expected one of {', '.join(_KEYS)}; train another run")
    return {key.removeprefix("engine."): value for key, value in changes.items()}


def engine_line(values: Any) -> str:
    """What ran the circuit, unless that was the usual engine with exact values."""
    choice = choose_engine(values)
    if choice.is_exact:
        return "" if choice.name == DEFAULT else f"the circuit runs on {choice.title}"
    seed = "" if choice.seed is None else f" (engine.seed={choice.seed})"
    return f"the circuit runs with {choice.title}{seed}"
