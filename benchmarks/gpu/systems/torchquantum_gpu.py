"""TorchQuantum on a GPU: as in benchmarks/peers, its batched device there."""

from functools import partial

from systems import torchquantum as on_cpu
from systems.torch_gpu import OnGpu

_QuantumDevice = on_cpu.torchquantum.QuantumDevice


class System(OnGpu, on_cpu.System):
    def __init__(self, problem, threads, device="cuda"):
        super().__init__(problem, threads, device)
        on_cpu.torchquantum.QuantumDevice = partial(_QuantumDevice, device=device)
