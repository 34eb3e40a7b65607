"""The filter against the formula of ridge regression, and on a stream whose rule turns around."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.watching.tracking import Pace, Tracker, choose_pace


def rows(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = np.c_[np.ones(n), random.normal(size=(n, 3))]
    return x, x @ [[0.5], [1.0], [-2.0], [0.0]] + 0.1 * random.normal(size=(n, 1))


def test_without_forgetting_it_is_ridge_regression():
    x, y = rows(60)
    tracker = Tracker(4, 1, Pace(1.0, 7.0))
    predicted = tracker.follow(x, y)
    exact = np.linalg.solve(x.T @ x + np.eye(4) / 7, x.T @ y)
    assert tracker.weights == pytest.approx(exact)
    before = np.linalg.solve(x[:40].T @ x[:40] + np.eye(4) / 7, x[:40].T @ y[:40])
    assert predicted[40] == pytest.approx(x[40] @ before)


def test_blocks_are_the_same_stream():
    x, y = rows(50)
    whole, parts = Tracker(4, 1, Pace(0.99, 3.0)), Tracker(4, 1, Pace(0.99, 3.0))
    first = np.r_[parts.follow(x[:17], y[:17]), parts.follow(x[17:], y[17:])]
    assert whole.follow(x, y) == pytest.approx(first, abs=0)


def test_without_news_it_goes_back_to_the_prior():
    x, y = rows(200)
    tracker = Tracker(4, 1, Pace(0.9, 3.0))
    tracker.follow(x, y)
    tracker.follow(np.zeros((300, 4)), np.zeros((300, 1)))
    assert tracker.weights == pytest.approx(0, abs=1e-9)
    assert tracker.covariance == pytest.approx(3.0 * np.eye(4))


def test_a_rule_that_turns_asks_for_a_short_memory_and_one_that_stays_for_a_long_one():
    x, y = rows(600)
    turning = np.where((np.arange(600) // 60 % 2 == 0)[:, None], y, -y)
    assert choose_pace(x, y).memory > choose_pace(x, turning).memory
