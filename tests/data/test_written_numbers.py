"""Numbers as people write them, each against its value."""

import numpy as np
import pyarrow as pa
import pytest

from qloom.data import Preprocessing, Schema, TargetCoding, inspect_table, read_table
from qloom.data.written_numbers import NumberFormat, find_numbers, read_numbers
from qloom.errors import ConfigError, DataError

N = 200
RNG = np.random.default_rng(3)
X = RNG.normal(size=N)


def read(cells, hint=""):
    column = pa.chunked_array([cells])
    found = find_numbers(column, hint)
    return found.format.pattern, read_numbers(column, found.format).to_pylist()


@pytest.mark.parametrize(
    ("cells", "pattern", "values"),
    [
        (["1.097,98", "7.186", "-3,5"], "1.234,5", [1097.98, 7186.0, -3.5]),
        (["$7,186.31", "-$3.5", "$-2", "($1,200)"], "$1,234.5", [7186.31, -3.5, -2, -1200]),
        (["36,367", "1,200", "999"], "1,234.5", [36367, 1200, 999]),
        (["48.8%", "5 %", "0"], "1,234.5 %", [48.8, 5, 0]),
        (["(1,234)", "12", "+7"], "1,234.5", [-1234, 12, 7]),
        (["1 234,5", "1\u202f000,25", "2\u00a0000,5"], "1.234,5", [1234.5, 1000.25, 2000.5]),
        (["1'234.50", "1\u2019000.25"], "1,234.5", [1234.5, 1000.25]),
        (["-1e3", "2.5E-3", "1,000"], "1,234.5", [-1000, 0.0025, 1000]),
        (["12-", "5", "\u22123"], "1,234.5", [-12, 5, -3]),
        (["12 kg", "3.5 KG", "4", "5kg"], "1,234.5 kg", [12, 3.5, 4, 5]),
        (["3.5 km/h", "1,003 km/h"], "1,234.5 km/h", [3.5, 1003]),
        (["CHF 1'200.50", "CHF 3"], "CHF 1,234.5", [1200.5, 3]),
        (["1.200,50 €", "3 €"], "€1.234,5", [1200.5, 3]),
        (["1.200,50 EUR", "EUR 3"], "EUR 1.234,5", [1200.5, 3]),
        (["36 months", "60 months"], "1,234.5 months", [36, 60]),
        (["1,00,000", "99.5"], "1,234.5", [100000, 99.5]),
        (["1.234.567", "3"], "1.234,5", [1234567, 3]),
        (["5 m2", "7.5 m2"], "1,234.5 m2", [5, 7.5]),
        (["123456789012345678901", "1,000"], "1,234.5", [123456789012345678901.0, 1000]),
    ],
)
def test_values(cells, pattern, values):
    assert read(cells) == (pattern, values)
    assert NumberFormat.of(pattern).pattern == pattern


@pytest.mark.parametrize(
    ("cells", "hint", "values"),
    [
        (["7.186", "1.250"], "", [7.186, 1.25]),  # a point is a decimal one,
        (["7.186", "1.250"], ",", [7186, 1250]),  # unless other columns have decimal commas
        (["7.186", "950", "12.450"], "", [7186, 950, 12450]),  # or what has no point is below 1000
        (["7.186", "15000"], "", [7.186, 15000]),
        (["36,367", "1,200"], "", [36367, 1200]),  # a comma before three digits separates thousands
        (["36,367", "1,200"], ",", [36.367, 1.2]),
        (["7.186", "1,5"], "", [7186, 1.5]),  # one cell decides for all
        (["0.186", "7.186"], ",", [0.186, 7.186]),
    ],
)
def test_the_whole_column_decides(cells, hint, values):
    assert read(cells, hint)[1] == values


@pytest.mark.parametrize(
    "cells",
    [["1.2.2011"], ["12:30"], ["10-20"], ["A1", "B2"], ["02-Jun-06"], ["192.168.0.1"], ["1/2"], ["red"], [None]],
)
def test_what_is_no_number(cells):
    assert find_numbers(pa.chunked_array([pa.array(cells, pa.string())])) is None


def euro(value):
    return f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def test_a_german_column_keeps_what_it_says():
    """Every cell with a separator of thousands, so that a point could be a decimal one in any row read alone."""
    sales = np.round(np.exp(RNG.normal(7, 1, N)), 2)
    table = read_table({"Umsatz": [euro(v) for v in sales], "y": (sales > np.median(sales)).astype(int)})
    schema = inspect_table(table, "y")
    assert (schema["Umsatz"].kind, schema["Umsatz"].number_format) == ("number", "1.234,5")
    fitted = Preprocessing().fit(table, schema)
    plain = read_table({"Umsatz": sales, "y": table["y"]})
    same = Preprocessing().fit(plain, inspect_table(plain, "y"))
    np.testing.assert_array_equal(fitted.transform(table), same.transform(plain))
    again = Preprocessing.from_json(fitted.to_json())
    row = again.transform(read_table({"Umsatz": ["7.186"]}))
    np.testing.assert_array_equal(row, same.transform(read_table({"Umsatz": [7186.0]})))
    with pytest.raises(DataError, match=r"'Umsatz' holds the text '12\.5', expected numbers written like 1\.234,5"):
        again.transform(read_table({"Umsatz": ["12.5", "x"]}))


def test_a_file_with_decimal_commas_in_other_columns(write):
    rows = [f"{v:.2f}".replace(".", ",") + f";{1 + i % 9}.{100 + i};{i % 2}" for i, v in enumerate(X)]
    path = write("t.csv", "\n".join(["a;b;y", *rows]))
    table = read_table(path)
    schema = inspect_table(table, "y")
    assert schema["b"].shown == "1100 to 9297"
    assert any("column 'b': 1.100 is read as 1100; if not so: kinds={'b': 'number:1,234.5'}" in n for n in schema.notes)
    fitted = Preprocessing().fit(table, schema)
    single = read_table(write("one.csv", "a;b\n0,5;7.186\n"))
    whole = read_table({"a": [0.5], "b": [7186]})
    np.testing.assert_array_equal(fitted.transform(single), fitted.transform(whole))


def test_the_form_can_be_said():
    cells = {"b": [f"{1 + i % 9}.{100 + i}" for i in range(N)], "y": np.arange(N) % 2}
    assert inspect_table(cells, "y")["b"].shown == "1.1 to 9.297"
    assert inspect_table(cells, "y", kinds={"b": "number:1.234,5"})["b"].shown == "1100 to 9297"
    with pytest.raises(ConfigError, match=r"written like '12', expected 1234\.5 in that form"):
        inspect_table(cells, "y", kinds={"b": "number:12"})


def test_several_units_are_said():
    mixed = [f"{i % 50} {'kg' if i % 3 else 'mg'}" for i in range(N)]
    schema = inspect_table({"dose": mixed, "y": np.arange(N) % 2}, "y")
    assert schema["dose"].kind == "category"
    assert any("'dose' holds numbers in several units (kg, mg)" in warning for warning in schema.warnings)
    with pytest.raises(DataError, match="is to be a number and holds several units"):
        inspect_table({"dose": mixed, "y": np.arange(N) % 2}, "y", kinds={"dose": "number"})


def test_few_words_among_numbers_count_as_missing():
    cells = [str(i % 60) for i in range(N - 10)] + ["unknown"] * 10
    table = read_table({"age": cells, "y": np.arange(N) % 2})
    schema = inspect_table(table, "y")
    assert (schema["age"].kind, schema["age"].n_words, schema["age"].shown) == ("number", 10, "0 to 59")
    assert any("'age' holds numbers but for 10 of 200 cells ('unknown' 10)" in note for note in schema.notes)
    features = Preprocessing().fit(table, schema)
    assert features.feature_names == ["age", "age missing"]
    assert features.transform(read_table({"age": ["lost"]}))[0, 1] == 1


def test_a_target_in_dollars_is_a_number():
    price = np.round(np.exp(RNG.normal(8, 1, N)), 2)
    table = read_table({"x": X, "price": [f"${v:,.2f}" for v in price]})
    schema = inspect_table(table, "price")
    assert schema.task == "regression"
    assert schema.notes[0].startswith("target 'price' is taken for a number (")
    coding = TargetCoding.from_json(TargetCoding.fit(table, schema).to_json())
    np.testing.assert_allclose(coding.decode(coding.encode(table)), price, rtol=1e-5)
    assert Schema.from_json(schema.to_json()) == schema


def test_a_count_as_target_is_said_to_be_taken_for_classes():
    notes = inspect_table({"x": X, "n": np.arange(N) % 5}, "n").notes
    assert notes[0] == "target 'n' is taken for 5 classes (0, 1, 2, 3, 4); for a number: task='regression'"
    assert "taken for" not in " ".join(inspect_table({"x": X, "n": np.arange(N) % 5}, "n", task="regression").notes)


def test_classes_keep_their_text():
    schema = inspect_table({"x": X, "stars": [f"{1 + i % 5} stars" for i in range(N)]}, "stars")
    assert schema.classes == ("1 stars", "2 stars", "3 stars", "4 stars", "5 stars")
