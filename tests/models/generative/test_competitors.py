"""The models of tables by name: each learns, draws and scores."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.errors import ConfigError
from qloom.models.generative.competitors import COMPETITORS, CONTROLS, USUAL, controls_of, find_competitor

BITS = np.array([[0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 1, 0]] * 10, np.uint8)


@pytest.mark.parametrize("name", COMPETITORS)
def test_every_model_learns_draws_and_scores(name):
    found = find_competitor(name)
    model, is_stopped = found.fit(BITS, seed=0, seconds=0.5)
    assert isinstance(is_stopped, bool)
    drawn = model.sample(50, random_state=0)
    assert (drawn.shape, drawn.dtype) == ((50, 3), np.uint8)
    assert set(np.unique(drawn)) <= {0, 1}
    assert np.isfinite(model.score_samples(BITS)).all()
    assert found.title
    assert found.explanation.endswith((".", "?"))


def test_a_seed_fixes_the_model():
    for found in COMPETITORS.values():
        first, second = (found.make(3).fit(BITS).sample(20, random_state=1) for _ in range(2))
        np.testing.assert_array_equal(first, second)


def test_controls_are_the_others():
    assert {each.name for each in controls_of("chow-liu")} == set(CONTROLS) - {"chow-liu"}
    assert set(USUAL) | set(CONTROLS) <= set(COMPETITORS)
    assert COMPETITORS[USUAL[-1]].most_bits is None  # something can always be drawn from


def test_a_name_that_is_none():
    with pytest.raises(ConfigError, match="no model 'ising', expected one of "):
        find_competitor("ising")
