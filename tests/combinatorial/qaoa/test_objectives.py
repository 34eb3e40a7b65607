"""Objectives: against outcomes counted one by one, and their slopes against central differences."""

from __future__ import annotations

import numpy as np
import pytest

from qloom.combinatorial.qaoa import CVaR, Gibbs, Mean
from qloom.errors import ProblemError

ENERGIES = np.array([2.0, -1.0, 0.5, -1.0, 3.0, 0.0])
COUNTS = np.array([[3, 1, 2, 0, 5, 1], [0, 4, 0, 4, 2, 2]])  # of 12 outcomes


@pytest.mark.parametrize("best", [1, 3, 4, 7, 12])
def test_cvar_is_the_mean_of_the_best_outcomes(best):
    values, _ = CVaR(best / 12).on(ENERGIES)(COUNTS / 12)
    outcomes = [sorted(np.repeat(ENERGIES, row)) for row in COUNTS]
    np.testing.assert_allclose(values, [np.mean(row[:best]) for row in outcomes])


def test_mean_and_gibbs_are_averages_over_outcomes():
    outcomes = [np.repeat(ENERGIES, row) for row in COUNTS]
    np.testing.assert_allclose(Mean().on(ENERGIES)(COUNTS / 12)[0], [row.mean() for row in outcomes])
    expected = [-np.log(np.mean(np.exp(-0.7 * row))) for row in outcomes]
    np.testing.assert_allclose(Gibbs(0.7).on(ENERGIES)(COUNTS / 12)[0], expected)
    assert np.isfinite(Gibbs(1e4).on(ENERGIES)(COUNTS / 12)[0]).all()


@pytest.mark.parametrize("objective", [Mean(), CVaR(0.3), CVaR(0.95), CVaR(1.0), Gibbs(0.7)])
def test_slopes_are_derivatives_along_any_change_that_keeps_the_sum(objective):
    random, weigh = np.random.default_rng(0), objective.on(ENERGIES)
    p = random.dirichlet(np.ones(6), size=3)
    change = random.normal(size=p.shape)
    change -= change.mean(axis=1, keepdims=True)
    slopes = weigh(p)[1]
    difference = (weigh(p + 1e-6 * change)[0] - weigh(p - 1e-6 * change)[0]) / 2e-6
    np.testing.assert_allclose((slopes * change).sum(axis=1), difference, atol=1e-8)


@pytest.mark.parametrize("make", [lambda: CVaR(0.0), lambda: CVaR(1.1), lambda: Gibbs(0.0), lambda: Gibbs(np.nan)])
def test_bad_input_is_refused(make):
    with pytest.raises(ProblemError, match=r"expected a (share|number) above 0"):
        make()
