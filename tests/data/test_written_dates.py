"""Dates in the forms that occur, against Python's own."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from qloom.data import Preprocessing, inspect_table, read_table
from qloom.data.written_dates import find_dates, read_dates
from qloom.errors import DataError

N = 120
Y = np.arange(N) % 2


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("02-Jun-06", "2006-06-02"),
        ("2006-06-02T10:00:00Z", "2006-06-02 10:00"),
        ("2006-06-02T10:00:00+02:00", "2006-06-02 08:00"),
        ("2006-06-02 10:00:00.123456789", "2006-06-02 10:00"),
        ("20060602", "2006-06-02"),
        ("2. Juni 2006", "2006-06-02"),
        ("02. Mär 2006", "2006-03-02"),
        ("2 août 2006", "2006-08-02"),
        ("02JUN2006", "2006-06-02"),
        ("June 2, 2006", "2006-06-02"),
        ("Fri, 02 Jun 2006 10:00:00 +0200", "2006-06-02 08:00"),
        ("6/22/06 3:05 PM", "2006-06-22 15:05"),
        ("2006Q2", "2006-04-01"),
        ("Q4 2006", "2006-10-01"),
        ("2006-06", "2006-06-01"),
        ("06/2006", "2006-06-01"),
        ("Okt 2006", "2006-10-01"),
        ("22.06.2006 10:30", "2006-06-22 10:30"),
    ],
)
def test_forms(cell, expected):
    column = pa.chunked_array([[cell] * 3])
    read = read_dates(column, find_dates(column).format)
    assert read.to_pylist() == [datetime.fromisoformat(expected)] * 3


@pytest.mark.parametrize("cells", [["1.5", "2.5"], ["12", "13"], ["a b", "c d"], ["2006", "2007"], ["10-20", "30-40"]])
def test_what_is_no_date(cells):
    assert find_dates(pa.chunked_array([cells])) is None


def test_days_that_do_not_exist_are_no_dates():
    """strptime of the C library makes the 31st of February a day of March."""
    read = read_dates(pa.chunked_array([["31/2/2006", "28/2/2006"]]), "%d/%m/%Y")
    assert read.to_pylist() == [None, datetime(2006, 2, 28)]


def test_two_forms_in_a_column():
    cells = [f"{1 + i % 12}/{13 + i % 15}/14" if i % 3 else f"2008-12-{1 + i % 28:02d}" for i in range(N)]
    found = find_dates(pa.chunked_array([[*cells, "Pre-PQ Process"]]))
    assert (found.format, found.other, found.n_words) == ("%m/%d/%y|iso", "", 1)
    assert read_dates(pa.chunked_array([cells]), found.format)[3].as_py() == datetime(2008, 12, 4)
    swapped = find_dates(pa.chunked_array([["13/1/2014", "14/1/2014", "15/1/2014", "1/13/2014"]]))
    assert (swapped.format, swapped.n_words) == ("%d/%m/%Y", 1)  # never two orders of day and month


def test_whole_numbers_that_are_days():
    days = [20060601 + i % 28 for i in range(N)]
    table = read_table({"d": days, "y": Y})
    schema = inspect_table(table, "y")
    assert (schema["d"].kind, schema["d"].shown) == ("date", "2006-06-01 to 2006-06-28")
    fitted = Preprocessing().fit(table, schema)
    text = read_table({"d": [f"2006-06-{1 + i % 28:02d}" for i in range(N)], "y": Y})
    np.testing.assert_array_equal(fitted.transform(table), fitted.transform(text))
    assert inspect_table({"d": [20060601 + i % 90 for i in range(N)], "y": Y}, "y")["d"].kind == "number"


def test_the_order_of_day_and_month_is_said():
    cells = {"d": [f"{1 + i % 12}/{1 + (i * 5) % 12}/2011" for i in range(N)], "y": Y}
    schema = inspect_table(cells, "y")
    assert schema["d"].date_format == "%m/%d/%Y"
    told = next(note for note in schema.notes if "'d'" in note)
    assert told == (
        "column 'd' is read as %m/%d/%Y (2/6/2011 is 2011-02-06); if %d/%m/%Y is meant: kinds={'d': 'date:%d/%m/%Y'}"
    )
    assert inspect_table(cells, "y", kinds={"d": "date:%d/%m/%Y"})["d"].date_format == "%d/%m/%Y"


def test_few_words_among_dates_count_as_missing():
    cells = ["Pre-PQ Process"] * 40 + [f"{1 + i % 28:02d}-Jun-{i % 9:02d}" for i in range(N - 40)]
    table = read_table({"sent": cells, "y": Y})
    schema = inspect_table(table, "y")
    assert (schema["sent"].kind, schema["sent"].n_words) == ("date", 40)
    assert any("'sent' holds dates but for 40 of 120 cells ('Pre-PQ Process' 40)" in note for note in schema.notes)
    fitted = Preprocessing.from_json(Preprocessing().fit(table, schema).to_json())
    assert fitted.transform(read_table({"sent": ["unknown"]}))[0, -1] == 1


def test_words_that_training_did_not_have_are_refused():
    table = read_table({"d": [f"{1 + i % 28:02d}-Jun-06" for i in range(N)], "y": Y})
    fitted = Preprocessing().fit(table, inspect_table(table, "y"))
    with pytest.raises(DataError, match="column 'd' holds 'soon', expected dates written as %d-%b-%y"):
        fitted.transform(read_table({"d": ["soon"]}))
