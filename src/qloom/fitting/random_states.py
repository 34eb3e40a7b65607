"""Random numbers of a training: torch's own generator set for a while; states as plain values, out and in."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from qloom.engines.streams import Stream
from qloom.errors import ConfigError
from qloom.nn import QuantumLayer

Source = Stream | np.random.Generator | torch.Generator

_drawing = threading.RLock()


@contextmanager
def seeded_torch(*seeds: int) -> Iterator[None]:
    """Torch's own generator from seeds inside the block, and as before after it; one thread at a time.

    Modules without a generator of their own, such as nn.Dropout, draw from it.
    """
    seed = seeds[0] if len(seeds) == 1 else int(np.random.SeedSequence(seeds).generate_state(1)[0])
    with _drawing, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed asks every kind of accelerator, which takes long
        yield


def streams_of(module: nn.Module) -> list[Stream]:
    """Streams that a module's circuits draw their measurements from, in the modules' order, each once."""
    layers = [part for part in module.modules() if isinstance(part, QuantumLayer)]
    found = [layer.stream for layer in layers if layer.stream is not None]
    return list({id(stream): stream for stream in found}.values())


def states_of(sources: Sequence[Source]) -> list[Any]:
    """Where sources of random numbers are, as plain JSON values."""
    return [_state(source) for source in sources]


def put_back(sources: Sequence[Source], states: Sequence[Any]) -> None:
    """Let sources go on from where `states_of` found them.

    Raises:
        ConfigError: for states of another number of sources.
    """
    if len(states) != len(sources):
        raise ConfigError(
            f"{len(states)} states of random numbers for {len(sources)} sources, such as measured circuits, expected "
            "as many: the training ran on another engine, or an older version saved it"
        )
    for source, state in zip(sources, states, strict=True):
        _set(source, state)


def _state(source: Source) -> Any:
    if isinstance(source, torch.Generator):
        return base64.b64encode(source.get_state().numpy().tobytes()).decode()
    return source.state if isinstance(source, Stream) else source.bit_generator.state


def _set(source: Source, state: Any) -> None:
    if isinstance(source, torch.Generator):
        source.set_state(torch.frombuffer(bytearray(base64.b64decode(state)), dtype=torch.uint8))
    elif isinstance(source, Stream):
        source.state = state
    else:
        source.bit_generator.state = state
