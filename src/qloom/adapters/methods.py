"""Ways to adapt a model by name: ours, and those of peft that stand beside them."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

import peft

from qloom.adapters.registration import KINDS
from qloom.errors import ConfigError

OURS: dict[str, type[peft.PeftConfig]] = {config.kind.removeprefix("qloom_"): config for config, _ in KINDS}
METHODS: dict[str, type[peft.PeftConfig]] = {
    **OURS,
    "lora": peft.LoraConfig,
    "ia3": peft.IA3Config,
    "vera": peft.VeraConfig,
    "fourierft": peft.FourierFTConfig,
}


def make_method(name: str, settings: Mapping[str, Any]) -> peft.PeftConfig:
    """The configuration of a method with some settings.

    Raises:
        ConfigError: for a method or a setting that is none, with the nearest one.
    """
    if name not in METHODS:
        raise ConfigError(f"adapter {name!r}, expected one of {', '.join(METHODS)}; choose one of them")
    config = METHODS[name]
    of_peft = {field.name for field in dataclasses.fields(peft.PeftConfig)} - {"task_type"}
    known = [field.name for field in dataclasses.fields(config) if field.name not in {*of_peft, "qloom_format"}]
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 3, 0.4) or known[-8:]
            raise ConfigError(f"setting {key!r} of the adapter {name}, expected one of {', '.join(near)}")
    try:
        return config(**settings)
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"adapter {name}: {error}; check its settings") from None
