"""Bits as they are given, and kernels between rows of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qloom.errors import DataError
from qloom.models.generative.words import checked_bits, median_width, own_kernel


def test_nan_is_refused_without_a_warning():
    with pytest.raises(DataError, match="X holds nan, expected bits 0 and 1 only"):
        checked_bits([[0, 1.0], [np.nan, 0]])


def test_the_median_is_in_double_precision():
    assert median_width(np.array([[0, 0, 0], [1, 1, 1], [1, 1, 1]])) == math.sqrt(3)


def test_the_kernel_of_different_rows_only():
    """Distances 1, 2 and 3 of width 1."""
    rows = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 1]])
    assert own_kernel(rows, 1.0) == pytest.approx(np.exp([-0.5, -1.0, -1.5]).mean(), abs=1e-15)
