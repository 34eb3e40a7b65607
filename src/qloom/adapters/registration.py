"""peft is told of our kinds of adapters, by name, configuration and tuner."""

from __future__ import annotations

from peft.utils import PeftType, register_peft_method

from qloom.adapters.generated import GeneratedConfig, GeneratedTuner
from qloom.adapters.givens import GivensConfig, GivensTuner
from qloom.adapters.pauli import PauliAdapterConfig, PauliTuner
from qloom.adapters.settings import AdapterConfig
from qloom.adapters.tuner import CircuitTuner
from qloom.adapters.two_axis import TwoAxisConfig, TwoAxisTuner

KINDS: tuple[tuple[type[AdapterConfig], type[CircuitTuner]], ...] = (
    (PauliAdapterConfig, PauliTuner),
    (TwoAxisConfig, TwoAxisTuner),
    (GivensConfig, GivensTuner),
    (GeneratedConfig, GeneratedTuner),
)


def register_all() -> None:
    """Make every kind of KINDS known to peft, by its name."""
    for config, tuner in KINDS:
        _name(config.kind)
        register_peft_method(name=config.kind, config_cls=config, model_cls=tuner, prefix=tuner.prefix)


def _name(kind: str) -> None:
    """Add a kind to peft's list of kinds, a closed enumeration: peft looks names up in it and offers no other way."""
    value = kind.upper()
    if value in PeftType.__members__:
        return
    member = str.__new__(PeftType, value)
    member._name_, member._value_ = value, value
    type.__setattr__(PeftType, value, member)
    PeftType._member_map_[value] = member
    PeftType._value2member_map_[value] = member
    PeftType._member_names_.append(value)
