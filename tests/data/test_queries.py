"""SQL sees columns with the types that were recognised."""

import numpy as np
import pytest

from qloom.data import Preprocessing, inspect_table, read_table
from qloom.errors import ConfigError, DataError

LATE = 'select *, "Delivered to Client Date" > "Scheduled Delivery Date" as late from data'


def test_late_deliveries(shared_table):
    """1,186 of 10,324 deliveries came after their day: as text 12.9% would be late."""
    path = shared_table("scms_supply_chain/SCMS_Delivery_History_Dataset.csv.gz")
    late = read_table(path, LATE)["late"].to_numpy(zero_copy_only=False)
    assert (late.sum(), len(late)) == (1186, 10_324)


def test_words_among_dates_are_left_out_and_said(shared_table):
    path = shared_table("scms_supply_chain/SCMS_Delivery_History_Dataset.csv.gz")
    table = read_table(path, 'select "PQ First Sent to Client Date" as sent, "Line Item Quantity" as n from data')
    assert table["sent"].null_count == 2476 + 205
    note = inspect_table(table, "n").notes[0]
    assert "holds dates but for 2681 of 10324 cells ('Pre-PQ Process' 2476, 'Date Not Captured' 205)" in note


N = 90
ROWS = [f"{1 + i % 28:02d}-Jun-06;{1 + i % 9}.{100 + i};{i % 7},5;{i % 2}" for i in range(N)]
CSV = "\n".join(["day;sales;rate;y", *ROWS])
QUERY = "select sales / 1000 as thousands, date_diff('day', date '2006-06-01', day) as days, sales, day{y} from data"


def test_one_row_is_read_as_training_was(write):
    table = read_table(write("t.csv", CSV), QUERY.format(y=", y"))
    assert table["thousands"].to_pylist()[:2] == [1.1, 2.101]
    assert table["days"].to_pylist()[:3] == [0, 1, 2]
    fitted = Preprocessing().fit(table, inspect_table(table, "y"))
    loaded = Preprocessing.from_json(fitted.to_json())
    one = write("one.csv", "day;sales;rate\n03-Jun-06;7.186;1\n")
    again = read_table(one, QUERY.format(y=""), known=loaded.queried)
    assert again["thousands"].to_pylist() == [7.186]
    assert again["days"].to_pylist() == [2]
    whole = read_table({"thousands": [7.186], "days": [2], "sales": [7186], "day": np.array(["2006-06-03"], "M8[s]")})
    np.testing.assert_allclose(loaded.transform(again), loaded.transform(whole), atol=1e-6)


def test_columns_passed_on_are_read_without_the_query_too(write):
    table = read_table(write("t.csv", CSV), "select day, sales, y from data")
    fitted = Preprocessing().fit(table, inspect_table(table, "y"))
    one = read_table(write("one.csv", "day;sales\n03-Jun-06;7.186\n"))
    whole = read_table({"sales": [7186], "day": np.array(["2006-06-03"], "M8[s]")})
    np.testing.assert_array_equal(fitted.transform(one), fitted.transform(whole))


def test_kinds_can_be_said_for_what_the_query_sees(write):
    path = write("t.csv", "a,y\n" + "\n".join(f"{1 + i % 9}.{100 + i},{i % 2}" for i in range(N)))
    assert read_table(path, "select max(a) from data")[0][0].as_py() == pytest.approx(9.188, abs=0.01)
    assert read_table(path, "select max(a) from data", kinds={"a": "number:1.234,5"})[0][0].as_py() > 9000
    with pytest.raises(ConfigError, match="column 'a' is to be 'zahl', expected one of number, category"):
        read_table(path, "select a from data", kinds={"a": "zahl"})
    with pytest.raises(DataError, match="no column 'b' in the table of 2 columns, needed as kinds says"):
        inspect_table(path, "y", kinds={"b": "number"})
