"""Measures of synthetic rows, on rows whose distance from the real ones is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from qloom.data.recognition import find_columns
from qloom.errors import DataError
from qloom.training.cell_features import CellFeatures
from qloom.training.fidelity import (
    FidelityMeasure,
    detection,
    marginal_distances,
    pair_correlations,
    pair_difference,
    ratio_of_medians,
)
from qloom.training.usefulness import Target


def columns_of(table: pa.Table):
    return [column for column, _ in find_columns(table, None, (), {})]


def features_of(table: pa.Table) -> CellFeatures:
    return CellFeatures(table, columns_of(table))


def people(n: int, seed: int) -> pa.Table:
    """Income rises with age, and who earns much is a member."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, n)
    income = np.round(age * 500 + rng.normal(0, 3000, n), 2)
    member = np.where(income + rng.normal(0, 3000, n) > 25_000, "yes", "no")
    return pa.table({"age": age, "income": income, "member": member, "town": rng.choice(["a", "b", "c"], n)})


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """The same cells, each column by itself: what no model of pairs could have made."""
    rng = np.random.default_rng(seed)
    return pa.table({name: table[name].take(pa.array(rng.permutation(len(table)))) for name in table.column_names})


def test_marginals_by_hand():
    """Of four numbers one of four is above all others: a quarter. Of levels: 3/4, 1/4 against 1/4, 3/4: one half."""
    real = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "c": ["a", "a", "a", "b"]})
    synthetic = pa.table({"x": [1.0, 2.0, 3.0, 9.0], "c": ["a", "b", "b", "b"]})
    features = features_of(real)
    assert marginal_distances(features, real, synthetic) == {"x": 0.25, "c": 0.5}
    assert marginal_distances(features, real, real) == {"x": 0.0, "c": 0.0}


def test_missing_cells_count_in_marginals():
    """A missing cell is a number below all others, and a level of its own."""
    real = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "c": ["a", "a", "b", "b"]})
    synthetic = pa.table({"x": [None, None, 3.0, 4.0], "c": ["a", "a", None, None]})
    assert marginal_distances(features_of(real), real, synthetic) == {"x": 0.5, "c": 0.5}


def test_correlations_are_those_of_ranks():
    from scipy.stats import spearmanr

    table = people(500, 0).select(["age", "income"])
    expected = spearmanr(table["age"].to_numpy(), table["income"].to_numpy()).statistic
    found = pair_correlations(features_of(table), table)
    assert found[0, 1] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(found[0, 0])


def test_pairs_are_alike_in_fresh_rows_and_lost_in_shuffled_ones():
    real = people(2000, 0)
    features = features_of(real)
    # Correlations of 2,000 rows are off by .022 each; the largest of up to three of two samples stays below .15.
    assert pair_difference(features, real, people(2000, 1)) < 0.08
    assert pair_difference(features, real, shuffled(real, 1)) > 0.2
    assert pair_difference(features_of(real.select(["age"])), real, real) == 0.0


def test_a_detector_cannot_tell_fresh_rows_and_tells_shuffled_ones():
    """Seeded. Fresh: an area under the ROC curve of twice 800 rows is off chance by .014; five times that is one seed
    in two million."""
    real, fresh = people(800, 0), people(800, 1)
    area, low, high = detection(features_of(real), real, fresh)
    assert abs(area - 0.5) < 0.07
    assert low < area < high
    area, low, _ = detection(features_of(real), real, shuffled(fresh, 1))
    assert area > 0.8
    assert low > 0.7


def test_a_few_rows_are_not_told_apart_and_distances_of_copies_say_nothing():
    real = people(39, 0)
    assert np.isnan(detection(features_of(real), real, people(100, 1))).all()
    assert np.isnan(ratio_of_medians(np.ones(5), np.zeros(5))).all()
    assert ratio_of_medians(np.full(5, 3.0), np.full(9, 2.0)) == [1.5, 1.5, 1.5]


def test_usefulness_is_lost_where_the_target_is_shuffled():
    real, fresh = people(1000, 0), people(1000, 1)
    target = Target(real, next(c for c in columns_of(real) if c.name == "member"))
    assert (target.metric, target.classes) == ("roc_auc", ("no", "yes"))
    score, low, high = target.score(features_of(real), real, fresh, 0)
    assert 0.9 < low < score < high
    assert target.score(features_of(real), shuffled(real, 2), fresh, 0)[0] < 0.75


def test_usefulness_for_numbers_and_for_more_classes():
    real, fresh = people(1000, 0), people(1000, 1)
    columns = {column.name: column for column in columns_of(real)}
    number = Target(real, columns["income"])
    assert (number.metric, number.classes) == ("r2", ())
    assert number.score(features_of(real), real, fresh, 0)[0] > 0.8
    assert Target(real, columns["town"]).metric == "accuracy"


def test_usefulness_where_synthetic_rows_have_one_class_alone():
    """The area of a model that says the same of every row is one half."""
    real = people(200, 0)
    target = Target(real, next(c for c in columns_of(real) if c.name == "member"))
    of_one = real.filter(pa.compute.equal(real["member"], "no"))
    assert target.score(features_of(real), of_one, real, 0)[0] == 0.5


def test_copies_are_nearer_than_fresh_rows():
    training, held_out = people(600, 0), people(200, 1)
    measure = FidelityMeasure(features_of(training), training, held_out)
    copied = measure(training)
    assert (copied.privacy, copied.copies) == ([0.0, 0.0, 0.0], 1.0)
    fresh = measure(people(600, 2))
    ratio, low, high = fresh.privacy
    assert 0.8 < low < ratio < high < 1.25
    assert fresh.copies < 0.05
    assert measure.of_real_rows().privacy[0] == 1.0
    assert fresh.usefulness is None
    assert fresh.record()["marginal"] == pytest.approx(np.mean(list(fresh.marginals.values())))


def test_distances_by_hand():
    """A level that differs is 1; from the smallest number to the largest is 1 but for half a row at both ends."""
    training = pa.table({"x": [0.0, 10.0] * 2, "c": ["a", "b", "a", "b"]})
    measure = FidelityMeasure(features_of(training), training, training)
    found = measure.closest(pa.table({"x": [0.0, 0.0, 10.0], "c": ["a", "b", "c"]}))
    np.testing.assert_allclose(found, [0, 0.5, 1], atol=1e-6)


def test_targets_that_cannot_be_learnt():
    table = pa.table({"c": ["a"] * 50, "day": pa.array(np.arange(50).astype("datetime64[D]"))})
    with pytest.raises(DataError, match="target 'c' has one value in the training rows"):
        Target(table, columns_of(table)[0])
    with pytest.raises(DataError, match="target 'day' holds dates"):
        Target(table, columns_of(table)[1])
