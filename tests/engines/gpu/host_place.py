"""A place for work as on a GPU, which is this host: its clock, and kernels that are run there."""

from __future__ import annotations

from typing import Any

import torch

from qloom.benchmarking.gpu import Function, Place, host_times
from qloom.benchmarking.gpu_floor import Limits
from tests.engines.gpu.host_engine import HostEngine

LIMITS = Limits(multiply_adds=1e9, shared_bytes=1e9, memory_bytes=1e9)


def host_place(**given: Any) -> Place:
    """What is given is the engine's."""
    return Place("the host", torch.device("cpu"), HostEngine(**given), host_times, done_again, memory=1 << 20)


def done_again(function: Function) -> tuple[Function, Any]:
    """In place of a graph: the function itself, whose results are copied to where they were."""
    found = function()
    kept = found if isinstance(found, tuple) else (found,)

    def again() -> None:
        made = function()
        for old, new in zip(kept, made if isinstance(made, tuple) else (made,), strict=True):
            if old is not None and old is not new:
                old.data.copy_(new.data)

    return again, found
