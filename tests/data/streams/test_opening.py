"""All that is not read in place: written once, the rows that `read_table` gives, or an error in a line."""

import gzip
import lzma
import zipfile

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
import pytest

from qloom.data import read_table
from qloom.data.streams import open_stream
from qloom.errors import DataError
from tests.data.streams.conftest import make_table, write_parts
from tests.data.streams.test_files import whole

ROWS = make_table(3000)


def csv_bytes(table=ROWS, separator=","):
    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(delimiter=separator))
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("packed", ["", ".gz", ".xz", ".zip"])
def test_text_files_as_read_table_reads_them(packed, tmp_path):
    path, data = tmp_path / f"t.csv{packed}", csv_bytes()
    if packed == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", data)
    else:
        path.write_bytes({"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[packed](data))
    stream = open_stream(path, spool=tmp_path / "spool")
    assert whole(stream).cast(read_table(path).schema).equals(read_table(path))  # Parquet has no whole seconds
    assert f"written once from {path}" in stream.description
    assert [each.name for each in (tmp_path / "spool").iterdir()] == ["rows"]


def test_a_decimal_comma_and_what_the_file_says_stay_known(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("price;kind\n" + "".join(f"{i % 90},5;k{i % 3}\n" for i in range(500)))
    stream, table = open_stream(path, spool=tmp_path / "spool"), read_table(path)
    assert whole(stream).equals(table)
    assert stream.schema.equals(table.schema, check_metadata=True)


def test_other_encodings(tmp_path):
    for name, encoding in (("utf16", "utf-16"), ("windows", "cp1252"), ("marked", "utf-8-sig")):
        path = tmp_path / f"{name}.csv"
        path.write_bytes("stadt,n\nKöln,1\nBonn,2\n".encode(encoding))
        rows = whole(open_stream(path, spool=tmp_path / name))
        assert rows.to_pydict() == {"stadt": ["Köln", "Bonn"], "n": [1, 2]}


def test_a_column_of_whole_numbers_with_a_fraction_far_down_is_read_anew(tmp_path):
    path = tmp_path / "t.csv"
    lines = [f"{i},k{i % 7},{'x' * 60}" for i in range(130_000)]  # more than the look at the first 8 MB
    lines[129_000] = "0.5,k,x"
    path.write_text("a,b,c\n" + "\n".join(lines) + "\n")
    stream = open_stream(path, spool=tmp_path / "spool")
    assert stream.read(len(stream.blocks) - 1, ["a"])["a"].type == pa.float64()
    assert stream.notes == ("column 'a' has fractions or times of day further on",)
    assert stream.n_rows == 130_000


def test_a_type_that_flips_far_down_is_told_by_its_line(tmp_path):
    path = tmp_path / "t.csv"
    lines = [f"{i},k{i % 7},{'x' * 60}" for i in range(130_000)]
    lines[129_000] = "many,k,x"
    path.write_text("a,b,c\n" + "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"t.csv, line 129,002: column 'a' holds 'many', expected int64"):
        open_stream(path, spool=tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []
    assert open_stream(path, spool=tmp_path / "spool", kinds={"a": "category"}).schema.field("a").type == pa.string()


def test_a_row_of_another_number_of_cells(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + "\n".join(f"{i},k,{'x' * 100}" for i in range(100_000)) + "\n1,2\n")
    with pytest.raises(DataError, match=r"cannot be read as a text table: CSV parse error: Row #100002: Expected 3"):
        open_stream(path, spool=tmp_path / "spool")


def test_a_packed_file_that_is_cut_off(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(csv_bytes())[:-500])
    with pytest.raises(DataError, match=r"t.csv.gz"):
        open_stream(path, spool=tmp_path / "spool")


def test_json_lines(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(f'{{"a": {i}, "b": "k{i % 3}", "c": null}}\n' for i in range(1000)))
    rows = whole(open_stream(path, spool=tmp_path / "spool"))
    assert rows["a"].to_pylist() == list(range(1000))
    assert rows["c"].null_count == 1000


@pytest.mark.parametrize("line", ['{"a": "x", "b": "k"}', '{"a": 1, "b": "k", "d": 1}', '{"a": 1'])
def test_json_lines_that_change(line, tmp_path):
    path = tmp_path / "t.jsonl"
    text = "x" * 200
    path.write_text("".join(f'{{"a": {i}, "b": "{text}"}}\n' for i in range(60_000)) + line + "\n")
    with pytest.raises(DataError, match=r"is no table in JSON after row \d+,\d+"):
        open_stream(path, spool=tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []


def test_databases_connections_relations_and_readers(tmp_path):
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.register("rows", ROWS)
        connection.execute("CREATE TABLE t AS SELECT * FROM rows")
    expected = read_table(tmp_path / "t.duckdb", "SELECT even, colour, flag FROM t ORDER BY even")
    query = "SELECT even, colour, flag FROM t ORDER BY even"
    assert whole(open_stream(tmp_path / "t.duckdb", query, spool=tmp_path / "0")).equals(expected)
    assert open_stream(tmp_path / "t.duckdb", spool=tmp_path / "1").n_rows == 3000
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        assert whole(open_stream(connection, query, spool=tmp_path / "2")).equals(expected)
        assert whole(open_stream(connection.sql(query), spool=tmp_path / "3")).equals(expected)
        reader = connection.sql(query).to_arrow_reader(100)
        assert whole(open_stream(reader, spool=tmp_path / "4")).equals(expected)


def test_a_query_of_files_sees_all_of_them_twice_too(tmp_path):
    write_parts(ROWS, tmp_path / "t", group_rows=500)
    query = "SELECT a.even, b.n FROM data a JOIN (SELECT colour, count(*) AS n FROM data GROUP BY 1) b USING (colour)"
    stream = open_stream(tmp_path / "t", query, spool=tmp_path / "spool")
    counts = dict(zip(*np.unique(read_table(ROWS)["colour"].drop_null().to_numpy(), return_counts=True), strict=True))
    assert stream.n_rows == sum(counts.values())
    assert set(whole(stream)["n"].to_pylist()) == {int(n) for n in counts.values()}


def test_a_query_sees_the_columns_that_folders_name(tmp_path):
    for year in (2020, 2021):
        write_parts(ROWS.select(["even", "colour"]), tmp_path / "a=b" / "t" / f"year={year}", n_files=1)
    query = "SELECT year, count(colour) AS n, count(*) AS m FROM data GROUP BY year ORDER BY year"
    rows = whole(open_stream(tmp_path / "a=b" / "t", query, spool=tmp_path / "spool"))
    n = len(ROWS) - read_table(ROWS)["colour"].null_count
    assert rows.to_pydict() == {"year": [2020, 2021], "n": [n, n], "m": [3000, 3000]}


def test_a_query_of_arrow_files(tmp_path):
    with pa.ipc.new_file(tmp_path / "t.arrow", ROWS.schema) as writer:
        writer.write_table(ROWS)
    rows = whole(open_stream(tmp_path / "t.arrow", "SELECT sum(hour) AS h FROM data", spool=tmp_path / "spool"))
    assert rows["h"].to_pylist() == [sum(ROWS["hour"].to_pylist())]


def test_wide_rows_are_written_in_small_groups(tmp_path):
    wide = pa.table({f"x{i}": np.arange(20_000) + i / 7 for i in range(300)})
    stream = open_stream(wide.to_reader(1000), spool=tmp_path / "spool")
    assert {block.n_rows for block in stream.blocks[:-1]} == {(16 << 20) // 2400}
    assert whole(stream).equals(wide)
    assert stream.where(7) == "an Arrow stream, row 8"


def test_a_query_of_a_text_file(tmp_path):
    (tmp_path / "t.csv").write_bytes(csv_bytes())
    stream = open_stream(tmp_path / "t.csv", "SELECT max(z) AS top FROM data", spool=tmp_path / "spool")
    assert whole(stream)["top"].to_pylist() == [pytest.approx(max(ROWS["z"].to_pylist()))]
    assert [each.name for each in (tmp_path / "spool").iterdir()] == ["rows"]
    again = open_stream(tmp_path / "t.csv", "SELECT max(z) AS top FROM data", spool=tmp_path / "spool")
    assert "as written before" in again.description


@pytest.mark.parametrize("query", ["SELECT nothing FROM data", "SELECT even / (z - z)::INT::VARCHAR::DATE FROM data"])
def test_queries_that_fail(query, tmp_path):
    write_parts(ROWS, tmp_path / "t")
    with pytest.raises(DataError, match="the query fails in DuckDB"):
        open_stream(tmp_path / "t", query, spool=tmp_path / "spool")
    assert not (tmp_path / "spool" / "rows").exists()


def test_tables_in_memory_stay_there(tmp_path):
    stream = open_stream(ROWS.to_pandas(), spool=tmp_path / "spool")
    assert stream.description == "a table in memory, 3,000 rows"
    assert not (tmp_path / "spool").exists()


def test_rows_of_another_source_are_not_taken_for_these(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_bytes(csv_bytes())
    open_stream(tmp_path / "a.csv", spool=tmp_path / "spool")
    assert "as written before" in open_stream(tmp_path / "a.csv", spool=tmp_path / "spool").description
    with pytest.raises(DataError, match=r"holds the rows of .*a.csv, expected none or those of this source"):
        open_stream(tmp_path / "b.csv", spool=tmp_path / "spool")


def test_a_stream_whose_columns_change_leaves_nothing(tmp_path):
    first, second = pa.schema([("a", pa.int64())]), pa.schema([("a", pa.float64())])

    def batches():
        yield pa.record_batch({"a": [1, 2]}, schema=first)
        yield pa.record_batch({"a": [1.5]}, schema=second)

    reader = pa.RecordBatchReader.from_batches(first, batches())
    with pytest.raises(DataError, match=r"Arrow stream (changes|breaks)"):
        open_stream(reader, spool=tmp_path / "spool")
    assert list((tmp_path / "spool").iterdir()) == []


def test_nothing_at_all(tmp_path):
    with pytest.raises(DataError, match="has 0 rows and 1 columns"):
        open_stream(pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), []), spool=tmp_path / "spool")


def test_a_disk_that_fills(tmp_path, small_disk):
    reader = make_table(200_000).to_reader(5_000)
    with pytest.raises(DataError, match=r"could not be written to .* \(the disk is full, after .* MB\)"):
        open_stream(reader, spool=small_disk / "spool")
    assert list((small_disk / "spool").iterdir()) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [("mysql://there", "mysql:// is not known"), ("nowhere.parquet", "no file nowhere.parquet")],
)
def test_sources_that_are_none(source, message, tmp_path):
    with pytest.raises(DataError, match=message):
        open_stream(source, spool=tmp_path / "spool")


def test_files_that_read_table_reads_too(tmp_path):
    parquet.write_table(ROWS, tmp_path / "t.parquet")
    assert whole(open_stream(tmp_path / "t.parquet", spool=tmp_path)).equals(read_table(tmp_path / "t.parquet"))
