"""Text tables: what the reader finds out by itself, against tables written by hand."""

import gzip

import pytest

from qloom.data import read_table
from qloom.errors import DataError


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_finds_the_separator(write, separator, ending):
    text = ending.join(separator.join(row) for row in (["a", "b", "c"], ["1", "x y", "2.5"], ["3", "z", "4"]))
    table = read_table(write("t.txt", text))
    assert table.to_pydict() == {"a": [1, 3], "b": ["x y", "z"], "c": [2.5, 4.0]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_finds_the_encoding(write, encoding):
    table = read_table(write("t.csv", "größe,ort,n\nklein,Köln,1\ngroß,Zürich,2\n".encode(encoding)))
    assert table.to_pydict() == {"größe": ["klein", "groß"], "ort": ["Köln", "Zürich"], "n": [1, 2]}


def test_bytes_outside_windows_1252_are_latin_1(write):
    assert read_table(write("t.csv", b"a,b\n1,\x81\xe9\n"))["b"].to_pylist() == ["\x81é"]


def test_windows_1252_has_the_euro_sign(write):
    assert read_table(write("t.csv", "a,b\n1,€ 5\n".encode("cp1252")))["b"].to_pylist() == ["€ 5"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,virginica\n", ["column_1", "column_2", "column_3"]),
        ("country,2019,2020\nA,1,2\nB,3,4\n", ["country", "2019", "2020"]),
        ("0,1,2\n3.5,4,5\n6,7,8\n", ["0", "1", "2"]),
        ("name,city\nann,rome\nbob,oslo\n", ["name", "city"]),
        (",x\n1,2\n3,4\n", ["column_1", "x"]),
    ],
)
def test_finds_the_header(write, text, names):
    assert read_table(write("t.csv", text)).column_names == names


def test_a_missing_header_is_noted_and_loses_no_row(write):
    table = read_table(write("t.csv", "1.5,2\n3,4\n"))
    assert table.num_rows == 2
    assert b"no header row" in table.schema.metadata[b"qloom.note"]


def test_decimal_comma_needs_a_semicolon(write):
    with_comma = read_table(write("t.csv", "a;b;c\n1,5;x;2\n-,25;y;3\n"))
    assert with_comma["a"].to_pylist() == [1.5, -0.25]
    assert read_table(write("u.csv", 'a;b\n"1,5";1.5\n2;2.5\n'))["b"].to_pylist() == [1.5, 2.5]


@pytest.mark.parametrize("word", ["", " ", "NA", "?", "nan", "NULL", " ? ", "NaN", "N/A"])
def test_missing_words(write, word):
    table = read_table(write("t.csv", f"a,b\n1,x\n{word},{word}\n3,z\n"))
    assert table.to_pydict() == {"a": [1, None, 3], "b": ["x", None, "z"]}


def test_types_come_from_the_whole_file(write):
    """Far beyond the first megabyte, where a reader by blocks has fixed the type."""
    table = read_table(write("t.csv", "a,b,c\n" + "1,1,1\n" * 400_000 + "2.5,x,\n"))
    assert [str(table[name].type) for name in "abc"] == ["double", "string", "int64"]
    assert [table[name][-1].as_py() for name in "abc"] == [2.5, "x", None]
    assert table["b"][0].as_py() == "1"


def test_quotes_keep_separators_newlines_and_quotes(write):
    table = read_table(write("t.csv", 'a,b\n"x,y",1\n"two\nlines",2\n"say ""hi""",3\n'))
    assert table.to_pydict() == {"a": ["x,y", "two\nlines", 'say "hi"'], "b": [1, 2, 3]}


def test_gzip(write):
    assert read_table(write("t.csv.gz", gzip.compress(b"a,b\n1,2\n"))).to_pydict() == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", " \n\n", "is empty"),
        ("t.csv", "a,b\n", "has a header and no rows"),
        ("t.csv", "a,b,a\n1,2,3\n", "column name 'a' stands twice"),
        ("t.csv", "a,b\n1,2\n3,4,5\n6,7\n", "has 3 cells in line 3, expected 2"),
        ("t.csv", 'a,b\n"x\ny",2\n3\n', "has 1 cells in line 4, expected 2"),
        ("t.csv", bytes(range(256)), "is a binary file"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "is a damaged gzip file"),
    ],
)
def test_refusals_are_one_line(write, name, content, message):
    with pytest.raises(DataError, match=message) as error:
        read_table(write(name, content))
    assert "\n" not in str(error.value)
