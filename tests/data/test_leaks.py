"""Rows of one thing, copies of rows and rows in time: found, said with the way out, and kept on one side."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from qloom.data import inspect_table, split_rows
from qloom.data.copies import find_copies
from qloom.data.leaks import find_leaks
from qloom.data.row_keys import table_keys
from qloom.errors import ConfigError, DataError

RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def patients():
    """200 patients of 15 visits: the label is the patient's, and five measurements tell patients apart, not labels."""
    who = np.repeat(RNG.permutation(200), 15)
    label, base = RNG.integers(0, 2, 200), RNG.normal(size=(200, 5))
    visits = base[who] + 0.1 * RNG.normal(size=(3000, 5))
    return pa.table({"patient": who, **{f"m{i}": visits[:, i] for i in range(5)}, "ill": label[who]})


def leaks(table, target, **options):
    schema = inspect_table(table, target)
    split = split_rows(table, schema, **options)
    return find_leaks(table, schema, split.kind)


@pytest.mark.parametrize("written", ["numbers", "text"])
def test_same_patient_on_both_sides(patients, written):
    table = patients
    if written == "text":
        names = pa.array([f"P{i:03d}" for i in table["patient"].to_pylist()])
        table = table.set_column(0, "case", names)  # a name that says nothing: the target of a case is one and the same
    (warning,) = leaks(table, "ill")
    name = table.column_names[0]
    assert f"rows of one '{name}' are on both sides" in warning
    assert "(200 values, 15 rows each)" in warning
    assert warning.endswith(f"keep them together with group='{name}'")


def test_by_patient_every_patient_is_on_one_side(patients):
    schema = inspect_table(patients, "ill").grouped_by("patient")
    split = split_rows(patients, schema, seed=3)
    assert split.kind == "group"
    who, ill = patients["patient"].to_numpy(), patients["ill"].to_numpy()
    parts = [set(who[part]) for part in split]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 200
    assert [len(part) / 15 for part in split] == [130, 30, 40]
    for part in split:
        assert ill[part].mean() == pytest.approx(ill.mean(), abs=0.02)
    assert "patient" not in {column.name for column in schema.features}
    assert find_leaks(patients, schema, split.kind) == ()
    assert not np.array_equal(split.test, split_rows(patients, schema, seed=4).test)


def test_columns_that_name_no_things_are_no_leak():
    """A category, a code with signal, and an id of one row each."""
    n = 2000
    job = RNG.integers(0, 30, n)
    y = (RNG.normal(size=n) + 0.5 * RNG.normal(size=30)[job]) > 0
    table = pa.table({"job": [f"job {j}" for j in job], "row_id": np.arange(n), "x": RNG.normal(size=n), "y": y})
    assert leaks(table, "y") == ()


def test_groups_of_uneven_sizes_come_as_near_as_they_can():
    sizes = RNG.integers(1, 120, 60)
    group = np.repeat(np.arange(60), sizes)
    n = len(group)
    table = pa.table({"g": group, "x": RNG.normal(size=n), "y": RNG.normal(size=n)})
    split = split_rows(table, inspect_table(table, "y").grouped_by("g"))
    assert abs(len(split.test) - 0.2 * n) <= 60
    assert abs(len(split.validation) - 0.15 * n) <= 60


def test_three_groups_are_enough_and_two_are_not():
    def cut(n_groups):
        table = pa.table({"g": np.arange(90) % n_groups, "x": RNG.normal(size=90), "y": np.arange(90) // 3 % 2})
        return split_rows(table, inspect_table(table, "y").grouped_by("g"))

    assert [len(part) for part in cut(3)] == [30, 30, 30]
    with pytest.raises(DataError, match="2 groups of rows that stay together, expected at least one each"):
        cut(2)


def test_every_class_is_trained_and_tested_on_or_refused():
    """Two of eight groups are of the rare class: one of them is in the test, one in training, for every seed."""
    group = np.repeat(np.arange(8), 20)

    def cut(rare, seed=0):
        y = np.isin(group, rare)
        table = pa.table({"g": group, "x": RNG.normal(size=160), "y": y})
        return y, split_rows(table, inspect_table(table, "y").grouped_by("g"), seed=seed)

    for seed in range(10):
        y, split = cut([2, 5], seed)
        assert set(y[split.test]) == set(y[split.train]) == {False, True}
    with pytest.raises(DataError, match="a class is in 1 of 8 groups of rows that stay together"):
        cut([2])


def test_group_split_without_a_group():
    with pytest.raises(ConfigError, match="without a group"):
        split_rows(10, kind="group")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_copies_are_on_one_side(task):
    """A table written twice, its rows shuffled."""
    n = 300
    x = RNG.normal(size=(n, 3))
    y = x[:, 0] if task == "regression" else x[:, 0] > 0
    rows = RNG.permutation(np.tile(np.arange(n), 2))
    table = pa.table({**{f"x{i}": x[rows, i] for i in range(3)}, "y": y[rows]})
    schema = inspect_table(table, "y")
    assert any("300 of 600 rows are copies of others in every feature" in line for line in schema.warnings)
    split = split_rows(table, schema)
    parts = [set(rows[part]) for part in split]
    assert sum(map(len, parts)) == n
    assert [len(part) for part in split] == [390, 90, 120]
    free = split_rows(table, schema, copies="anywhere")
    assert set(rows[free.test]) & set(rows[free.train])


def test_copies_that_contradict_are_said():
    x = np.tile(RNG.normal(size=100), 2)
    y = np.r_[x[:100] > 0, np.r_[x[:93] > 0, x[93:100] <= 0]]
    warnings = inspect_table(pa.table({"x": x, "y": y}), "y").warnings
    assert any(line.startswith("7 of the copies contradict: equal features, another 'y'") for line in warnings)


def test_rows_of_few_different_kinds_are_no_copies():
    table = pa.table({"a": RNG.integers(0, 3, 500), "b": RNG.integers(0, 4, 500), "y": RNG.integers(0, 2, 500)})
    schema = inspect_table(table, "y")
    assert not find_copies(table, schema).are_copies
    assert not any("copies" in line for line in schema.warnings)
    assert split_rows(table, schema).test.tolist() == split_rows(table, schema, copies="anywhere").test.tolist()


def test_time_under_a_random_split():
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i)) for i in range(600)]
    walk = np.cumsum(RNG.normal(size=600))
    table = pa.table({"day": days, "x": RNG.normal(size=600), "y": walk})
    (warning,) = leaks(table, "y")
    assert "the target moves with 'day'" in warning
    assert warning.endswith("use time='day'")
    assert leaks(table, "y", kind="time") == ()
    still = table.set_column(2, "y", pa.array(RNG.normal(size=600)))
    assert leaks(still, "y") == ()


def test_classes_that_come_one_after_the_other_in_time():
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i)) for i in range(300)]
    table = pa.table({"day": days, "x": RNG.normal(size=300), "y": np.array(["b", "c", "a"])[np.arange(300) // 100]})
    assert "the target moves with 'day'" in leaks(table, "y")[0]


def test_keys_are_of_values_not_of_types_or_files():
    one = pa.table({"a": pa.array([1, 2, None]), "b": pa.array(["x", "y", "x"]), "c": [True, False, None]})
    other = pa.table({
        "a": pa.array([2.0, None, 1.0]), "b": pa.array(["y", "x", "x"]).dictionary_encode().cast(pa.string()),
        "c": pa.array([0.0, None, 1.0]),
    })  # fmt: skip
    assert table_keys(one)[[1, 2, 0]].tolist() == table_keys(other).tolist()
    assert len(set(table_keys(one).tolist())) == 3


def test_rows_are_kept_together_by_a_column_that_is_there():
    table = pa.table({"a": [1.0, 2.0] * 20, "y": ["u", "v"] * 20})
    with pytest.raises(DataError, match="no column 'patient' to keep rows together by, expected one of a, y"):
        inspect_table(table, "y").grouped_by("patient")
