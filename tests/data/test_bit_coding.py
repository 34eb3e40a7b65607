"""Tables as bits and back: codes by hand, every kind of column, what is repaired and what is refused."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pyarrow as pa
import pytest

from qloom.data.bit_coding import BitCoding
from qloom.data.code_books import CodeBook, binary_codes, gray_codes, one_hot_codes
from qloom.data.coded_cells import NumberCells
from qloom.data.recognition import find_columns
from qloom.errors import ArtifactError, ConfigError, DataError

N = 400


def table_of_every_kind() -> pa.Table:
    rng = np.random.default_rng(0)
    days = np.datetime64("2024-03-01") + rng.integers(0, 300, N)
    income = np.round(rng.lognormal(10, 1, N), 2)
    colour = rng.choice(["red", "green", "blue", None], N, p=[0.5, 0.3, 0.1, 0.1])
    return pa.table({
        "age": rng.integers(18, 90, N),
        "income": pa.array(np.where(rng.random(N) < 0.1, np.nan, income), from_pandas=True),
        "children": rng.integers(0, 4, N).astype(float),
        "colour": pa.array(colour.tolist()),
        "member": rng.random(N) < 0.3,
        "answer": rng.choice(["yes", "no"], N),
        "joined": pa.array(days.astype("datetime64[D]")),
        "seen": pa.array((days.astype("datetime64[h]") + rng.integers(0, 24, N)).astype("datetime64[s]")),
        "price": [f"{value:,.2f} €" for value in income],
        "written": [f"{day.day:02d}.{day.month:02d}.{day.year}" for day in days.tolist()],
        "fixed": [7] * N,
        "empty": pa.nulls(N),
        "id": rng.permutation(N),
    })  # fmt: skip


def bins_of(values: np.ndarray, cells: NumberCells) -> np.ndarray:
    return np.searchsorted(cells.starts, values, side="right")


def test_codes_by_hand():
    gray = ["000", "001", "011", "010", "110", "111", "101", "100"]
    assert ["".join(map(str, row)) for row in gray_codes(8)] == gray
    assert ["".join(map(str, row)) for row in gray_codes(5)] == gray[:5]
    assert binary_codes(3).tolist() == [[0, 0], [0, 1], [1, 0]]
    assert one_hot_codes(3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert one_hot_codes(2).tolist() == [[0], [1]]
    assert [make(1).shape for make in (gray_codes, binary_codes, one_hot_codes)] == [(1, 0)] * 3


def test_neighbouring_gray_codes_differ_in_one_bit():
    assert (np.abs(np.diff(gray_codes(100).astype(int), axis=0)).sum(axis=1) == 1).all()


def test_a_missing_cell_is_a_flag_and_zeros():
    assert CodeBook("gray", (5, 5, 5), 2).codes.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 0, 0]]
    assert CodeBook("one-hot", (5,), 2).codes.tolist() == [[0], [1]]
    assert CodeBook("one-hot", (), 2).codes.shape == (1, 0)


def test_quantile_bins_by_hand():
    """Nine zeros stay together; the other numbers are cut by the share of rows below them."""
    coding = BitCoding(bins=4).fit({"x": [0.0] * 9 + [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]})
    cells = coding.columns[0].cells
    # Shares below, to the middle of each number: 0.28, then 0.59, 0.66, 0.72, 0.78, ...
    assert cells.starts == (1.5, 4.5)
    assert coding.columns[0].counts == (9, 3, 4)
    assert cells.knots[0] == (0.0,)


def test_few_numbers_have_a_code_each_and_come_back():
    values = np.array([3, 1, 1, 10, 3, 1] * 5)
    coding = BitCoding(bins=4).fit({"x": values})
    assert coding.encode({"x": [1, 3, 10]}).tolist() == [[0, 0], [0, 1], [1, 1]]
    np.testing.assert_array_equal(coding.decode(coding.encode({"x": values}), 0)["x"].to_numpy(), values)


@pytest.mark.parametrize("categories", ["one-hot", "binary"])
def test_every_kind_comes_back_with_its_bits_and_its_type(categories):
    table = table_of_every_kind()
    coding = BitCoding(bins=8, categories=categories).fit(table)
    bits = coding.encode(table)
    assert bits.shape == (N, coding.n_bits)
    assert bits.dtype == np.uint8
    back = coding.decode(bits, random=1)
    np.testing.assert_array_equal(coding.encode(back), bits)
    assert coding.repaired(bits) == {}
    assert back.column_names == [name for name in table.column_names if name != "id"]
    assert "column 'id' is left out: 400 distinct whole numbers that run through the rows" in coding.notes
    types = {name: str(back[name].type) for name in back.column_names}
    assert types == {
        "age": "int64", "income": "double", "children": "double", "colour": "string", "member": "bool",
        "answer": "string", "joined": "date32[day]", "seen": "timestamp[s]", "price": "double",
        "written": "date32[day]", "fixed": "int64", "empty": "null",
    }  # fmt: skip
    for name in ("children", "colour", "member", "answer", "fixed", "empty"):
        assert back[name].to_pylist() == table[name].to_pylist()
    assert [cell is None for cell in back["income"].to_pylist()] == [c is None for c in table["income"].to_pylist()]
    assert all(stamp.minute == stamp.second == 0 for stamp in back["seen"].to_pylist())


def test_numbers_that_do_not_repeat_come_back_between_neighbours():
    """Within their bin, hence in the same quantile range, and none as it was; two digits after the point stay two."""
    table = table_of_every_kind()
    coding = BitCoding().fit(table.select(["income"]))
    before = np.array([np.nan if v is None else v for v in table["income"].to_pylist()])
    after = np.array([np.nan if v is None else v for v in coding.decode(coding.encode(table), 0)["income"].to_pylist()])
    present = ~np.isnan(before)
    cells = coding.columns[0].cells
    assert cells.between
    assert (bins_of(before[present], cells) == bins_of(after[present], cells)).all()
    assert np.isin(after[present], before[present]).mean() < 0.1
    np.testing.assert_array_equal(np.round(after[present], 2), after[present])


def test_numbers_that_repeat_come_back_as_observed_by_their_share():
    ages = table_of_every_kind()["age"]
    coding = BitCoding().fit({"age": ages})
    assert not coding.columns[0].cells.between
    bits = np.repeat(coding.encode({"age": ages}), 50, axis=0)
    back = coding.decode(bits, 0)["age"].to_numpy()
    assert np.isin(back, ages.to_numpy()).all()
    # 32 quantiles of each of 8 bins: no share of numbers below any is off by more than 1 / 256, and by chance of 20,000
    # draws: five deviations at 73 places, at most one seed in 20,000.
    grid = np.arange(18, 91)
    shares = [(numbers[:, None] <= grid).mean(axis=0) for numbers in (back, ages.to_numpy())]
    assert np.abs(shares[0] - shares[1]).max() < 1 / 256 + 5 * 0.5 / np.sqrt(20_000)


def test_rare_levels_are_one_value_and_come_back_by_their_share():
    cells = ["a"] * 50 + ["b"] * 30 + ["c"] * 12 + ["d"] * 6 + ["e"] * 2
    coding = BitCoding(max_levels=3, min_rows=5).fit({"x": cells, "y": [0, 1] * 50})
    assert coding.columns[0].cells.levels == ("a", "b")
    assert "column 'x': levels beyond the 2 most frequent, 0.2 of the rows" in coding.notes[0]
    assert coding.encode({"x": ["c", "e", "never seen"], "y": [0, 1, 0]})[:, :3].tolist() == [[0, 0, 1]] * 3
    drawn = coding.decode(np.tile([[0, 0, 1, 0]], (9000, 1)), 0)["x"].to_pylist()
    assert set(drawn) == {"c", "d"}  # e had fewer than 5 rows
    # 12 to 6: 6,000 of 9,000 with a deviation of 45; beyond five of them one seed in two million.
    assert abs(drawn.count("c") - 6000) < 225


def test_rare_levels_of_too_few_rows_come_back_as_rare():
    coding = BitCoding(min_rows=5).fit({"x": ["a"] * 20 + ["b"] * 20 + ["lone"] * 2, "y": [0, 1] * 21})
    assert coding.decode(np.array([[0, 0, 1, 0]]), 0)["x"].to_pylist() == ["(rare)"]


def test_unknown_patterns_are_read_as_the_nearest_by_their_share():
    """Two bits set of three: one of both levels. None set: any level. Their shares are those of training."""
    coding = BitCoding().fit({"x": ["a"] * 60 + ["b"] * 30 + ["c"] * 10, "y": [0, 1] * 50})
    none, two = np.tile([[0, 0, 0, 1]], (10_000, 1)), np.tile([[0, 1, 1, 1]], (10_000, 1))
    drawn = np.array(coding.decode(none, 0)["x"].to_pylist())
    # Deviations are below 50; five of them are passed by one seed in two million.
    for level, expected in (("a", 6000), ("b", 3000), ("c", 1000)):
        assert abs((drawn == level).sum() - expected) < 250
    drawn = np.array(coding.decode(two, 0)["x"].to_pylist())
    assert set(drawn.tolist()) == {"b", "c"}
    assert abs((drawn == "b").sum() - 7500) < 250
    assert coding.repaired(np.vstack([none[:30], two[:10], [[1, 0, 0, 0]] * 40])) == {"x": 0.5}


def test_a_coding_is_saved_as_plain_values():
    table = table_of_every_kind()
    coding = BitCoding(categories="binary").fit(table)
    loaded = BitCoding.from_json(json.loads(json.dumps(coding.to_json(), allow_nan=False)))
    bits = coding.encode(table)
    np.testing.assert_array_equal(loaded.encode(table), bits)
    assert loaded.decode(bits, 3).equals(coding.decode(bits, 3))
    assert loaded.notes == coding.notes


def test_a_damaged_record_is_refused():
    record = BitCoding().fit({"x": [0, 1, 0, 1]}).to_json()
    for damaged in ({**record, "version": 9}, {**record, "columns": [{"name": "x"}]}, {**record, "settings": {"a": 1}}):
        with pytest.raises(ArtifactError):
            BitCoding.from_json(damaged)


def test_fewer_bits_are_found_where_there_are_any():
    table = table_of_every_kind()
    coding = BitCoding().fit(table)
    found = [column for column, _ in find_columns(table, None, (), {})]
    assert coding.n_bits > 24
    smaller = coding.smaller(table, found, 24)
    assert smaller is not None
    assert smaller.n_bits <= 24
    assert coding.smaller(table, found, 3) is None


def test_large_samples_are_read_in_parts(monkeypatch):
    monkeypatch.setattr("qloom.data.bit_coding._SLICE", 64)
    table = table_of_every_kind()
    coding = BitCoding().fit(table)
    assert coding.decode(coding.encode(table), 0).num_rows == N


def test_what_training_had_not_is_told():
    coding = BitCoding().fit({"x": ["a", "b"] * 20, "y": list(range(20)) * 2})
    bits, strange = coding.coded({"x": ["a", "new", "b"], "y": [1, 2, None]})
    assert {name: rows.tolist() for name, rows in strange.items()} == {
        "x": [False, True, False], "y": [False, False, True],
    }  # fmt: skip
    assert bits.shape == (3, coding.n_bits)
    with pytest.raises(DataError, match="column 'x' holds what training had not in 1 of 2 rows"):
        coding.encode({"x": ["a", "new"], "y": [1, 2]})


@pytest.mark.parametrize(("table", "error"), [
    ({"x": [1]}, "1 row, expected two or more"),
    ({"x": [1, 1, 1]}, "no column of 1 can be coded and varies"),
    ({"x": [1.0, float("inf"), 2.0]}, "column 'x' has 1 infinite value"),
    ({"id": list(range(100))}, "left out are 'id'"),
])  # fmt: skip
def test_tables_that_cannot_be_coded(table, error):
    with pytest.raises(DataError, match=error):
        BitCoding().fit(table)


@pytest.mark.parametrize(("settings", "error"), [
    ({"bins": 1}, "bins=1, expected an integer of at least 2"),
    ({"max_levels": 1.5}, "max_levels=1.5"),
    ({"min_rows": 0}, "min_rows=0"),
    ({"categories": "gray"}, "categories='gray', expected one-hot or binary"),
])  # fmt: skip
def test_settings_that_cannot_be(settings, error):
    with pytest.raises(ConfigError, match=error):
        BitCoding(**settings)


def test_bits_of_another_number_and_no_fit_are_refused():
    coding = BitCoding().fit({"x": [0, 1, 0, 1]})
    with pytest.raises(DataError, match=r"bits have shape \(3, 2\), expected \(N, 1\)"):
        coding.decode(np.zeros((3, 2)))
    with pytest.raises(DataError, match="call fit first"):
        _ = BitCoding().columns
    with pytest.raises(DataError, match="no column 'x'"):
        coding.encode({"y": [1]})


def test_dates_come_back_within_training():
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=k) for k in range(0, 400, 3)]
    coding = BitCoding(bins=4).fit({"day": days})
    back = coding.decode(coding.encode({"day": days}), 0)["day"].to_pylist()
    assert min(days) <= min(back) <= max(back) <= max(days)
    assert coding.columns[0].became == "2 bits: 4 bins, gray"
