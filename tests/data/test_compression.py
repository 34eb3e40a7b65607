"""Compressed text tables and tables in JSON."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from datetime import datetime

import pyarrow as pa
import pytest

from qloom.data import read_table
from qloom.errors import DataError

CSV = b"a,b\n1,x\n2,y\n"


def zipped(*names):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, CSV)
    return buffer.getvalue()


def by_arrow(codec):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(CSV)
    return sink.getvalue().to_pybytes()


FILES = {
    "t.csv.gz": gzip.compress(CSV, mtime=0),
    "t.csv.bz2": bz2.compress(CSV),
    "t.csv.xz": lzma.compress(CSV),
    "t.csv.zst": by_arrow("zstd"),
    "t.csv.lz4": by_arrow("lz4"),
    "t.csv.zip": zipped("t.csv", "__MACOSX/._t.csv"),
    "named otherwise.csv": gzip.compress(CSV, mtime=0),
}


@pytest.mark.parametrize("name", FILES)
def test_compressed_tables(write, name):
    assert read_table(write(name, FILES[name])).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv.bz2", bz2.compress(CSV)[:-9], "is a damaged bzip2 file"),
        ("t.csv.zst", by_arrow("zstd")[:-6], "is a damaged zstandard file"),
        ("t.csv.xz", lzma.compress(CSV)[:-9], "is a damaged xz file"),
        ("t.zip", zipped("a.csv", "b.csv"), r"holds 2 files \(a.csv, b.csv\) and not one"),
        ("t.parquet.gz", gzip.compress(b"PAR1", mtime=0), "is compressed from outside"),
        ("t.json", "{", "is no table in JSON"),
        ("t.json", "[1, 2]", "the list holds other things than objects"),
        ("t.jsonl", '{"a": 1}\n{"a": "x"}\n', "is no table in JSON .*changed from number to string"),
    ],
)
def test_refusals_are_one_line(write, name, content, message):
    with pytest.raises(DataError, match=message) as error:
        read_table(write(name, content))
    assert "\n" not in str(error.value)


ROWS = [{"a": 1, "b": "x", "t": "2020-01-02T03:04:05"}, {"a": None, "b": "Straße"}, {"a": 3, "b": None, "c": True}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.jsonl", "\n".join(map(json.dumps, ROWS))),
        (
            "t.ndjson.gz",
            gzip.compress("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode(), mtime=0),
        ),
        ("t.json", json.dumps(ROWS, indent=1)),
        ("t.json", "\n".join(map(json.dumps, ROWS))),
    ],
)
def test_json(write, name, content):
    table = read_table(write(name, content))
    assert table.select(["a", "b", "c"]).to_pydict() == {
        "a": [1, None, 3], "b": ["x", "Straße", None], "c": [None, None, True]
    }  # fmt: skip
    query = read_table(write(name, content), "select year(t) as y from data where a = 1")
    assert query.to_pydict() == {"y": [datetime(2020, 1, 2).year]}
