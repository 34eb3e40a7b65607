"""Rows of bits that generative models are measured on, from ../shared."""

from __future__ import annotations

import numpy as np

from benchmarks.published.mnist import pixels

# Of MNIST's own training file: the first for training, the last for the test.
N_TRAIN, N_TEST = 50_000, 10_000
# Of the Gaussian kernels that MNIST's images are compared by.
MNIST_WIDTHS = (9.887, 7.391, 3.390)


def mnist_bits() -> tuple[np.ndarray, np.ndarray]:
    """MNIST's images in black and white, pixels above 128 are 1: training rows (50,000, 784), test rows (10,000, 784).

    Source: Recio-Armengol and others 2025, arXiv:2503.02934.
    """
    bits = (pixels("train") > 128).astype(np.uint8).reshape(-1, 28 * 28)
    return bits[:N_TRAIN], bits[-N_TEST:]
