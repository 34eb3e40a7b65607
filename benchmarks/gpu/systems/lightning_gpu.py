"""PennyLane lightning.gpu: as lightning.qubit in benchmarks/peers, its tensors on the host as that takes them."""

from systems import lightning as on_cpu

_device = on_cpu.qml.device
on_cpu.qml.device = lambda name, **options: _device("lightning.gpu", **options)


class System(on_cpu.System):
    pass
