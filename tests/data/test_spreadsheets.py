"""Spreadsheets written by hand as the parts of the format that matter."""

import subprocess
import sys
import zipfile
from datetime import datetime
from xml.sax.saxutils import escape

import pytest

from qloom.data import inspect_table, read_table
from qloom.errors import DataError

_TYPES = """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels"
ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml"
ContentType="application/xml"/><Override PartName="/xl/workbook.xml"
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"""
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_STYLES = f'<styleSheet xmlns="{_MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'


def relation(number, kind, target):
    return f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def cell(value):
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        return f'<c s="1"><v>{(value - datetime(1899, 12, 30)).days}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def write_book(path, sheets):
    names = list(sheets)
    listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="r{i}"/>' for i, n in enumerate(names, 1))
    relations = "".join(relation(i, "worksheet", f"worksheets/s{i}.xml") for i in range(1, len(names) + 1))
    relations += relation(99, "styles", "styles.xml")
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", _TYPES)
        document = relation(1, "officeDocument", "xl/workbook.xml")
        book.writestr("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}">{document}</Relationships>')
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        )
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}">{relations}</Relationships>')
        book.writestr("xl/styles.xml", _STYLES)
        for i, name in enumerate(names, 1):
            rows = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in sheets[name])
            book.writestr(
                f"xl/worksheets/s{i}.xml", f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            )
    return path


DAY = datetime(2006, 6, 2)
ROWS = [
    ["n", "x", "word", "flag", "day", "mixed"],
    [1, 0.5, "a & b", True, DAY, 7],
    [2, None, None, False, DAY, "x7"],
    [None] * 6,
    [3, 2.5, "c", None, None, None],
]


def test_cells_keep_their_kind(tmp_path):
    pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    table = read_table(write_book(tmp_path / "t.xlsx", {"one": ROWS, "empty": []}))
    day = [cell and datetime(cell.year, cell.month, cell.day) for cell in table["day"].to_pylist()]
    assert table.drop_columns(["day"]).to_pydict() == {
        "n": [1, 2, 3], "x": [0.5, None, 2.5], "word": ["a & b", None, "c"], "flag": [True, False, None],
        "mixed": ["7", "x7", None],
    }  # fmt: skip
    assert day == [DAY, DAY, None]


def test_a_sheet_is_named_where_there_are_several(tmp_path):
    pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    more = [["price", "y"], *([f"${1000 + i:,.2f}", i % 2] for i in range(60))]
    path = write_book(tmp_path / "t.xlsx", {"one": ROWS, "more rows": more})
    with pytest.raises(
        DataError, match=r"2 sheets with cells \(one, more rows\), expected one; name it as in t.xlsx#one"
    ):
        read_table(path)
    assert inspect_table(f"{path}#more rows", "y")["price"].shown == "1000 to 1059 $"
    assert read_table(f"{path}#one", "select sum(n) as n from data").to_pydict() == {"n": [6]}
    with pytest.raises(DataError, match="has no sheet 'two', expected one of 'one', 'more rows'"):
        read_table(f"{path}#two")


@pytest.mark.parametrize(
    ("sheets", "message"),
    [({"one": [["a", "b"]]}, "has no rows below"), ({"one": [["a", "a"], [1, 2]]}, "stands twice")],
)
def test_refusals(tmp_path, sheets, message):
    pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    with pytest.raises(DataError, match=message):
        read_table(write_book(tmp_path / "t.xlsx", sheets))
    (tmp_path / "no.xlsx").write_text("words")
    with pytest.raises(DataError, match="cannot be read as a spreadsheet"):
        read_table(tmp_path / "no.xlsx")


def test_the_extra_is_named_where_it_is_missing(tmp_path):
    path = write_book(tmp_path / "t.xlsx", {"one": ROWS})
    code = f"import sys; sys.modules['python_calamine'] = None; import qloom.data as d; d.read_table({str(path)!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr.rstrip().endswith("install it with: pip install 'qloom[excel]'")
