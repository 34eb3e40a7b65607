"""The one table of columns."""

import numpy as np

from qloom.data import Preprocessing, inspect_table, read_table
from qloom.data.column_table import column_lines, column_rows

N = 400
RNG = np.random.default_rng(4)
CELLS = {
    "id": np.arange(N),
    "amount": [f"{v:,.2f} kg" for v in RNG.normal(5000, 1000, N)],
    "shop": [f"shop {i}" for i in RNG.integers(0, 90, N)],
    "color": np.array(["red", "green", None])[np.arange(N) % 3],
    "when": [f"{1 + i % 28:02d}-Jun-{10 + i % 5}" for i in range(N)],
    "remark": [
        f"the parcel {RNG.integers(9)} came at {RNG.integers(20)} and was {RNG.integers(9)} kg" for _ in range(N)
    ],
    "y": np.arange(N) % 2,
}


def rows_of(cells):
    table = read_table(cells)
    schema = inspect_table(table, "y")
    return {row.name: row for row in column_rows(schema, Preprocessing().fit(table, schema))}


def test_every_column_has_a_row():
    rows = rows_of(CELLS)
    assert list(rows) == list(CELLS)
    assert rows["id"].becomes == "not used: 400 distinct whole numbers that run through the rows"
    assert (rows["amount"].kind, rows["amount"].n_features) == ("number 1,234.5 kg", 1)
    assert rows["amount"].range.endswith(" kg")
    assert (rows["shop"].levels, rows["shop"].becomes) == (90, "mean target of 90 levels, out of fold")
    assert (rows["color"].missing, rows["color"].becomes) == (133, "2 levels, yes or no each")
    assert (rows["when"].kind, rows["when"].range) == ("date %d-%b-%y", "2010-06-01 to 2014-06-28")
    assert rows["when"].becomes == "days, year, weekday"
    assert rows["remark"].becomes.endswith("words")
    assert rows["y"].becomes == "target of 2 classes"


def test_lines_fit_80_columns():
    rows = list(
        rows_of(
            {f"{name} with a name that is rather long": cells for name, cells in CELLS.items()}
            | {"y": CELLS["y"], "emoji\nline": CELLS["shop"]}
        ).values()
    )
    lines = column_lines(rows)
    assert len(lines) == 1 + len(rows)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["column", "kind", "levels", "missing", "range", "becomes"]
    assert column_lines(rows * 10)[-1] == "... and 30 columns more"
