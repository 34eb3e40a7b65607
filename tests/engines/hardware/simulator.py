"""Our own simulator as a device in the background, for the ways of devices without another package."""

from __future__ import annotations

import numpy as np

from qloom.circuits import Circuit
from qloom.engines import Shots, StatevectorEngine, make_batch
from qloom.engines.streams import Stream


def run_local(name: str, circuit: Circuit, qubits: tuple, values: np.ndarray, shots: int, seed: int) -> np.ndarray:
    assert name == "ours"
    sampler = Shots(StatevectorEngine(1), shots).sampler(circuit, qubits)
    return sampler.draw(make_batch(circuit, values), shots, Stream(seed))
