"""The models of tables by name: each learns, draws and scores."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator

from qloom.errors import ConfigError
from qloom.fitting import Training
from qloom.models.generative.competitors import (
    COMPETITORS,
    CONTROLS,
    USUAL,
    Competitor,
    controls_of,
    find_competitor,
)

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
        few = {found.steps: 5} if hasattr(found.make(3), found.steps) else {}
        first, second = (found.make(3).set_params(**few).fit(BITS).sample(20, random_state=1) for _ in range(2))
        np.testing.assert_array_equal(first, second)


class ByCountedSteps(BaseEstimator):
    """A tenth of a millisecond a step."""

    def __init__(self, n_steps=100_000):
        self.n_steps = n_steps

    def fit(self, bits):
        time.sleep(1e-4 * self.n_steps)
        return self


class ByEpochs(ByCountedSteps):
    """The same, by the one loop of all trainings."""

    def begin_fit(self, bits):
        module = torch.nn.Linear(1, 1)
        optimizer = torch.optim.SGD(module.parameters(), 0.1)

        def objective(module, batch):
            time.sleep(1e-4)
            return module(batch).square().mean()

        return Training(module, objective, [torch.ones(1, 1)], optimizer, epochs=self.n_steps)

    def end_fit(self, training):
        self.n_taken_ = training.epoch


@pytest.mark.parametrize("made", [ByCountedSteps, ByEpochs])
def test_a_training_ends_after_its_time(made, monkeypatch):
    """Three tenths of a second of ten seconds of steps and more; nothing is said of how long they take beyond."""
    monkeypatch.setattr(Competitor, "make", lambda self, seed: made())
    model, is_stopped = Competitor("x", "x", "", "x").fit(BITS, 0, seconds=0.3)
    assert is_stopped
    assert getattr(model, "n_taken_", model.n_steps) < 10_000


def test_a_training_that_fits_is_whole(monkeypatch):
    monkeypatch.setattr(Competitor, "make", lambda self, seed: ByCountedSteps(20))
    model, is_stopped = Competitor("x", "x", "", "x").fit(BITS, 0, seconds=20.0)
    assert (model.n_steps, is_stopped) == (20, False)


def test_controls_are_the_others():
    assert {each.name for each in controls_of("chow-liu")} == set(CONTROLS) - {"chow-liu"}
    assert {each.name for each in controls_of("iqp")} == {"iqp-single", "bit-flips", *CONTROLS}
    assert set(USUAL) | set(CONTROLS) <= set(COMPETITORS)
    assert COMPETITORS[USUAL[-1]].most_bits is None  # something can always be drawn from


def test_a_name_that_is_none():
    with pytest.raises(ConfigError, match="no model 'ising', expected one of "):
        find_competitor("ising")
