"""MNIST images from ../shared."""

from __future__ import annotations

import gzip

import numpy as np

from benchmarks.shared import DATA

FOLDER = DATA / "mnist"


def images(part: str, digits: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Images of two digits and whether they are the first.

    Args:
        part: "train" or "t10k".
        digits: the two.

    Shapes: x (N, 28, 28) from 0 to 1, y (N,) of booleans.
    """
    x = pixels(part) / 255
    y = _numbers(f"{part}-labels-idx1-ubyte.gz", 8)
    chosen = np.isin(y, digits)
    return x[chosen], y[chosen] == digits[0]


def pixels(part: str) -> np.ndarray:
    """All images of a part, from 0 to 255, uint8 (N, 28, 28)."""
    return _numbers(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)


def _numbers(name: str, header: int) -> np.ndarray:
    with gzip.open(FOLDER / name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)
