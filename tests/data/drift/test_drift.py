"""Counts in bins against raw values: scipy's tests are the oracle."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from qloom.data import Preprocessing, TargetCoding, inspect_table
from qloom.data.drift import PREDICTION, NumberBins, Reference, find_drift
from qloom.data.drift.comparison import chi_squared, grouped, holm, stability_index
from qloom.errors import ArtifactError, DataError

N = 4000


def made(seed: int, n: int = N, shift: float = 0.0, green: float = 0.2) -> pa.Table:
    random = np.random.default_rng(seed)
    skewed = np.where(random.random(n) < 0.05, np.nan, random.lognormal(shift, 1, n))
    return pa.table({
        "amount": skewed,
        "count": random.poisson(3 + 2 * shift, n),
        "flag": random.random(n) < 0.5,
        "colour": random.choice(["red", "green", "blue"], n, p=[0.6 - green, green, 0.4]),
        "day": np.datetime64("2020-01-01", "s") + random.integers(0, 1000, n).astype("timedelta64[D]"),
        "note": random.choice(["a b", "a b c d", "a"], n),
        "target": random.choice(["no", "yes"], n),
    })  # fmt: skip


@pytest.fixture(scope="module")
def reference() -> Reference:
    table = made(0)
    schema = inspect_table(table, "target", kinds={"note": "text"})
    preprocessing, coding = Preprocessing().fit(table, schema), TargetCoding.fit(table, schema)
    first = np.random.default_rng(9).beta(2, 5, N)
    return Reference.learn(preprocessing, coding, table, np.c_[1 - first, first])


def by_name(reference: Reference, table: pa.Table, **bounds):
    return {each.column: each for each in find_drift(reference, reference.counts(table), **bounds)}


def test_equal_rows_do_not_move(reference):
    """False alarms: each of 20 tables has one with probability .05 at most, and none of them is large."""
    found = [by_name(reference, made(seed)) for seed in range(1, 21)]
    assert not any(each.matters for columns in found for each in columns.values())
    assert all(each.psi < 0.02 for columns in found for each in columns.values())
    # Eight binned tests of level .05 together: more than 5 of 20 has probability 3e-4.
    assert sum(min(each.p_corrected for each in columns.values()) < 0.05 for columns in found) <= 5


def test_what_was_moved_is_found_and_nothing_else(reference):
    found = by_name(reference, made(5, shift=0.5))
    assert {name for name, each in found.items() if each.matters} == {"amount", "count"}
    found = by_name(reference, made(5, green=0.45))
    assert {name for name, each in found.items() if each.matters} == {"colour"}
    assert (found["colour"].group, round(found["colour"].before, 1)) in {("red", 0.4), ("green", 0.2)}


def test_a_million_rows_are_significant_and_do_not_matter(reference):
    many = by_name(reference, made(6, n=400_000, shift=0.1))
    assert many["amount"].p_corrected < 0.01
    assert not many["amount"].matters


def test_distance_of_binned_numbers_is_nearly_that_of_raw_ones_and_never_above(reference):
    before, after = (np.asarray(made(seed, shift=shift)["amount"]) for seed, shift in ((0, 0), (7, 0.1)))
    raw = ks_2samp(np.nan_to_num(before, nan=-1.0), np.nan_to_num(after, nan=-1.0))
    ours = by_name(reference, made(7, shift=0.1))["amount"]
    assert raw.statistic - 1 / 64 <= ours.statistic <= raw.statistic + 1e-12
    few_before, few_after = (np.asarray(made(seed, shift=shift)["count"]) for seed, shift in ((0, 0), (7, 0.1)))
    exact, ours = ks_2samp(few_before, few_after, method="asymp"), by_name(reference, made(7, shift=0.1))["count"]
    assert ours.statistic == pytest.approx(exact.statistic, abs=1e-3)
    assert ours.p == pytest.approx(exact.pvalue, rel=0.1)


def test_categories_are_tested_as_scipy_tests_them(reference):
    table = made(8, green=0.25)
    ours = by_name(reference, table)["colour"]
    counts = [
        [pa.compute.sum(pa.compute.equal(each["colour"], level)).as_py() for level in ("red", "green", "blue")]
        for each in (made(0), table)
    ]
    scipys = chi2_contingency(counts, correction=False)
    assert ours.statistic == pytest.approx(scipys.statistic)
    assert ours.p == pytest.approx(scipys.pvalue)


def test_index_is_the_sum_over_shares():
    old, new = np.array([400, 600]), np.array([600_000, 400_000])
    assert stability_index(old, new) == pytest.approx(2 * 0.2 * np.log(1.5), rel=5e-3)
    assert stability_index(old, old) == 0
    assert np.isfinite(stability_index(np.array([1000, 0]), np.array([0, 1000])))


def test_sparse_levels_are_joined():
    before, after = np.array([500, 500, 1, 1, 1, 1, 1, 1]), np.array([500, 500, 0, 2, 1, 0, 2, 1])
    joined = chi2_contingency([[500, 500, 6], [500, 500, 6]], correction=False)
    assert chi_squared(before, after)[1] == pytest.approx(joined.pvalue)
    assert chi_squared(np.array([5, 0]), np.array([7, 0])) == (0.0, 1.0)


def test_holm_is_as_in_the_paper():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_counts_add_up(reference):
    table, parts = made(3), [made(3).slice(0, 7), made(3).slice(7, 0), made(3).slice(7)]
    whole, sums = reference.counts(table), reference.counts(parts[0])
    for part in parts[1:]:
        sums = sums + reference.counts(part)
    assert sums.n_rows == whole.n_rows
    assert all((sums.columns[name] == whole.columns[name]).all() for name in whole.columns)


def test_predictions_are_a_column(reference):
    table = made(3)
    after = np.random.default_rng(1).beta(5, 2, N)
    counts = reference.counts(table, np.c_[1 - after, after])
    found = {each.column: each for each in find_drift(reference, counts)}
    assert found[PREDICTION].matters
    assert found[PREDICTION].psi > 0.25
    assert PREDICTION not in {each.column for each in find_drift(reference, reference.counts(table))}


def test_missing_cells_and_values_never_seen_count(reference):
    table = made(3)
    emptied = table.set_column(0, "amount", pa.array([None] * N, pa.float64()))
    found = by_name(reference, emptied)["amount"]
    assert found.matters
    assert found.group == "(missing)"
    assert found.after == 1
    beyond = table.set_column(1, "count", pa.array([50] * N))
    assert by_name(reference, beyond)["count"].statistic == pytest.approx(1)
    unknown = table.set_column(3, "colour", pa.array(["violet"] * N))
    assert by_name(reference, unknown)["colour"].group == "(rare)"


def test_dates_move_on_and_never_matter(reference):
    table = made(3)
    later = table.set_column(4, "day", pa.array(np.full(N, np.datetime64("2031-05-05", "s"))))
    found = by_name(reference, later)["day"]
    assert found.psi > 1
    assert found.p_corrected < 1e-6
    assert not found.matters


def test_json_gives_the_same_reference(reference):
    text = json.dumps(reference.to_json(), allow_nan=False)
    again = Reference.from_json(json.loads(text), reference.preprocessing, reference.coding)
    table = made(11, shift=0.2)
    assert find_drift(again, again.counts(table)) == find_drift(reference, reference.counts(table))


@pytest.mark.parametrize("damage", [
    lambda record: record.update(version=7),
    lambda record: record["columns"][0].update(counts=[1, 2]),
    lambda record: record["columns"].pop(0),
    lambda record: record["columns"][0].update(kind="colour"),
    lambda record: record["columns"][0].pop("edges"),
])  # fmt: skip
def test_damaged_records_are_refused(reference, damage):
    record = json.loads(json.dumps(reference.to_json()))
    damage(record)
    with pytest.raises(ArtifactError):
        Reference.from_json(record, reference.preprocessing, reference.coding)


def test_missing_columns_are_named(reference):
    with pytest.raises(DataError, match="amount"):
        reference.counts(made(1).drop_columns(["amount"]))


@pytest.mark.parametrize("cells", [[1.0], [1.0, 1.0, 1.0], [np.nan, np.nan], range(99), [0, np.nan], [5] * 99 + [6]])
def test_any_numbers_have_bins_and_groups_for_all_of_them(cells):
    values = np.asarray(cells, dtype=np.float64)
    bins = NumberBins.learn(values)
    group, labels = bins.groups(bins.count(values))
    assert len(group) == bins.n_bins
    assert set(group) == set(range(len(labels)))
    assert bins.count(values).sum() == bins.count(values + 7).sum() == len(values)
    assert stability_index(*grouped(bins, bins.count(values), bins.count(values))[1:]) == 0
