"""The data that generative models are measured on, as its protocol has it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.generative.data import MNIST_WIDTHS, mnist_bits
from benchmarks.published.mnist import FOLDER as MNIST
from qloom.models import IndependentBits


@pytest.mark.skipif(not MNIST.exists(), reason="../shared/data/mnist is absent")
def test_random_bits_are_as_far_from_mnist_as_published():
    """arXiv:2503.02934: .38 at a width of 9.9, 8.6e-3 at 3.4. Of the first 2,000 test rows; theirs is of a sample."""
    train, test = mnist_bits()
    assert (train.shape, test.shape) == ((50_000, 784), (10_000, 784))
    fair = IndependentBits().fit(np.repeat(np.eye(2, dtype=np.uint8)[:, :1], 784, axis=1))
    assert fair.mmd(test[:2000], MNIST_WIDTHS[0]) == pytest.approx(0.38, rel=0.05)
    assert fair.mmd(test[:2000], MNIST_WIDTHS[2]) == pytest.approx(8.6e-3, rel=0.15)
