"""Splits are disjoint, complete, repeatable, and of the kind asked for."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qloom.data import inspect_table, read_table, split_rows
from qloom.errors import ConfigError, DataError

RNG = np.random.default_rng(3)


@given(
    st.lists(st.sampled_from("aaaaaaabbbc"), min_size=3, max_size=80),
    st.sampled_from(["stratified", "random", "time"]),
    st.integers(0, 5),
)
def test_parts_are_sorted_disjoint_and_complete(labels, kind, seed):
    split = split_rows(len(labels), labels, kind=kind, seed=seed)
    assert sorted(np.concatenate(list(split))) == list(range(len(labels)))
    for part in split:
        assert part.dtype == np.int64
        assert all(a < b for a, b in pairwise(part.tolist()))
    if kind == "stratified":
        assert {labels[i] for i in split.train} == set(labels)


@pytest.mark.parametrize("counts", [(900, 100), (333, 333, 334), (977, 20, 3)])
def test_stratified_keeps_shares_within_a_row(counts):
    labels = RNG.permutation(np.repeat(np.arange(len(counts)), counts))
    split = split_rows(1000, labels, validation=0.15, test=0.2, seed=4)
    assert split.kind == "stratified"
    assert [len(part) for part in split] == [650, 150, 200]
    for part, share in zip(split, (0.65, 0.15, 0.2), strict=True):
        found = np.bincount(labels[part], minlength=len(counts))
        assert np.abs(found - share * np.array(counts)).max() <= 1


def test_seeds():
    labels = RNG.integers(0, 3, 500)
    for kind in ("stratified", "random"):
        first, again, other = (split_rows(500, labels, kind=kind, seed=seed).test for seed in (1, 1, 2))
        assert (first == again).all()
        assert (first != other).any()


def test_time_takes_the_last_share_as_test():
    times = RNG.permutation(100)
    table = read_table({"when": times, "x": RNG.normal(size=100), "y": RNG.normal(size=100)})
    split = split_rows(table, inspect_table(table, "y", time="when"))
    assert split.kind == "time"
    assert set(times[split.test]) == set(range(80, 100))
    assert set(times[split.validation]) == set(range(65, 80))
    assert split_rows(10, kind="time").test.tolist() == [8, 9]


def test_time_reads_dates_in_text():
    table = read_table({"d": ["12/31/2010", "1/13/2011", "2/1/2010", "10/1/2010"], "x": [1, 2, 3, 4]})
    split = split_rows(table, kind="time", time_column="d", validation=0.25, test=0.25)
    assert (split.train.tolist(), split.validation.tolist(), split.test.tolist()) == ([2, 3], [0], [1])


def test_auto_follows_the_task():
    table = read_table({"x": RNG.normal(size=90), "c": ["a", "b", "b"] * 30, "t": RNG.normal(size=90)})
    assert split_rows(table, inspect_table(table, "c")).kind == "stratified"
    assert split_rows(table, inspect_table(table, "t")).kind == "random"
    assert split_rows(90).kind == "random"


def test_a_share_of_zero_is_empty():
    split = split_rows(20, validation=0, test=0.25)
    assert [len(part) for part in split] == [15, 0, 5]


@pytest.mark.parametrize(
    ("error", "arguments", "options", "message"),
    [
        (DataError, (2,), {}, "2 rows, expected at least one each"),
        (ConfigError, (10,), {"test": 0.9}, "expected shares from 0"),
        (ConfigError, (10,), {"kind": "lucky"}, "kind is 'lucky'"),
        (ConfigError, (10,), {"kind": "stratified"}, "got no target"),
        (DataError, (10, [1] * 9), {}, r"shape \(9,\), expected \(10,\)"),
    ],
)
def test_refusals(error, arguments, options, message):
    with pytest.raises(error, match=message):
        split_rows(*arguments, **options)


def test_missing_times_are_refused():
    with pytest.raises(DataError, match="time column 'd' is missing in 1 of 4 rows"):
        split_rows(read_table({"d": [1, 2, None, 4]}), kind="time", time_column="d")
