"""The engine on the host: all of it but CUDA's own compiler and driver."""

from __future__ import annotations

from typing import Any

import torch

from qloom.engines import Engine
from qloom.engines.gpu import GpuEngine
from tests.engines.gpu.host import HostMachine

H100_SHARED = 232448


class HostEngine(GpuEngine):
    """GpuEngine whose machine is the host.

    Args:
        most_whole: larger states go through what is global memory on a device.
        most_shared: bytes of a block's shared memory.
    """

    def __init__(self, most_whole: int | None = None, most_shared: int = H100_SHARED, sanitizers: str = ""):
        self.device = torch.device("cpu")
        self.most_whole = most_whole
        self.machine = HostMachine(most_shared=most_shared, sanitizers=sanitizers)

    def on(self, device: Any) -> Engine:
        return self
