"""Devices: engines whose values are measured elsewhere, and paid for."""

from qloom.engines.hardware.braket_device import BraketDevice
from qloom.engines.hardware.engine import DeviceEngine
from qloom.engines.hardware.jobs import Cost, Device, DeviceError, Job
from qloom.engines.hardware.journal import Budget, BudgetError, Journal
from qloom.engines.hardware.local import LocalDevice
from qloom.engines.hardware.named import find_device
from qloom.engines.hardware.qiskit_device import QiskitDevice
from qloom.engines.hardware.qpanda_device import QPandaDevice
from qloom.engines.hardware.recorded import RecordedDevice
from qloom.engines.hardware.simulated_device import SimulatedDevice

__all__ = [
    "BraketDevice", "Budget", "BudgetError", "Cost", "Device", "DeviceEngine", "DeviceError", "Job", "Journal",
    "LocalDevice", "QPandaDevice", "QiskitDevice", "RecordedDevice", "SimulatedDevice", "find_device",
]  # fmt: skip
