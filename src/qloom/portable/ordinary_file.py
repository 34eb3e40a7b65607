"""`ordinary.py` as a file of exports, and the networks that it reads."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from qloom.portable import ordinary


def ordinary_source() -> bytes:
    """predict.py: the module itself, which imports numpy alone."""
    return Path(ordinary.__file__).read_bytes()


def run_network(content: bytes, x: np.ndarray) -> np.ndarray:
    """What the module makes of a .npz file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        path.write_bytes(content)
        return ordinary.Network(str(path)).predict(x)
