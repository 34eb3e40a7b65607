"""Where random numbers of a training are, taken out as plain values and put back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from qloom.engines.streams import Stream
from qloom.errors import ConfigError
from qloom.nn import QuantumLayer


def streams_of(module: nn.Module) -> list[Stream]:
    """Streams that a module's circuits draw their measurements from, in the modules' order, each once."""
    layers = [part for part in module.modules() if isinstance(part, QuantumLayer)]
    found = [layer.stream for layer in layers if layer.stream is not None]
    return list({id(stream): stream for stream in found}.values())


def random_states(module: nn.Module) -> list[dict[str, Any]]:
    """Where the streams of a module are, as plain JSON values; none of one whose values are exact."""
    return [stream.state for stream in streams_of(module)]


def put_back(module: nn.Module, states: Sequence[dict[str, Any]]) -> None:
    """Let a module's streams go on from where `random_states` found them.

    Raises:
        ConfigError: for states of another number of streams.
    """
    streams = streams_of(module)
    if len(states) != len(streams):
        raise ConfigError(
            f"{len(states)} states of random numbers for {len(streams)} measured circuits, expected as many: the "
            "training ran on another engine, or an older version saved it"
        )
    for stream, state in zip(streams, states, strict=True):
        stream.state = state
