"""Kinds of columns, tasks and cautions, on small made tables and on real ones."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from qloom.data import Schema, inspect_table, read_table, rows_with_target
from qloom.data.cells import dates
from qloom.errors import ArtifactError, ConfigError, DataError

N = 200
RNG = np.random.default_rng(1)
X = RNG.normal(size=N)
Y = (RNG.random(N) < 0.4).astype(np.int64)


def kind_of(values, name="c"):
    column = inspect_table({name: values, "x": X[: len(values)], "y": Y[: len(values)]}, "y")[name]
    return column.kind, bool(column.dropped)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (X, ("number", False)),
        (np.round(X * 1e6).astype(np.int64), ("number", False)),  # distinct whole numbers with wide gaps
        (RNG.permutation(N) * 1.0, ("number", False)),  # a float is never an identifier
        ([f"{v:.3f}" for v in X], ("number", False)),
        (["1.5", " ", "?", "2"] * 50, ("number", False)),
        (["red", "blue", None, "green"] * 50, ("category", False)),
        (["yes", "No"] * 100, ("boolean", False)),
        ([True, False] * 100, ("boolean", False)),
        ([date(2020, 1, 1), date(2021, 5, 6)] * 100, ("date", False)),
        (["2020-01-01", "2021-05-06"] * 100, ("date", False)),
        (np.arange(1, N + 1), ("identifier", True)),
        (RNG.permutation(N), ("identifier", True)),
        ([f"{i:04d}-XK" for i in range(N)], ("identifier", True)),
        (["same"] * N, ("constant", True)),
        ([3.5] * N, ("constant", True)),
        (pa.nulls(N), ("constant", True)),
        ([f"the customer number {i} was very happy with us" for i in range(N)], ("text", False)),
        (pa.array([[1]] * N), ("unsupported", True)),
    ],
)
def test_kinds(values, expected):
    assert kind_of(values) == expected


def test_names_that_say_identifier():
    sparse = RNG.choice(10**6, N, replace=False)
    assert kind_of(sparse, "customer_id") == kind_of(sparse, "customerID") == ("identifier", True)
    assert kind_of(sparse, "humid") == ("number", False)


def test_small_tables_keep_their_numbers():
    assert kind_of(np.arange(20), "age") == ("number", False)
    assert kind_of([f"w{i}" for i in range(20)], "word") == ("category", False)
    assert kind_of(np.arange(20), "id") == ("identifier", True)


@pytest.mark.parametrize(
    ("cells", "date_format", "first"),
    [
        (["1/13/2011", "12/2/2011"], "%m/%d/%Y", "2011-01-13"),
        (["13/1/2011", "2/12/2011"], "%d/%m/%Y", "2011-01-13"),
        (["1.2.2011", "2.1.2012"], "%d.%m.%Y", "2011-02-01"),
        (["02-Jun-06", "14-Nov-06"], "%d-%b-%y", "2006-06-02"),
        (["12/1/2010 8:45", "12/31/2010 23:05"], "%m/%d/%Y %H:%M", "2010-12-01"),
        (["1/2/11", "12/30/11"], "%m/%d/%y", "2011-01-02"),
        (["2011-02-01T10:00:00Z", "2012-02-01T10:00:00Z"], "iso", "2011-02-01"),
        (["1/1/2011", "2/1/2011", "3/1/2011", "1/2/2011"], "%d/%m/%Y", "2011-01-01"),  # runs forward read so
    ],
)
def test_date_formats(cells, date_format, first):
    values = [cells[0]] * (N - len(cells) + 1) + cells[1:]
    column = inspect_table({"d": values, "x": X, "y": Y}, "y")["d"]
    assert (column.kind, column.date_format) == ("date", date_format)
    assert str(dates(pa.chunked_array([values]), "d", date_format)[0])[:10] == first


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        (Y, "classification", (0, 1)),
        (Y * 2.0 - 1, "classification", (-1.0, 1.0)),
        (Y == 1, "classification", (False, True)),
        (np.where(Y, "b", "a"), "classification", ("a", "b")),
        (np.arange(N) % 5, "classification", (0, 1, 2, 3, 4)),
        (np.arange(N) % 60, "regression", ()),
        (X, "regression", ()),
        ([f"{v:.2f}" for v in X], "regression", ()),
    ],
)
def test_task_follows_the_target(target, task, classes):
    schema = inspect_table({"x": X, "t": target}, "t")
    assert (schema.task, schema.classes) == (task, classes)
    assert [type(label) for label in schema.classes] == [type(label) for label in classes]


def test_the_task_can_be_said():
    assert inspect_table({"x": X, "t": np.arange(N) % 5}, "t", task="regression").task == "regression"
    assert len(inspect_table({"x": X, "t": np.arange(N) % 60}, "t", task="classification").classes) == 60


HOLES = np.where(np.arange(N) < 3, np.nan, Y)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ({"x": X, "Churn": Y}, {"target": "churned"}, "no column 'churned'.*did you mean 'Churn'?"),
        ({"x": X, "y": Y}, {"drop": ["z"]}, "no column 'z'"),
        ({"x": X, "y": Y}, {"time": "when"}, "no column 'when'.*to order the rows"),
        ({"x": X, "y": HOLES}, {}, "missing in 3 of 200 rows.*drop_missing_target=True"),
        ({"x": X, "y": HOLES * np.nan}, {"drop_missing_target": True}, "missing in all 200 rows"),
        ({"x": X, "y": Y * 0}, {}, "has only the class 0"),
        ({"x": X, "y": Y * 0}, {"task": "regression"}, "is 0 in every row"),
        ({"x": X, "y": ["a"] + ["b", "c"] * 99 + ["d"]}, {}, "2 of 4 classes with a single row, such as 'a'"),
        ({"x": X, "y": ["a", "b"] * 100}, {"task": "regression"}, "holds the text 'a', expected numbers"),
        ({"x": np.where(Y, np.inf, X), "y": Y}, {}, rf"column 'x' has {Y.sum()} infinite values"),
        ({"x": X, "y": np.where(X[0] == X, -np.inf, X)}, {}, "column 'y' has 1 infinite value,"),
        ({"y": Y}, {}, "no column is left to learn from"),
        ({"x": np.ones(N), "y": Y}, {}, r"no column is left.*x: every cell is 1\.0"),
    ],
)
def test_refusals(table, options, message):
    with pytest.raises(DataError, match=message) as error:
        inspect_table(table, **{"target": "y", **options})
    assert "\n" not in str(error.value)


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match="task is 'classify', expected one of classification, regression"):
        inspect_table({"x": X, "y": Y}, "y", task="classify")


def test_a_dropped_column_may_be_broken():
    schema = inspect_table({"x": X, "bad": np.where(Y, np.inf, X), "y": Y}, "y", drop=["bad"])
    assert schema["bad"].dropped == "left out as asked"
    assert [column.name for column in schema.features] == ["x"]


def test_rows_without_target_are_left_out_on_request():
    table = read_table({"x": X, "y": HOLES})
    schema = inspect_table(table, "y", drop_missing_target=True)
    assert schema.n_rows == rows_with_target(table, "y").num_rows == N - 3
    assert "3 of 200 rows have no target and are left out" in schema.notes


@pytest.mark.parametrize(
    "leak",
    [1 - Y, np.array(["u", "v"])[Y], Y * 10 + RNG.normal(size=N), np.where(Y, 0, RNG.choice([-3.0, 3.0], N))],
)
def test_leaks_are_named(leak):
    schema = inspect_table({"x": X, "leak": leak, "y": Y}, "y")
    assert [line.split("'")[1] for line in schema.warnings if "gives the target away" in line] == ["leak"]


@pytest.mark.parametrize(("distance", "leaks"), [(4.0, True), (2.6, False)])
def test_leaks_begin_at_an_auc_of_99_percent(distance, leaks):
    """Two normals at distance d have the AUC Phi(d / sqrt 2): 0.998 for 4 and 0.967 for 2.6."""
    y = np.arange(4000) % 2
    schema = inspect_table({"a": distance * y + np.random.default_rng(9).normal(size=4000), "y": y}, "y")
    assert any("gives the target away" in line for line in schema.warnings) is leaks


def test_few_classes_need_five_rows_each():
    assert inspect_table({"x": X[:50], "t": np.arange(50) % 10}, "t").task == "classification"
    assert inspect_table({"x": X[:49], "t": np.arange(49) % 10}, "t").task == "regression"


def test_leaks_in_regression_and_none_without_one():
    assert any("'a' alone gives" in w for w in inspect_table({"a": X**3, "b": -X, "t": X}, "t").warnings)
    honest = {"a": X + RNG.normal(size=N), "many": [f"k{i}" for i in range(100)] * 2}
    assert not any("gives the target away" in w for w in inspect_table({**honest, "t": X}, "t").warnings)
    assert not any("gives the target away" in w for w in inspect_table({**honest, "t": Y}, "t").warnings)


def test_other_cautions():
    rare = np.where(np.arange(N) < 10, "rare", "often")
    holes = [None] * 150 + ["p", "q"] * 25
    mixed = [str(i % 60) for i in range(140)] + ["V45", "E878"] * 30
    table = {"x": np.where(np.arange(N) > 197, X[0], X), "holes": holes, "mixed": mixed, "y": rare}
    warnings = " | ".join(inspect_table(table, "y").warnings)
    assert "'rare' has 10 of 200 rows (5.0%)" in warnings
    assert "column 'holes' is missing in 75% of the rows" in warnings
    assert "column 'mixed' is text although 70% of its cells are numbers" in warnings
    repeated = inspect_table({"x": np.tile(X[:100], 2), "id": np.arange(N), "y": np.tile(Y[:100], 2)}, "y")
    assert any(line.startswith("100 of 200 rows are copies") for line in repeated.warnings)


def test_schema_round_trip():
    schema = inspect_table({"x": X, "d": ["1/13/2011", "12/2/2011"] * 100, "y": Y == 1}, "y", time="d")
    again = Schema.from_json(json.loads(json.dumps(schema.to_json())))
    assert again == schema
    assert again.classes == (False, True)
    with pytest.raises(ArtifactError, match="expected 'qloom-schema' version 1"):
        Schema.from_json({"format": "qloom-schema", "version": 2})
    with pytest.raises(ArtifactError, match="damaged"):
        Schema.from_json({"format": "qloom-schema", "version": 1})


def test_telco_churn(shared_table):
    path = shared_table("telco_churn/telco_churn.csv.gz")
    schema = inspect_table(path, "Churn")
    plain = pd.read_csv(path)
    assert schema["customerID"].kind == "identifier"
    assert schema["TotalCharges"].kind == "number"
    assert schema["TotalCharges"].n_missing == plain["TotalCharges"].isna().sum() == 11
    assert schema["Contract"].n_distinct == plain["Contract"].nunique()
    assert (schema.task, schema.classes) == ("classification", ("No", "Yes"))
    assert [column.name for column in schema.dropped] == ["customerID"]


def test_bike_sharing(shared_table):
    schema = inspect_table(shared_table("bike_sharing/hour.csv.gz"), "cnt", time="dteday")
    assert schema.task == "regression"
    assert (schema["dteday"].kind, schema["dteday"].date_format) == ("date", "%m/%d/%Y")
    assert [column.name for column in schema.dropped] == ["instant"]
    assert schema["temp"].kind == schema["hr"].kind == "number"


def test_credit_default(shared_table):
    schema = inspect_table(shared_table("credit_default_taiwan/credit_24000.csv.gz"), "default")
    assert (schema.task, schema.classes) == ("classification", (0, 1))
    assert {column.kind for column in schema.features} == {"number"}
    assert len(schema.features) == 23
