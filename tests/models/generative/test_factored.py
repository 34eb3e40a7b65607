"""Independent bits and the Chow-Liu tree: every answer against the sum over all outcomes."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from sklearn.base import clone

from qloom.errors import ConfigError, DataError, ShapeError
from qloom.models import ChowLiuTree, IndependentBits
from qloom.models.generative.words import exact_mmd

FACTORED = [IndependentBits(), IndependentBits(smoothing=20), ChowLiuTree(), ChowLiuTree(smoothing=20)]
each = pytest.mark.parametrize("model", FACTORED, ids=repr)


def correlated(n_rows: int, n_bits: int, seed: int = 0) -> np.ndarray:
    """Bits of unequal means that go together, the last but one constant."""
    generator = np.random.default_rng(seed)
    hidden = generator.normal(size=(n_rows, 3)) @ generator.normal(size=(3, n_bits)) + generator.normal(size=n_bits)
    bits = (hidden + 0.5 * generator.normal(size=(n_rows, n_bits)) > 0).astype(np.uint8)
    bits[:, -2] = 1
    return bits


def outcomes(n_bits: int) -> np.ndarray:
    return np.array(list(product([0, 1], repeat=n_bits)), np.uint8)


@each
@pytest.mark.parametrize("n_bits", [2, 5, 8])
def test_probabilities_of_all_outcomes_sum_to_one(model, n_bits):
    fitted = clone(model).fit(correlated(60, n_bits))
    scores = fitted.score_samples(outcomes(n_bits))
    assert np.isfinite(scores).all()
    assert np.exp(scores).sum() == pytest.approx(1, abs=1e-12)


@each
def test_moments_are_the_sums_over_outcomes(model):
    fitted, rows = clone(model).fit(correlated(60, 7)), outcomes(7)
    operators = [chosen for size in range(8) for chosen in combinations(range(7), size)]
    signs = np.array([np.prod(1.0 - 2.0 * rows[:, list(chosen)], axis=1) for chosen in operators])
    np.testing.assert_allclose(fitted.moments(operators), signs @ np.exp(fitted.score_samples(rows)), atol=1e-13)
    assert fitted.moments([]).shape == (0,)


@each
@pytest.mark.parametrize(("n_bits", "width"), [(3, 0.4), (8, 1.3), (10, 3.0), (10, None)])
def test_discrepancy_is_the_sum_over_outcomes(model, n_bits, width):
    fitted, rows = clone(model).fit(correlated(60, n_bits)), correlated(80, n_bits, seed=5)
    differing = [(x != y).sum() for x, y in combinations(rows, 2)]
    distances = np.sqrt([number for number in differing if number])
    probabilities = np.exp(fitted.score_samples(outcomes(n_bits)))
    expected = exact_mmd(probabilities, rows, float(np.median(distances)) if width is None else width)
    assert fitted.mmd(rows, width) == pytest.approx(expected, abs=1e-12)


@each
def test_samples_have_the_moments(model):
    """All 255 means of 20,000 rows within 5.5 standard errors: false alarms below 1e-5 a model."""
    fitted = clone(model).fit(correlated(60, 8))
    rows, n_rows = fitted.sample(20_000, random_state=1), 20_000
    assert rows.dtype == np.uint8
    for size in range(1, 9):
        for chosen in combinations(range(8), size):
            mean, truth = np.mean(1.0 - 2.0 * (rows[:, list(chosen)].sum(1) % 2)), fitted.moments([chosen])[0]
            assert abs(mean - truth) <= 5.5 * np.sqrt((1 - truth**2) / n_rows) + 1e-12
    np.testing.assert_array_equal(rows, fitted.sample(20_000, random_state=1))


@each
def test_of_many_bits_discrepancies_agree_with_a_large_sample(model):
    """300 bits. The mean of 20 discrepancies of 500 drawn rows within 6 of its standard errors: false alarms 1e-5, as
    Student's t of 19 degrees has it."""
    fitted, rows = clone(model).fit(correlated(400, 300)), correlated(200, 300, seed=5)
    sampled = [_plain_mmd(fitted.sample(500, random_state=seed), rows, 6.0) for seed in range(20)]
    off = fitted.mmd(rows, 6.0) - np.mean(sampled)
    assert abs(off) < 6 * np.std(sampled, ddof=1) / np.sqrt(20)


def _plain_mmd(x: np.ndarray, y: np.ndarray, width: float) -> float:
    def kernel(a, b):
        return np.exp(-(a @ (1 - b).T + (1 - a) @ b.T) / (2 * width**2))

    x, y = x.astype(float), y.astype(float)
    own = [(kernel(z, z).sum() - len(z)) / (len(z) * (len(z) - 1)) for z in (x, y)]
    return own[0] + own[1] - 2 * kernel(x, y).mean()


@each
def test_held_out_rows_have_finite_scores_whatever_was_never_seen(model):
    fitted = clone(model).fit(np.zeros((5, 4), np.uint8))
    assert np.isfinite(fitted.score_samples(outcomes(4))).all()
    assert fitted.score_samples(np.zeros((1, 4)))[0] > np.log(0.01)
    assert np.isfinite(fitted.moments([(0,), (0, 3)])).all()


@each
def test_one_bit(model):
    fitted = clone(model).fit([[0], [1], [1]])
    added = model.smoothing
    assert np.exp(fitted.score_samples([[1]])) == pytest.approx((2 + added / 2) / (3 + added))
    assert fitted.sample(3, random_state=0).shape == (3, 1)


@each
def test_bad_input_is_one_line(model):
    fitted = clone(model).fit(correlated(60, 4))
    with pytest.raises(DataError, match="X holds 2, expected bits 0 and 1 only"):
        clone(model).fit([[0, 1], [2, 0]])
    with pytest.raises(DataError, match="X holds nan, expected bits"):
        clone(model).fit([[0, 1.0], [np.nan, 0]])
    with pytest.raises(DataError, match=r"X has shape \(0, 3\), expected rows of bits"):
        clone(model).fit(np.zeros((0, 3)))
    with pytest.raises(ShapeError, match="X has 3 columns, expected 4 bits"):
        fitted.score_samples([[0, 1, 1]])
    with pytest.raises(ConfigError, match="width=0, expected a number above 0"):
        fitted.mmd(correlated(10, 4), width=0)
    with pytest.raises(DataError, match="bits has 1 row, expected two or more"):
        fitted.mmd([[0, 1, 1, 0]], width=1)
    with pytest.raises(ConfigError, match="n_samples=0, expected an integer of at least 1"):
        fitted.sample(0)
    with pytest.raises(ShapeError, match="operator"):
        fitted.moments([(4,)])
    with pytest.raises(Exception, match="not fitted yet"):
        clone(model).sample(2)


@pytest.mark.parametrize("smoothing", [0, -1, float("nan"), "some", True])
@pytest.mark.parametrize("kind", [IndependentBits, ChowLiuTree])
def test_no_smoothing_is_refused(kind, smoothing):
    with pytest.raises(ConfigError, match="expected a number of rows above 0, such as 1"):
        kind(smoothing).fit(correlated(9, 4))
