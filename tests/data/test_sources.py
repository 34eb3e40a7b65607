"""Every source gives the same table."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from qloom.data import read_table, table_from_array
from qloom.errors import DataError

CELLS = {"n": [1, 2, 3], "x": [0.5, None, 2.5], "word": ["a", None, "c"], "flag": [True, False, None]}
TABLE = pa.table(CELLS)


def _parquet(folder):
    parquet.write_table(TABLE, folder / "t.parquet")
    return folder / "t.parquet"


def _feather(folder):
    feather.write_feather(TABLE, folder / "t.feather")
    return str(folder / "t.feather")


def _stream(folder):
    with pa.ipc.new_stream(folder / "t.arrow", TABLE.schema) as writer:
        writer.write_table(TABLE)
    return folder / "t.arrow"


def _duckdb_file(folder):
    with duckdb.connect(str(folder / "t.duckdb")) as connection:
        connection.register("given", TABLE)
        connection.execute("create table kept as select * from given")
    return folder / "t.duckdb"


def _pandas(folder):
    frame = pd.DataFrame({"n": CELLS["n"], "x": [0.5, np.nan, 2.5], "word": CELLS["word"]}, index=[7, 8, 9])
    return frame.assign(flag=pd.array(CELLS["flag"], dtype="boolean"))


SOURCES = {
    "parquet": _parquet,
    "feather": _feather,
    "arrow stream": _stream,
    "duckdb file": _duckdb_file,
    "pandas": _pandas,
    "pandas category": lambda folder: _pandas(folder).astype({"word": "category"}),
    "polars": lambda folder: pl.DataFrame(CELLS),
    "polars category": lambda folder: pl.DataFrame(CELLS).with_columns(pl.col("word").cast(pl.Categorical)),
    "polars lazy": lambda folder: pl.LazyFrame(CELLS),
    "arrow": lambda folder: TABLE,
    "record batch": lambda folder: TABLE.to_batches()[0],
    "dict": lambda folder: {**CELLS, "x": np.array([0.5, np.nan, 2.5])},
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_sources_agree(source, tmp_path):
    assert read_table(source(tmp_path)).to_pydict() == CELLS


def test_queries(tmp_path):
    with duckdb.connect() as connection:
        connection.execute("create table a as select range as i, range * 0.5 as x from range(4)")
        connection.execute("create table b as select 1 as one")
        assert read_table(connection, "select sum(i)::int as s from a").to_pydict() == {"s": [6]}
        with pytest.raises(DataError, match=r"has 2 tables: a, b, expected one; say which with query="):
            read_table(connection)
        with pytest.raises(DataError, match=r"the query fails in DuckDB: .*; correct the SQL"):
            read_table(connection, "select nothing from a")
        with pytest.raises(DataError, match="result has 0 rows"):
            read_table(connection, "select * from a where i > 9")
        assert read_table(connection.sql("select 2 as two")).to_pydict() == {"two": [2]}
    assert read_table(_duckdb_file(tmp_path), "select n from kept where n > 1").to_pydict() == {"n": [2, 3]}
    assert read_table(TABLE, "select max(n) as m from data").to_pydict() == {"m": [3]}


def test_text_cells_mean_the_same_in_every_source():
    table = read_table({"a": ["x", "?", " NA ", "", " y "]})
    assert table["a"].to_pylist() == ["x", None, None, None, "y"]


def test_decimals_and_times_are_numbers():
    with duckdb.connect() as connection:
        table = read_table(connection, "select 1.25::decimal(6,2) as d, time '00:00:02' as t")
    assert table.to_pydict() == {"d": [1.25], "t": [2_000_000]}


def test_table_from_array():
    table = table_from_array(np.array([[1.0, np.nan], [3.0, 4.0]], dtype=np.float32), names=["a", "b"])
    assert table.to_pydict() == {"a": [1.0, 3.0], "b": [None, 4.0]}
    assert table_from_array(np.zeros((1, 3), dtype=np.int64)).column_names == ["x0", "x1", "x2"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.csv", "no file nowhere.csv"),
        ({"a": [1, 2], "b": [1]}, r"differ in length \(a 2, b 1\)"),
        ({"a": np.zeros((2, 2))}, "column 'a' cannot be held as Arrow"),
        ({}, "has 0 rows and 0 columns"),
        ({"a": []}, "has 0 rows and 1 columns"),
        (5, "cannot read a table from int"),
        (np.zeros(3), r"shape \(3,\)"),
        (np.array([["a"]]), "dtype <U1"),
        (pd.DataFrame({"a": [1, "x"]}), "Conversion failed for column a"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "column name 'a' stands twice in the pandas frame"),
        (pa.table([[1], [2]], names=["a", "a"]), "column name 'a' stands twice in the Arrow table"),
    ],
)
def test_refusals(source, message):
    with pytest.raises(DataError, match=message) as error:
        read_table(source)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.feather"])
def test_damaged_files_are_refused(write, name):
    with pytest.raises(DataError, match=rf"{name} cannot be read \("):
        read_table(write(name, "damaged, certainly"))


def test_folders_and_foreign_files_are_refused(write, tmp_path):
    with pytest.raises(DataError, match="is a folder without Parquet or Arrow files"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="is a pickle, which may run code"):
        read_table(write("t.pkl", "PK"))


def test_a_folder_is_the_table_of_its_files(tmp_path):
    for k in range(3):
        parquet.write_table(pa.table({"x": [k, k + 10], "c": ["a", "?"]}), tmp_path / f"part-{k}.parquet")
    table = read_table(tmp_path)
    assert table.to_pydict() == {"x": [0, 10, 1, 11, 2, 12], "c": ["a", None] * 3}
    assert read_table(tmp_path, "SELECT sum(x) AS s FROM data").to_pydict() == {"s": [36]}


def test_names_must_fit_the_array():
    with pytest.raises(DataError, match="1 names for 2 columns"):
        table_from_array(np.zeros((2, 2)), names=["a"])
