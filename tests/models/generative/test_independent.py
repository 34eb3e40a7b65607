"""Independent bits against their definition."""

from __future__ import annotations

import numpy as np

from qloom.models import IndependentBits


def test_means_are_smoothed_as_said():
    """Of 4 rows with 0, 1, 4 ones, and 2 rows' worth of uniform bits: (ones + 1) / 6."""
    rows = np.array([[0, 0, 1], [0, 1, 1], [0, 0, 1], [0, 0, 1]])
    fitted = IndependentBits(smoothing=2).fit(rows)
    np.testing.assert_allclose(fitted.shares_[:, 1], [1 / 6, 2 / 6, 5 / 6])
    np.testing.assert_allclose(fitted.shares_.sum(1), 1)
    np.testing.assert_allclose(fitted.moments([(0,), (0, 2), ()]), [4 / 6, 4 / 6 * -4 / 6, 1])


def test_one_row_is_enough():
    fitted = IndependentBits().fit([[0, 1]])
    np.testing.assert_allclose(fitted.shares_, [[0.75, 0.25], [0.25, 0.75]])


def test_counts_of_many_rows_do_not_overflow():
    assert IndependentBits().fit(np.ones((300, 2), np.uint8)).shares_[0, 1] > 0.99
