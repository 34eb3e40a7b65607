"""Devices by name, as configurations and commands have them: "qiskit FakeManilaV2", "braket arn:aws:braket:..."."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qloom.engines.hardware.braket_device import BraketDevice
from qloom.engines.hardware.jobs import Device
from qloom.engines.hardware.qiskit_device import QiskitDevice
from qloom.engines.hardware.qpanda_device import QPandaDevice
from qloom.engines.hardware.simulated_device import SimulatedDevice
from qloom.errors import ConfigError

# What the first word says: who makes the device that the others name; simulators keep their queue in the folder.
MAKERS: dict[str, Callable[[str, Path], Device]] = {
    "qloom": SimulatedDevice.local, "qiskit": QiskitDevice.named, "braket": BraketDevice.named,
    "qpanda": QPandaDevice.local,
}  # fmt: skip


def find_device(name: str, folder: str | Path) -> Device:
    """The device of a name.

    Args:
        name: who makes it, "qloom", "qiskit", "braket" or "qpanda", and its name there: "qiskit FakeManilaV2".
        folder: where simulators keep their queue.

    Raises:
        ConfigError: for a maker that there is not, or no name after it.
        DeviceError: for a device that the maker does not have.
    """
    maker, _, own = name.partition(" ")
    if maker not in MAKERS or not own.strip():
        raise ConfigError(
            f'device {name!r}, expected one of {", ".join(MAKERS)} and its name for it, such as "qiskit FakeManilaV2"'
        )
    return MAKERS[maker](own.strip(), Path(folder))
