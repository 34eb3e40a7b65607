"""What rows hold that training had not seen is said of each row, and in sum."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

from qloom.data import Preprocessing, inspect_table

DAY = datetime.date(2024, 1, 1)
N = 120


@pytest.fixture(scope="module")
def fitted():
    table = pa.table({
        "age": pa.array([None, *(18 + i % 60 for i in range(1, N))], pa.int64()),
        "city": [["Rome", "Oslo", "Kiel"][i % 3] for i in range(N)],
        "since": [DAY + datetime.timedelta(days=i % 97) for i in range(N)],
        "pay": np.linspace(1.5, 9.5, N),
        "y": [i % 2 for i in range(N)],
    })  # fmt: skip
    preprocessing = Preprocessing().fit(table, inspect_table(table, "y"), np.arange(100))
    return Preprocessing.from_json(preprocessing.to_json()), table


def rows(**changes):
    usual = {"age": [40, 40], "city": ["Oslo", "Oslo"], "since": [DAY, DAY], "pay": [2.0, 2.0]}
    return pa.table({**usual, **changes})


def test_training_rows_are_not_new(fitted):
    preprocessing, table = fitted
    found = preprocessing.novelties(table.slice(0, 100))
    assert set(found.texts.to_pylist()) == {""}
    assert found.summary == ()
    assert found.n_rows == 0
    assert preprocessing.novelties(table.slice(100)).n_rows == 20, "pay rises beyond the training rows"


@pytest.mark.parametrize(("changes", "text"), [
    ({"city": ["Lyon", "Oslo"]}, "city 'Lyon' is unknown"),
    ({"age": [90, 40]}, "age is above 77"),
    ({"age": [3, 40]}, "age is below 18"),
    ({"since": [DAY - datetime.timedelta(days=1), DAY]}, "since is below 2024-01-01"),
    ({"pay": [None, 3.0]}, "pay is missing"),
    ({"city": [None, "Kiel"]}, "city is missing"),
    ({"age": [None, 40]}, ""),
    ({"city": ["Lyon", "Oslo"], "age": [90, 40]}, "age is above 77; city 'Lyon' is unknown"),
])  # fmt: skip
def test_a_row(fitted, changes, text):
    found = fitted[0].novelties(rows(**changes))
    assert found.texts.to_pylist() == [text, ""]
    assert found.n_rows == bool(text)
    for part in filter(None, text.split("; ")):
        assert f"{part} in 1 of 2 rows" in found.summary


def test_an_empty_column_is_said_once(fitted):
    found = fitted[0].novelties(rows(pay=pa.array([None, None], pa.float64())))
    assert found.summary == ("column 'pay' is empty",)
    assert found.texts.to_pylist() == ["", ""]


def test_what_was_saved_before_says_nothing(fitted):
    record = fitted[0].to_json()
    del record["seen"]
    assert Preprocessing.from_json(record).novelties(rows()) is None
