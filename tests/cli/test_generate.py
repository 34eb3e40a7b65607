"""`qloom generate` and `qloom score`: a table in; synthetic rows, a page, and scores of other rows out."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import chdir, redirect_stdout
from io import StringIO

import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from qloom.cli import main


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    """A folder with the run of three columns of the wine table and its rows, and what the command said."""
    folder, said = tmp_path_factory.mktemp("wine"), StringIO()
    words = "--columns alcohol,hue,cultivar --target cultivar --rows 200 --bins 4 --model chow-liu --out rows.csv"
    words += " --time-limit 0.2"
    with chdir(folder), redirect_stdout(said), pytest.raises(SystemExit) as ended:
        main(["generate", "demo:wine", *words.split()])
    assert not ended.value.code
    return folder, said.getvalue()


def test_a_table_becomes_rows_a_model_and_a_page(wine):
    where, said = wine
    rows = csv.read_csv(where / "rows.csv")
    assert (rows.num_rows, rows.column_names) == (200, ["alcohol", "hue", "cultivar"])
    assert set(rows["cultivar"].to_pylist()) == {"class_0", "class_1", "class_2"}
    folder = where / "runs" / "wine"
    page = (folder / "report.html").read_text()
    for piece in ("Chow-Liu tree", "Independent bits", "Real rows", "Told from real", "data:image/svg+xml;base64,"):
        assert piece in page
    assert "http" not in page.replace("Content-Security-Policy", "").replace('http-equiv="', "")
    for line in ("134 training rows and 44 held out, 7 bits", "rows.csv written: 200 rows", "report.html written"):
        assert line in said
    said = " ".join(said.split())  # lines are broken where figures let them
    assert "A classifier tells rows of the Chow-Liu tree from real ones with ROC AUC 0." in said
    assert "A model of cultivar that learnt from synthetic rows has accuracy 0." in said
    assert json.loads((folder / "metrics.json").read_text())["asked"]["rows"] == 200


def test_the_page_is_made_again(wine, qloom):
    page = wine[0] / "runs" / "wine" / "report.html"
    before = page.read_bytes()
    page.unlink()
    assert qloom("report", page.parent).code == 0
    assert page.read_bytes() == before


def test_rows_are_scored_and_what_is_new_is_told(wine, qloom, tmp_path):
    (tmp_path / "new.csv").write_text(
        "name,alcohol,hue,cultivar\na,13.7,1.1,class_0\nb,13.7,0.6,class_0\nc,99,1.1,class_0\nd,13.7,1.1,class_9\n"
    )
    ended = qloom("score", wine[0] / "runs" / "wine", "new.csv", "--id", "name", "--output", "scores.parquet")
    assert ended.code == 0, ended.err
    found = pq.read_table(tmp_path / "scores.parquet").to_pydict()
    assert list(found) == ["row", "name", "score", "unseen"]
    usual, odd_hue, _, unknown = found["score"]
    assert usual > odd_hue > unknown == float("-inf")  # wines of class 0 have hues about 1.1
    assert found["unseen"] == ["", "", "alcohol is above 14.83", "cultivar 'class_9' is unknown"]
    assert "2 of 4 rows hold what training had not seen" in ended.err
    assert '"row","score"' in qloom("score", wine[0] / "runs" / "wine", "new.csv", "--model", "independent").out


def test_rows_are_parquet_in_the_run_folder_by_default(qloom, tmp_path):
    ended = qloom(
        "generate", "demo:wine", "--columns", "alcohol,hue", "--rows", 30, "--name", "two", "--time-limit", 0.2
    )
    assert ended.code == 0, ended.err
    rows = pq.read_table(tmp_path / "runs" / "two" / "synthetic.parquet")
    assert (rows.num_rows, rows.column_names) == (30, ["alcohol", "hue"])
    assert "no target was named" in (tmp_path / "runs" / "two" / "report.html").read_text()


@pytest.mark.parametrize(("words", "message"), [
    (("none.csv",), "no file none.csv"),
    (("demo:wine", "--rows", "0"), "rows=0"),
    (("demo:wine", "--model", "gan"), "no model 'gan', expected one of "),
    (("demo:wine", "--out", "rows.xlsx"), "expected .csv or .parquet"),
    (("demo:wine", "--out", "none/rows.csv"), "is in no folder that exists"),
    (("demo:wine", "--bins", "1"), "--bins 1, expected an integer of at least 2"),
    (("demo:wine", "--categories", "gray"), "--categories gray, expected one-hot or binary"),
    (("demo:wine", "--columns", "alcohl"), "did you mean 'alcohol'?"),
    (("demo:wine", "--target", "grape"), "no column 'grape'"),
    (("demo:wine", "--kind", "hue"), "--kind 'hue' names no kind"),
])  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(qloom, tmp_path, words, message):
    ended = qloom("generate", *words)
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1
    assert message in ended.err
    assert not list(tmp_path.iterdir()) or not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize(("words", "message"), [
    (("none", "demo:wine"), "none does not exist"),
    (("runs/wine", "demo:diabetes"), "no column 'alcohol'"),
    (("runs/wine", "demo:wine", "--model", "gan"), "has no model 'gan', expected one of chow-liu"),
    (("runs/wine", "demo:wine", "--output", "s.txt"), "expected .csv or .parquet"),
])  # fmt: skip
def test_bad_input_of_score_is_one_line(qloom, wine, words, message):
    ended = qloom("score", *(wine[0] / word if word == "runs/wine" else word for word in words))
    assert ended.code == 2
    assert len(ended.err.strip().splitlines()) == 1
    assert message in ended.err


@pytest.mark.slow
def test_neither_loads_torch_for_a_model_without_it(wine, tmp_path):
    """Some seconds of imports."""
    for words in (
        ["generate", "demo:wine", "--model", "independent"],
        ["score", str(wine[0] / "runs/wine"), "demo:wine"],
    ):
        code = (
            f"import sys\nfrom qloom.cli import main\ntry: main({words!r})\nfinally: assert 'torch' not in sys.modules"
        )
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
