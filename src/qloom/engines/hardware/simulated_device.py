"""qloom's own simulators as a device: what a training on a machine will be like, rehearsed without another package."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.batch import make_batch
from qloom.engines.density import DensityEngine
from qloom.engines.hardware.local import LocalDevice
from qloom.engines.measuring.shots import Shots
from qloom.engines.noisy import with_noise
from qloom.engines.statevector import StatevectorEngine
from qloom.engines.streams import Stream
from qloom.noise.model import NoiseModel

EXACT = "exact"


class SimulatedDevice:
    """Makes devices in the background of this machine."""

    @staticmethod
    def local(name: str, folder: str | Path) -> LocalDevice:
        """Without noise, "exact", or with that of a file: of a noise model, or of a device's calibration.

        The queue of jobs is in `folder`.
        """
        if name != EXACT:
            path = Path(name).resolve()
            NoiseModel.from_calibration(path)  # what is wrong with it is said here
            return LocalDevice(f"{__name__}:{path}", folder, f"qloom {path.name}")
        return LocalDevice(f"{__name__}:{EXACT}", folder, f"qloom {EXACT}")


def run_local(
    name: str, circuit: Circuit, qubits: tuple[int, ...], values: np.ndarray, shots: int, seed: int
) -> np.ndarray:
    """Bits (B, shots, k) from a simulator of ours."""
    sampler = Shots(_engine(name), shots).sampler(circuit, qubits)
    return sampler.draw(make_batch(circuit, values), shots, Stream(seed))


@lru_cache(maxsize=4)
def _engine(name: str) -> Engine:
    return StatevectorEngine() if name == EXACT else with_noise(DensityEngine(), NoiseModel.from_calibration(name))
