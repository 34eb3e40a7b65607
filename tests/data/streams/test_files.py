"""Files read in place: their order, their types, the same bits every time, and what is wrong with them in one line."""

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from qloom.data import read_table
from qloom.data.streams import HeldRows, open_stream
from qloom.data.streams.files import FileRows, find_files
from qloom.errors import DataError
from tests.data.streams.conftest import make_table, write_parts


def whole(stream):
    """All rows of a stream."""
    return pa.concat_tables([stream.read(block) for block in range(len(stream.blocks))])


def opened(path, tmp_path):
    return open_stream(path, spool=tmp_path / "spool")


def test_rows_are_those_of_the_files_in_order(table, folder, tmp_path):
    stream = opened(folder, tmp_path)
    assert stream.n_rows == table.num_rows
    assert [block.first for block in stream.blocks] == [0, 60_000]  # groups of 25,000 and 5,000, also across files
    assert whole(stream).equals(read_table(table))
    assert stream.description.startswith("3 Parquet files, 90,000 rows, ")
    assert not (tmp_path / "spool").exists()


def test_a_block_is_the_same_whenever_it_is_read_and_columns_come_as_named(folder, tmp_path):
    stream = opened(folder, tmp_path)
    first, names = stream.read(1), ["when", "even"]
    assert stream.read(1).equals(first)
    assert stream.read(1, names).equals(first.select(names))
    assert stream.schema == first.schema


def test_groups_of_several_files_are_one_block(tmp_path):
    write_parts(make_table(1000), tmp_path / "small", n_files=10, group_rows=30)
    stream = opened(tmp_path / "small", tmp_path)
    assert len(stream.blocks) == 1
    assert whole(stream).equals(read_table(make_table(1000)))


def test_groups_that_are_too_large_are_written_again_in_smaller_ones(tmp_path):
    table = pa.table({"x": np.arange(300_000), "y": np.arange(300_000) % 2})
    parquet.write_table(table, tmp_path / "one.parquet")
    stream = opened(tmp_path / "one.parquet", tmp_path)
    assert max(block.n_rows for block in stream.blocks) <= 65_536
    assert whole(stream).equals(table)
    assert "whose groups of up to 300,000 rows are too large to hold" in stream.description
    again = opened(tmp_path / "one.parquet", tmp_path)
    assert "as written before" in again.description
    assert again.fingerprint() == stream.fingerprint()


def test_folders_that_name_a_value_give_a_column(tmp_path):
    for year, place in ((2020, "a b"), (2021, "c%2Fd"), (2021, "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / "t" / f"year={year}" / f"place={place}"
        folder.mkdir(parents=True)
        parquet.write_table(pa.table({"x": [1.0, 2.0]}), folder / "0.parquet")
    (tmp_path / "t" / "_SUCCESS").write_text("")
    (tmp_path / "t" / "_metadata.parquet").write_text("no table")
    rows = whole(opened(tmp_path / "t", tmp_path))
    assert rows["year"].to_pylist() == [2020, 2020, 2021, 2021, 2021, 2021]
    assert rows["place"].to_pylist() == ["a b", "a b", None, None, "c/d", "c/d"]


def test_arrow_files(tmp_path):
    table = make_table(5000)
    (tmp_path / "t").mkdir()
    for i in range(2):
        with pa.ipc.new_file(tmp_path / "t" / f"{i}.arrow", table.schema) as writer:
            writer.write_table(table.slice(2500 * i, 2500), max_chunksize=999)
    stream = opened(tmp_path / "t", tmp_path)
    assert whole(stream).equals(read_table(table))
    assert stream.read(0, ["z", "hour"]).equals(read_table(table).select(["z", "hour"]))
    assert stream.description.startswith("2 Arrow files, 5,000 rows")


def test_whole_numbers_beside_others_and_empty_columns_take_the_common_type(tmp_path):
    (tmp_path / "t").mkdir()
    for i, x in enumerate(([1, 2], [1.5, None], [None, None])):
        parquet.write_table(pa.table({"x": x, "k": ["a", "b"]}), tmp_path / "t" / f"{i}.parquet")
    assert whole(opened(tmp_path / "t", tmp_path))["x"].to_pylist() == [1, 2, 1.5, None, None, None]


def test_dictionaries_and_missing_words_are_plain(tmp_path):
    cells = pa.array(["a", " b ", "NA", None, "a"] * 100)
    parquet.write_table(pa.table({"k": cells.dictionary_encode(), "t": cells}), tmp_path / "t.parquet")
    rows = whole(opened(tmp_path / "t.parquet", tmp_path))
    assert rows["k"].to_pylist() == rows["t"].to_pylist() == ["a", "b", None, None, "a"] * 100
    assert rows.schema.types == [pa.string(), pa.string()]


def test_files_without_rows_are_skipped_and_said(tmp_path):
    write_parts(make_table(100), tmp_path / "t", n_files=2)
    parquet.write_table(make_table(100).slice(0, 0), tmp_path / "t" / "empty.parquet")
    stream = opened(tmp_path / "t", tmp_path)
    assert stream.n_rows == 100
    assert stream.notes == ("1 of 3 files have no rows and are skipped: empty.parquet",)


def test_a_row_is_told_by_its_file(folder, tmp_path):
    stream = opened(folder, tmp_path)
    assert stream.where(0) == "part-0.parquet, row 1"
    assert stream.where(60_001) == "part-2.parquet, row 2"
    assert HeldRows(make_table(10)).where(3) == "row 4"


def test_the_fingerprint_changes_with_the_rows(tmp_path):
    write_parts(make_table(1000, seed=1), tmp_path / "a")
    write_parts(make_table(1000, seed=1), tmp_path / "b")
    write_parts(make_table(1000, seed=2), tmp_path / "c")
    first, same, other = (opened(tmp_path / name, tmp_path).fingerprint() for name in "abc")
    assert first == same != other
    (tmp_path / "b" / "part-2.parquet").unlink()
    assert opened(tmp_path / "b", tmp_path).fingerprint() != first


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"a": [1], "c": [2]}, "second.parquet has no column 'b', expected those of first.parquet"),
        ({"a": [1], "b": [2], "c": [3]}, "second.parquet has a column 'c' that first.parquet has not"),
        ({"a": ["x"], "b": [2]}, "column 'a' holds string in second.parquet and int64 in first.parquet"),
        ({"a": [2**53 + 1, 0], "b": [0.5, 1]}, None),
    ],
)
def test_files_whose_columns_differ(spoil, message, tmp_path):
    (tmp_path / "t").mkdir()
    parquet.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "t" / "first.parquet")
    parquet.write_table(pa.table(spoil), tmp_path / "t" / "second.parquet")
    if message is None:
        assert whole(opened(tmp_path / "t", tmp_path))["a"].to_pylist()[1] == 2**53 + 1
        return
    with pytest.raises(DataError, match=message):
        opened(tmp_path / "t", tmp_path)


def test_a_whole_number_that_no_float_holds_beside_floats(tmp_path):
    (tmp_path / "t").mkdir()
    for name, a in (("first", [2**53 + 1]), ("second", [0.5])):
        parquet.write_table(pa.table({"a": a}), tmp_path / "t" / f"{name}.parquet")
    with pytest.raises(DataError, match=r"column 'a' of first.parquet does not go into double"):
        whole(opened(tmp_path / "t", tmp_path))


def test_a_file_that_is_cut_off(tmp_path):
    path = write_parts(make_table(1000), tmp_path / "t") / "part-1.parquet"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DataError, match=r"part-1.parquet cannot be read .* it may be cut off") as raised:
        opened(tmp_path / "t", tmp_path)
    assert "\n" not in str(raised.value)


def test_a_file_that_vanishes_while_it_is_read(tmp_path):
    stream = FileRows(find_files(write_parts(make_table(1000), tmp_path / "t", n_files=1)), tmp_path / "t")
    (tmp_path / "t" / "part-0.parquet").unlink()
    with pytest.raises(DataError, match=r"part-0.parquet cannot be read"):
        stream.read(0)


def test_damage_within_a_file(tmp_path):
    path = tmp_path / "t.parquet"
    parquet.write_table(make_table(5000), path, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"t.parquet cannot be read"):
        whole(opened(path, tmp_path))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "a folder without Parquet or Arrow files"),
        (("a.parquet", "b.arrow"), "has Parquet and Arrow files, expected one kind"),
    ],
)
def test_folders_that_are_no_table(names, message, tmp_path):
    (tmp_path / "t").mkdir()
    for name in names:
        (tmp_path / "t" / name).write_bytes(b"")
    with pytest.raises(DataError, match=message):
        opened(tmp_path / "t", tmp_path)


def test_a_folder_of_empty_files(tmp_path):
    write_parts(make_table(10).slice(0, 0), tmp_path / "t", n_files=1)
    (tmp_path / "t").mkdir(exist_ok=True)
    parquet.write_table(make_table(10).slice(0, 0), tmp_path / "t" / "a.parquet")
    with pytest.raises(DataError, match=r"has no rows in \d files"):
        opened(tmp_path / "t", tmp_path)
