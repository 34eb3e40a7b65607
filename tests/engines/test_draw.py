"""Outcomes drawn from a table of probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from qloom import _native


@pytest.mark.parametrize("shots", [0, 1, 5, 64, 65, 3000])
@pytest.mark.parametrize("n_outcomes", [1, 2, 64, 2**14])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_places_fall_where_numpy_finds_them(n_outcomes, shots, dtype):
    rng = np.random.default_rng(n_outcomes + shots)
    probabilities = rng.exponential(size=n_outcomes).astype(dtype) ** 8  # a few outcomes hold nearly all
    places = rng.random(shots)
    drawn = np.empty(shots, np.int64)
    _native.draw(probabilities, places, drawn)
    cumulated = np.cumsum(probabilities.astype("f8"))
    np.testing.assert_array_equal(drawn, np.searchsorted(cumulated, places * cumulated[-1], side="right"))


@pytest.mark.parametrize("shots", [8, 1000])
def test_impossible_outcomes_are_never_drawn(shots):
    """Places on the edges: the lowest there is, the highest below 1, and where an outcome ends exactly."""
    probabilities = np.array([0, 0.25, 0, 0, 0.5, 0.25, 0, 0], "f4")
    places = np.resize([0.0, 0.25, 0.75, np.nextafter(1, 0)], shots)
    drawn = np.empty(shots, np.int64)
    _native.draw(probabilities, places, drawn)
    np.testing.assert_array_equal(drawn, np.resize([1, 4, 5, 5], shots))
