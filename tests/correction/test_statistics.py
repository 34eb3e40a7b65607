"""Intervals against scipy, rates of rounds against their definition."""

import pytest
from scipy.stats import binomtest

from qloom.correction.statistics import LogicalErrors, rate_per_round, wilson_interval


@pytest.mark.parametrize(("errors", "shots"), [(0, 10), (1, 10), (10, 10), (7, 1000), (500, 1000), (3, 10**7)])
def test_wilson_interval(errors, shots):
    expected = binomtest(errors, shots).proportion_ci(0.95, method="wilson")
    assert wilson_interval(errors, shots) == pytest.approx((expected.low, expected.high), abs=1e-14)


@pytest.mark.parametrize("rounds", [1, 3, 50])
def test_flips_of_rounds_make_the_flips_of_a_shot(rounds):
    q, total = 0.013, 0.0
    for _ in range(rounds):
        total = total * (1 - q) + (1 - total) * q
    assert rate_per_round(total, rounds) == pytest.approx(q, rel=1e-12)
    assert rate_per_round(0.7, rounds) == 0.5


def test_what_was_found_is_readable():
    found = LogicalErrors(25, 1000, "repetition", 3, 9, "Z", 0.01, "matching")
    assert found.error_rate == 0.025
    low, high = found.per_round_interval
    assert low < found.per_round < high
    assert "0.025 a shot" in str(found)
    assert "25 errors in 1000 shots" in str(found)
