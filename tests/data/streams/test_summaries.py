"""Summaries of passing rows: against numpy and scikit-learn on the same rows, and halves against the whole."""

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from qloom.data.category_coding import fit_category
from qloom.data.column_statistics import HeldNumbers, held_dates
from qloom.data.row_keys import cell_keys
from qloom.data.streams.distinct import DistinctCount
from qloom.data.streams.levels import LevelCounts
from qloom.data.streams.moments import Moments
from qloom.data.streams.quantiles import QuantileSketch, size_of_sketches
from qloom.data.streams.summaries import DateSummary, NumberSummary

N = 400_000
RANDOM = np.random.default_rng(2)
LEVELS = np.linspace(0, 1, 101)
VALUES = {
    "normal": RANDOM.normal(size=N),
    "rising": np.arange(N, dtype=np.float64),
    "falling": -np.arange(N, dtype=np.float64),
    "saw": np.arange(N, dtype=np.float64) % 4096,
    "atoms": np.where(RANDOM.random(N) < 0.4, 0.0, RANDOM.gamma(2, 3, N)),
    "times": 1.7e9 + RANDOM.integers(0, 10**7, N).astype(np.float64),
}


def summed(make, values, block=50_000):
    """A summary of values that came in blocks."""
    summary = make()
    for start in range(0, len(values), block):
        summary.update(values[start : start + block])
    return summary


def rank_errors(values, found, levels):
    """How far values lie from the ranks they were asked for, as a share of all; 0 within equal values."""
    ordered = np.sort(values)
    low = np.searchsorted(ordered, found, side="left") / len(values)
    high = np.searchsorted(ordered, found, side="right") / len(values)
    return np.maximum(np.maximum(low - levels, levels - high), 0)


@pytest.mark.parametrize("name", VALUES)
def test_quantiles_are_within_the_bound_that_the_sketch_states(name):
    sketch = summed(QuantileSketch, VALUES[name], 70_001)
    assert 0 < sketch.rank_error < 2e-4
    assert rank_errors(VALUES[name], sketch.quantiles(LEVELS), LEVELS).max() <= sketch.rank_error + 1 / N
    assert sketch.items()[1].sum() == N


@pytest.mark.parametrize("name", VALUES)
def test_halves_merged_are_the_whole_within_the_bound(name):
    first = summed(QuantileSketch, VALUES[name][: N // 3])
    first.merge(summed(QuantileSketch, VALUES[name][N // 3 :], 999))
    assert first.n == N == first.items()[1].sum()
    assert first.rank_error < 2e-4
    assert rank_errors(VALUES[name], first.quantiles(LEVELS), LEVELS).max() <= first.rank_error + 1 / N


def test_sketches_of_many_columns_are_small_and_still_within_what_they_state():
    assert [size_of_sketches(n) for n in (1, 20, 170, 1000, 10**6)] == [16_384, 16_384, 16_384, 2_048, 256]
    sketch = summed(lambda: QuantileSketch(256), VALUES["normal"])
    assert sketch.rank_error < 2e-2
    assert rank_errors(VALUES["normal"], sketch.quantiles(LEVELS), LEVELS).max() <= sketch.rank_error + 1 / N


def test_few_values_have_the_quantiles_of_numpy():
    values = VALUES["atoms"][:65_000]
    assert (summed(QuantileSketch, values, 777).quantiles(LEVELS) == np.quantile(values, LEVELS)).all()


def test_quantiles_of_scikit_learn_within_the_rank_error():
    values = VALUES["normal"]
    theirs = QuantileTransformer(n_quantiles=101, subsample=None).fit(values[:, None]).quantiles_[:, 0]
    sketch = summed(QuantileSketch, values)
    assert rank_errors(values, theirs, LEVELS).max() < 2 / N
    ours = np.searchsorted(np.sort(values), sketch.quantiles(LEVELS)) / N
    assert np.abs(ours - np.searchsorted(np.sort(values), theirs) / N).max() <= sketch.rank_error + 3 / N


def test_the_same_values_give_the_same_bits():
    first, second = (summed(QuantileSketch, VALUES["normal"]) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first.items(), second.items(), strict=True))


@pytest.mark.parametrize("name", VALUES)
def test_moments_are_those_of_scikit_learn(name):
    values = VALUES[name]
    theirs = StandardScaler().fit(values[:, None])
    whole = summed(Moments, values)
    half = summed(Moments, values[:1234])
    half.merge(summed(Moments, values[1234:]))
    standard = (values - values.mean()) / values.std()
    for moments in (whole, half):
        assert moments.mean == pytest.approx(theirs.mean_[0], rel=1e-9, abs=1e-9 * theirs.scale_[0])
        assert moments.scale == pytest.approx(theirs.scale_[0], rel=1e-9)
        assert moments.skewness == pytest.approx((standard**3).mean(), abs=1e-8)
        assert moments.n == N


@pytest.mark.parametrize("unit", [1e-300, 1e-30, 1e30, 1e300])
def test_moments_of_any_unit(unit):
    values = VALUES["atoms"] * unit
    moments = summed(lambda: Moments.about(float(values.max())), values)
    assert moments.mean == pytest.approx(VALUES["atoms"].mean() * unit, rel=1e-9)
    assert moments.scale == pytest.approx(VALUES["atoms"].std() * unit, rel=1e-9)
    assert moments.skewness == pytest.approx(summed(Moments, VALUES["atoms"]).skewness, rel=1e-9)


def test_numbers_of_a_constant_and_of_nothing():
    constant, nothing = NumberSummary(), NumberSummary()
    constant.update(np.full(100, 7.5))
    nothing.update(np.full(100, np.nan))
    for summary, held in ((constant, np.full(100, 7.5)), (nothing, np.full(100, np.nan))):
        expected = HeldNumbers(held)
        for each in ("n_present", "n_missing", "low", "high", "mean", "scale", "skewness", "has_inner", "median"):
            assert getattr(summary, each) == getattr(expected, each), each


def word_counts(words, block=40_000):
    counts = LevelCounts()
    for start in range(0, len(words), block):
        found, n = np.unique(words[start : start + block], return_counts=True)
        counts.add(dict(zip(found.tolist(), n.tolist(), strict=True)), 0)
    return counts


def test_levels_are_those_of_scikit_learn():
    words = np.char.add("w", (RANDOM.zipf(1.4, 200_000) % 500).astype(str))
    theirs = OneHotEncoder(min_frequency=0.01, max_categories=11).fit(words[:, None])
    rare = set(theirs.infrequent_categories_[0].tolist())
    kept = [level for level in theirs.categories_[0].tolist() if level not in rare]
    half = word_counts(words[:70_000])
    half.merge(word_counts(words[70_000:]))
    for counts in (word_counts(words), half):
        coding = fit_category("w", counts.statistics(), 10, 0.01)
        assert sorted(coding.levels) == sorted(kept)
        assert coding.has_rare == bool(rare)


def test_levels_beyond_the_bound_keep_the_frequent_ones_within_the_shortfall():
    words = np.concatenate([np.repeat([f"often {i}" for i in range(20)], 3000), [f"once {i}" for i in range(50_000)]])
    words = RANDOM.permutation(words)
    first, second = LevelCounts(most=5_000), LevelCounts(most=5_000)
    for start in range(0, len(words), 2_000):
        half = first if start < 40_000 else second
        found, n = np.unique(words[start : start + 2_000], return_counts=True)
        half.add(dict(zip(found.tolist(), n.tolist(), strict=True)), 0)
    first.merge(second)
    statistics = first.statistics()
    assert not first.is_exact
    assert first.shortfall <= len(words) / 2_500
    assert set(statistics.levels[:20]) == {f"often {i}" for i in range(20)}
    assert all(3000 - first.shortfall <= count <= 3000 for count in statistics.counts[:20])
    assert statistics.n_rows == len(words)


def test_different_values_are_counted_exactly_while_few_and_nearly_when_many():
    few, many, half = DistinctCount(), DistinctCount(), DistinctCount()
    few.update(cell_keys(VALUES["saw"] % 4000))
    many.update(cell_keys(VALUES["normal"][:200_000]))
    half.update(cell_keys(VALUES["normal"][200_000:]))
    many.merge(half)
    assert (few.n, few.is_exact) == (4000, True)
    assert many.n == pytest.approx(N, rel=0.08)  # 5 standard errors of 1 / sqrt(4096); the seed is fixed


def test_dates_are_those_of_memory():
    times = np.datetime64("2001-02-03", "s") + RANDOM.integers(0, 10**8, 50_000).astype("timedelta64[s]")
    times[::9] = np.datetime64("NaT")
    whole, half = summed(DateSummary, times, 7_000), summed(DateSummary, times[:20_000])
    half.merge(summed(DateSummary, times[20_000:]))
    expected = held_dates(times)
    for summary in (whole, half):
        found = summary.statistics()
        assert (found.first, found.last, found.n_missing) == (expected.first, expected.last, expected.n_missing)
        assert (found.median, found.cycles) == (expected.median, expected.cycles)
        assert found.days == pytest.approx(expected.days, rel=1e-9)
        assert found.year == pytest.approx(expected.year, rel=1e-9)


def test_no_date_at_all():
    summary = DateSummary()
    summary.update(np.full(5, "NaT", dtype="datetime64[s]"))
    assert summary.statistics() == held_dates(np.full(5, "NaT", dtype="datetime64[s]"))


def test_codes_are_those_of_memory():
    values = RANDOM.integers(0, 24, 90_000).astype(np.float64)
    summary, held = summed(NumberSummary, values), HeldNumbers(values)
    for mine, theirs in zip(summary.counts(31), held.counts(31), strict=True):
        assert (mine == theirs).all()
    assert summary.counts(23) is None
    assert held.counts(23) is None
