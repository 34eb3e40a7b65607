"""Cells of requests become the numbers that the model's own preprocessing makes of them, in any batch, bit for bit."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from qloom.data import Preprocessing, inspect_table
from qloom.data.number_coding import NumberCoding
from qloom.models.tables.served import read_served
from qloom.serving.bodies import JSON, Wanted, read_body
from qloom.serving.reading import Reader
from qloom.serving.refusals import MOST_PROBLEMS, RequestError
from qloom.serving.schema import usual
from tests.serving.conftest import table_of


@pytest.fixture(scope="module")
def preprocessing(run) -> Preprocessing:
    return read_served(run).preprocessing_


def wanted(reader: Reader) -> Wanted:
    return Wanted(reader.names, frozenset(["id", "label"]), 10_000, 1 << 20)


def read_rows(reader: Reader, rows: list[dict]) -> object:
    columns = read_body(json.dumps({"rows": rows}).encode(), JSON, wanted(reader))
    return reader.read(columns.cells, columns.n_rows)


def test_features_of_requests_in_batches_are_those_of_the_table(preprocessing):
    table = table_of(300, 2)
    reader, rows, expected = Reader(preprocessing), table.to_pylist(), preprocessing.transform(table)
    sizes = np.random.default_rng(0).integers(1, 40, 30)
    cuts = [0, *np.minimum(np.cumsum(sizes), len(rows)).tolist()]
    readings = [read_rows(reader, rows[a:b]) for a, b in pairwise(cuts) if b > a]
    assert np.array_equal(reader.features(readings), expected[: cuts[-1]])
    assert np.array_equal(preprocessing.transform(reader.table(readings[0])), expected[: readings[0].n_rows])


def test_text_and_levels_by_their_means_are_read_as_in_a_table():
    """Free text and a column of many levels, which have codings of their own."""
    draw = np.random.default_rng(0)
    words = ["red", "green", "blue", "large", "small", "new", "old", "round"]
    table = pa.table(
        {
            "note": [" ".join(draw.choice(words, 6)) + f" {k}" for k in range(200)],
            "shop": [f"shop {k}" for k in draw.integers(0, 60, 200)],
            "y": draw.normal(size=200),
        }
    )
    fitted = Preprocessing().fit(table, inspect_table(table, "y"))
    assert len({type(coding) for coding in fitted.codings}) > 1
    reader = Reader(fitted)
    cells = {name: table[name].to_pylist() for name in reader.names}
    assert np.array_equal(reader.features([reader.read(cells, 200)]), fitted.transform(table))
    halves = [
        reader.read({name: each[part] for name, each in cells.items()}, 100) for part in (slice(100), slice(100, 200))
    ]
    assert np.array_equal(reader.features(halves), fitted.transform(table))


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("age", [1, 2.5, None]), ("age", ["31", None, " 7 "]), ("age", [True, False, None]),
        ("age", [-0.0, 1e300, None]), ("age", [2**60 + 1, 3, None]),
        ("member", ["YES", " no ", "perhaps"]), ("member", [True, False, None]), ("member", [1, 0, 2]),
        ("city", ["Graz", " Oslo", "?"]), ("city", [1, 2, None]), ("city", [1.0, 2.5, None]),
        ("city", [True, False, None]),
        ("amount", ["1.097,98", "12", None]), ("amount", [1097.98, 12, None]),
        ("day", ["24.12.2024", "2024-12-24", None]), ("day", [None, None, None]),
    ],
)  # fmt: skip
def test_cells_are_read_as_the_same_column_of_a_table(preprocessing, column, cells):
    """What Arrow makes of the cells is what `qloom predict` would have read."""
    reader = Reader(preprocessing)
    rows = [{**row, column: cell} for row, cell in zip(table_of(3, 3).to_pylist(), cells, strict=True)]
    names = list(rows[0])
    table = pa.table({name: pa.array([row[name] for row in rows]) for name in names})
    assert np.array_equal(reader.features([read_rows(reader, rows)]), preprocessing.transform(table))
    lists = {name: [row[name] for row in rows] for name in names}
    columns = read_body(json.dumps({"columns": lists}).encode(), JSON, wanted(reader))
    assert np.array_equal(reader.features([reader.read(columns.cells, 3)]), preprocessing.transform(table))


def test_news_are_those_of_the_preprocessing(preprocessing):
    rows = table_of(6, 4).to_pylist()
    for k, (column, cell) in enumerate([("city", "Rome"), ("age", 400), ("age", -1), ("day", "01.01.1999")]):
        rows[k][column] = cell
    rows[4]["member"] = None
    table = pa.Table.from_pylist(rows)
    reader, expected = Reader(preprocessing), preprocessing.novelties(table)
    texts, summary = reader.novelties(read_rows(reader, rows))
    assert (texts, summary) == (expected.texts.to_pylist(), expected.summary)
    assert [bool(text) for text in texts] == [True, True, True, True, True, False]
    usual = [row for row in table_of(60, 0).to_pylist() if None not in row.values()][:5]
    assert reader.novelties(read_rows(reader, usual)) is None


def test_every_cell_that_cannot_be_read_is_found(preprocessing):
    """By halving, and whatever else stands in the column."""
    draw = np.random.default_rng(1)
    odd = {"age": "abc", "amount": "1.2.3", "day": "32.12.2024", "city": ["nested"], "member": {"a": 1}}
    rows, places = table_of(200, 5).to_pylist(), set()
    for _ in range(30):
        row, column = int(draw.integers(200)), str(draw.choice(list(odd)))
        rows[row][column] = odd[column]
        places.add((row, column))
    with pytest.raises(RequestError) as refused:
        read_rows(Reader(preprocessing), rows)
    assert {(problem.row, problem.column) for problem in refused.value.problems} == places
    for row in rows:
        row["age"] = "abc"
    with pytest.raises(RequestError, match="at least 99 more") as refused:
        read_rows(Reader(preprocessing), rows)
    assert len(refused.value.content()["problems"]) == MOST_PROBLEMS
    assert not refused.value.content()["all_listed"]


def test_a_vocabulary_is_begun_anew_before_it_grows_without_end(preprocessing, monkeypatch):
    """Requests that were read with the one before still have their features."""
    monkeypatch.setattr("qloom.serving.vocabulary._MOST_WORDS", 50)
    reader, table = Reader(preprocessing), table_of(200, 6)
    table = table.set_column(2, "city", pa.array([f"city {k}" for k in range(200)]))
    rows = table.to_pylist()
    readings = [read_rows(reader, rows[k : k + 20]) for k in range(0, 200, 20)]
    assert len({id(reading.vocabulary) for reading in readings}) > 2
    assert np.array_equal(reader.features(readings), preprocessing.transform(table))


@pytest.mark.parametrize(
    ("fill", "told"), [((0.3 + 0.3486) / 2, "0.3243"), (3.0, "3"), (1.6e12 + 1, "1600000000001"), (1e-20, "1e-20")]
)
def test_medians_are_told_without_what_halving_leaves(fill, told):
    """Half of .3 + .3486 is .32430000000000003."""
    assert json.dumps(usual(NumberCoding("a", fill, False, (), (), 0.0, 1.0, 8.0))) == told
