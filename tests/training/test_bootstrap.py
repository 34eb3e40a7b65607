"""Bootstrap intervals agree with scipy's and with the normal theory."""

import numpy as np
import pytest
import scipy.stats

from qloom.training.bootstrap import bootstrap_scores, interval_of


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    return y, y + 0.5 * rng.normal(size=400)


def test_interval_agrees_with_scipy(numbers):
    y, values = numbers
    ours = interval_of(bootstrap_scores("mean_absolute_error", y, {"m": values}, seed=0, n_draws=4000)["m"])
    theirs = scipy.stats.bootstrap(
        (np.abs(y - values),), np.mean, n_resamples=4000, method="percentile", random_state=1
    ).confidence_interval
    # Monte Carlo error of a 2.5% quantile from 4000 draws is about 0.04 standard errors of the mean, here 0.015.
    np.testing.assert_allclose(ours, theirs, atol=0.003)


def test_spread_of_accuracy_is_binomial():
    y = np.zeros(1000, dtype=int)
    p = np.where(np.arange(1000) < 800, 0.9, 0.1)
    draws = bootstrap_scores("accuracy", y, {"m": np.column_stack([p, 1 - p])}, seed=0)["m"]
    assert draws.mean() == pytest.approx(0.8, abs=0.003)
    assert draws.std() == pytest.approx(np.sqrt(0.8 * 0.2 / 1000), rel=0.1)


def test_same_seed_same_draws_whatever_the_other_models(numbers):
    y, values = numbers
    alone = bootstrap_scores("r2", y, {"m": values}, seed=5)["m"]
    among = bootstrap_scores("r2", y, {"other": -values, "m": values}, seed=5)["m"]
    assert np.array_equal(alone, among)
    assert not np.array_equal(alone, bootstrap_scores("r2", y, {"m": values}, seed=6)["m"])


def test_many_rows_are_drawn_in_pieces():
    y = np.random.default_rng(0).normal(size=50_000)
    draws = bootstrap_scores("rmse", y, {"m": np.zeros(50_000)}, seed=0, n_draws=90)["m"]
    assert draws.shape == (90,)
    assert draws.mean() == pytest.approx(1, abs=0.01)


def test_draws_with_one_class_are_left_out():
    assert interval_of(np.array([np.nan, 0.5, 0.5, 0.5])) == (0.5, 0.5)
