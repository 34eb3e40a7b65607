"""Fits of values at several noise scales: closed forms, refusals, and gains recorded on a machine."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from benchmarks.shared import DATA
from qloom.errors import CircuitError, UnsupportedError
from qloom.mitigation import ExponentialFit, PolynomialFit, extrapolate
from tests.shared import shared

LEFT = [0.99, 0.9, 0.5, 0.1]  # of a value, after a unit of noise


@pytest.mark.parametrize("q", LEFT)
@pytest.mark.parametrize(("scales", "fit", "error"), [
    ((1, 2), "linear", lambda q: (1 - q) ** 2),
    ((1, 2, 3), "richardson", lambda q: (1 - q) ** 3),
    ((1, 2, 3), 2, lambda q: (1 - q) ** 3),
    ((1, 3, 5), "richardson", lambda q: 1 - 15 / 8 * q + 5 / 4 * q**3 - 3 / 8 * q**5),
    ((1, 3, 5), "polynomial", lambda q: 1 - 15 / 8 * q + 5 / 4 * q**3 - 3 / 8 * q**5),
    ((1, 2), "exponential", lambda q: 0),
    ((1, 1.2, 1.6, 3), "exponential", lambda q: 0),
])  # fmt: skip
def test_what_is_left_of_global_depolarizing_noise(q, scales, fit, error):
    found = extrapolate(scales, 0.7 * q ** np.array(scales), fit=fit)
    assert 0.7 - found.value == pytest.approx(0.7 * error(q), abs=1e-12)


@pytest.mark.parametrize("fit", ["linear", 2, "richardson", "exponential"])
def test_constant_values_stay_constant_with_repeated_scales(fit):
    scales = (1, 1, 3, 3, 3, 5)
    found = extrapolate(scales, np.full((6, 3), [0.3, -0.2, 1.0]), np.full((6, 3), 0.01), fit=fit)
    np.testing.assert_allclose(found.value, [0.3, -0.2, 1.0], atol=1e-12)
    assert (found.error > 0).all()


@pytest.mark.parametrize("fit", ["linear", 2, "richardson", "exponential"])
def test_errors_are_carried_through_to_first_order(fit):
    scales, values = np.array([1, 1.5, 2, 3]), 0.8 * 0.8 ** np.array([1, 1.5, 2, 3]) + [0.01, -0.02, 0.01, 0]
    errors, step = np.array([0.01, 0.02, 0.03, 0.02]), 1e-6
    slopes = [
        (extrapolate(scales, values + step * e, fit=fit).value - extrapolate(scales, values - step * e, fit=fit).value)
        / (2 * step) for e in np.eye(4)
    ]  # fmt: skip
    expected = np.sqrt((np.array(slopes) ** 2 * errors**2).sum())
    assert extrapolate(scales, values, errors, fit).error == pytest.approx(expected, rel=1e-6)


def test_without_errors_they_come_from_the_scatter():
    from scipy.stats import linregress

    scales, values = np.array([1, 2, 3, 4.0]), np.array([0.9, 0.83, 0.7, 0.65])
    assert extrapolate(scales, values).error == pytest.approx(linregress(scales, values).intercept_stderr, rel=1e-9)
    assert np.isnan(extrapolate((1, 2), (0.9, 0.8)).error)


def test_exponentials_agree_with_least_squares_of_scipy():
    from scipy.optimize import curve_fit

    random = np.random.default_rng(0)
    scales = np.array([1, 1.5, 2, 3.0])
    for _ in range(20):
        values = random.uniform(0.3, 1) * np.exp(-random.uniform(0.1, 1) * scales) + random.normal(size=4) * 0.003
        (b, a), _ = curve_fit(lambda s, b, a: b * np.exp(-a * s), scales, values, (0.5, 0.3), xtol=1e-14, ftol=1e-14)
        assert a > 0
        assert extrapolate(scales, values, 0.0, "exponential").value == pytest.approx(b, abs=1e-7)


def test_an_exponential_never_falls_towards_less_noise():
    values = np.array([0.5, 0.6, 0.7])
    assert extrapolate((1, 2, 3), values, 0.0, "exponential").value == pytest.approx(0.6, abs=1e-12)


def test_an_exponential_has_an_asymptote():
    values = 0.25 + 0.5 * 0.7 ** np.array([1, 3, 5])
    assert extrapolate((1, 3, 5), values, fit=ExponentialFit(0.25)).value == pytest.approx(0.75, abs=1e-12)


@pytest.mark.parametrize(("scales", "fit", "what"), [
    ((1,), "linear", "are 1 different one, expected at least 2"),
    ((1, 1, 1), "linear", "are 1 different one, expected at least 2"),
    ((1, 3, 3), 2, "are 2 different ones, expected at least 3"),
    ((2, 2), "richardson", "expected at least 2"),
    ((3, 3), "exponential", "expected at least 2"),
    ((1, 1.001, 1.002), "richardson", "multiply errors by"),
    ((0, 1), "linear", "expected numbers above 0"),
    ((1, np.inf), "linear", "expected numbers above 0"),
    ("ab", "linear", "expected numbers above 0"),
    ((1, 2), "cubic", "expected one of linear, polynomial, richardson, exponential"),
    ((1, 2), 0, "expected an integer of at least 1"),
    ((1, 2), True, "expected one of"),
])  # fmt: skip
def test_ill_conditioned_fits_are_refused_in_a_sentence(scales, fit, what):
    with pytest.raises(CircuitError, match=what) as caught:
        extrapolate(scales, np.ones(len(scales)), fit=fit)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("values", "errors"), [
    ((0.5, -0.1, 0.2), 0.0), ((0.01, 0.008, 0.006), 0.005), ((0.011, 0.003, 0.009), None), ((0.05, 0.01, 0.001), 0.009),
])  # fmt: skip
def test_an_exponential_through_noise_is_refused(values, errors):
    with pytest.raises(UnsupportedError, match="within their noise") as caught:
        extrapolate((1, 1.2, 1.6), values, errors, "exponential")
    assert "\n" not in str(caught.value)


def test_values_that_do_not_fit_are_refused():
    for values in ([1.0], [1.0, np.nan], 3.0):
        with pytest.raises(CircuitError, match="expected a finite value at each scale"):
            extrapolate((1, 2), values)


def test_a_polynomial_says_what_each_value_counts():
    np.testing.assert_allclose(PolynomialFit(2).coefficients(np.array([1, 3, 5])), [15 / 8, -5 / 4, 3 / 8], atol=1e-13)


# -- gains of ibm_kyiv, Kim et al. 2023, Nature 618, 500


def recorded():
    with gzip.open(DATA / "ibm_utility_127q" / "hardware_expectations.json.gz") as file:
        series = json.load(file)["series"]["w10_5"]
    published = {row[0]: (row[1], row[3]) for row in series["published_fit"]["rows"]}
    raw = zip(series["theta_h"], series["raw"], series["bootstrap_std"], strict=True)
    return series["noise_gain"], published, list(raw)


@shared
def test_linear_fits_of_recorded_gains_are_the_published_ones():
    gains, published, raw = recorded()
    off = [abs(extrapolate(gains, v).value - published[t][0]) for t, v, _ in raw if t in published]
    assert len(off) == 7
    assert max(off) < 1e-6


@shared
def test_exponential_fits_of_recorded_gains_are_the_published_ones_and_noise_is_refused():
    gains, published, raw = recorded()
    fitted = refused = 0
    for theta, values, errors in raw:
        for known in (errors, None):
            if abs(values[0]) > 0.04:
                found = extrapolate(gains, values, known, "exponential").value
                if theta in published:
                    assert abs(found - published[theta][1]) < 1e-5
                    fitted += 1
            else:
                assert abs(values[0]) < 0.02
                with pytest.raises(UnsupportedError):
                    extrapolate(gains, values, known, "exponential")
                refused += 1
    assert (fitted, refused) == (6, 14)
