"""Fits find the laws that rates were made by, and intervals that hold."""

from math import exp, log

import numpy as np
import pytest

from qloom.correction import LogicalRate, fit_rate, fit_suppression, fit_threshold
from qloom.correction.statistics import LogicalErrors
from qloom.errors import ConfigError

LAW = LogicalRate(0.04, 0.009, "made up")
MANY = 10**13


def made(distance, p, per_round, shots=MANY, rounds=5, random=None):
    """Results whose errors follow a rate per round, exactly or drawn."""
    rate = (1 - (1 - 2 * per_round) ** rounds) / 2
    errors = round(rate * shots) if random is None else int(random.binomial(shots, rate))
    return LogicalErrors(errors, shots, "rotated_surface", distance, rounds, "X", p, "matching")


def test_the_law_is_found():
    found = fit_rate([made(d, p, LAW.per_round(p, d)) for d in (3, 5, 7) for p in (0.001, 0.002, 0.003)])
    assert found.prefactor == pytest.approx(LAW.prefactor, rel=1e-4)
    assert found.threshold == pytest.approx(LAW.threshold, rel=1e-4)


@pytest.mark.parametrize(("p", "per_round"), [(0.001, 1e-6), (0.003, 1e-12), (0.001, 0.5)])
def test_the_distance_is_the_least(p, per_round):
    distance = LAW.distance(p, per_round)
    assert distance % 2 == 1
    assert LAW.per_round(p, distance) <= per_round
    assert distance == 3 or LAW.per_round(p, distance - 2) > per_round


def test_no_distance_helps_above_the_threshold():
    with pytest.raises(ConfigError, match=r"noise of 0.01 is not below the threshold 0.009"):
        LAW.distance(0.01, 1e-6)


def test_slopes_are_found_within_their_errors():
    random = np.random.default_rng(11)
    rates = {d: 0.01 * exp(-1.2 * d) for d in (3, 5, 7)}
    fits = [fit_suppression([made(d, 0.001, q, 10**6, random=random) for d, q in rates.items()]) for _ in range(200)]
    apart = np.array([(fit.slope + 1.2) / fit.error for fit in fits])
    # Of 200 normal deviations the standard deviation is within .2 of 1 but for 1e-4 of all seeds.
    assert apart.std() == pytest.approx(1, abs=0.2)
    assert fit_suppression([made(d, 0.001, q) for d, q in rates.items()]).factor == pytest.approx(exp(2.4), rel=1e-3)


def test_crossings_are_found():
    noises = (0.007, 0.009, 0.011)
    rates = {(d, p): 0.01 * exp(0.5 * d * log(p / 0.0095)) for d in (3, 5, 7) for p in noises}
    found = fit_threshold([made(d, p, q) for (d, p), q in rates.items()])
    assert found.p == pytest.approx(0.0095, rel=1e-5)
    assert [(small, large) for small, large, *_ in found.crossings] == [(3, 5), (5, 7)]


@pytest.mark.parametrize(("fit", "results", "message"), [
    (fit_suppression, [made(3, 0.001, 1e-3)], "expected at least 2"),
    (fit_suppression, [made(3, 0.001, 1e-3), made(5, 0.001, 0.0)], "expected at least 2"),
    (fit_threshold, [made(3, 0.001, 1e-3)], "expected at least 2"),
    (fit_threshold, [made(3, 0.001, 1e-3), made(5, 0.001, 1e-3)], "1 noises in common"),
    (fit_threshold, [made(d, p, p / d) for d in (3, 5) for p in (0.001, 0.002)], "do not cross"),
    (fit_rate, [made(3, 0.001, 1e-3)], "at least 2"),
])  # fmt: skip
def test_refusals(fit, results, message):
    with pytest.raises(ConfigError, match=message):
        fit(results)
