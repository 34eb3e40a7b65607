"""`qloom explain`: rows of a run and of a file, its circuit, as text, JSON and page; mistakes in one line."""

import json
import re
import shutil

import pyarrow.csv as csv
import pytest

from qloom.models.tables.served import read_served
from qloom.training.demonstrations import demonstration_table


@pytest.fixture(scope="module")
def explained(trained):
    """What a row's contributions are in JSON, quickly."""
    return [str(trained), "5", "--background-rows", "10", "--error", "0.2"]


def test_a_row_stands_beside_its_control_and_adds_up(qloom, trained, explained):
    found = json.loads(qloom("explain", *explained, "--json").out, parse_constant=pytest.fail)
    (row,) = found["rows"]
    assert list(row["models"]) == ["hybrid", "hybrid_classical"]
    model = row["models"]["hybrid"]
    assert sum(each["contribution"] for each in model["columns"]) == pytest.approx(
        model["prediction"] - model["base"], abs=1e-9
    )
    predicted = read_served(trained).predict_table(demonstration_table("demo:wine").slice(5, 1))[0]
    assert model["prediction"] == pytest.approx(predicted.max())
    assert not model["exact"]  # 13 columns
    names = set(demonstration_table("demo:wine").column_names) - {"cultivar"}
    assert {each["column"] for each in model["columns"]} == names
    sizes = [abs(each["contribution"]) for each in model["columns"]]
    assert sizes == sorted(sizes, reverse=True)


def test_as_text_it_has_bars_the_base_and_where_the_row_is_from(qloom, trained, explained, monkeypatch):
    monkeypatch.setenv("COLUMNS", "132")
    ended = qloom("explain", *explained)
    assert ended.code == 0
    words = " ".join(ended.out.split())
    assert re.search(r"Row 5 of demo:wine, a \w+ row, cultivar = ", words)
    assert f"of 10 training rows of round 1 of {trained}" in words
    assert "Sampled, ± is a standard error: hybrid quantum model" in words
    assert "█" in ended.out
    assert "classical layer of equal size" in ended.out


def test_rows_of_a_file_are_its_own(qloom, trained, tmp_path):

    table = demonstration_table("demo:wine").slice(5, 2).drop_columns("cultivar")
    names = table.column_names
    table = table.set_column(0, names[0], [[99.0, 99.0]])
    csv.write_csv(table, tmp_path / "new.csv")
    words = ("--data", "new.csv", "--background-rows", 5, "--error", "0.5", "--class")
    label = read_served(trained).coding_.classes[0]
    found = json.loads(qloom("explain", trained, 1, 0, *words, label, "--json").out)
    assert [row["row"] for row in found["rows"]] == [1, 0]
    assert found["rows"][0]["truth"] is None
    assert found["rows"][0]["part"] is None
    assert f"{names[0]} is above" in found["rows"][0]["unseen"]
    assert found["rows"][0]["class"] == str(label)


def test_the_circuit_and_its_page(qloom, trained, explained, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # cells of narrow tables are broken
    ended = qloom("explain", *explained, "--circuit", "--page", "why.html")
    assert ended.code == 0
    words = " ".join(ended.out.split())
    assert "The circuit as a whole: accuracy falls by" in words
    assert "all entangling gates" in words
    assert "hybrid without entangling gates" in words
    page = (tmp_path / "why.html").read_text()
    assert "Contributions of columns to the prediction of row 5" in page
    assert "its gates shaded by what is lost without them" in page
    assert "http:" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(("words", "message"), [
    ((), "nothing to explain, expected a row such as"),
    (("178",), "no row 178 in demo:wine, which has 178 rows, expected a number from 0 to 177"),
    (("--", "-1"), "no row -1 in demo:wine"),
    (("5", "--class", "rosé"), "class 'rosé' given, expected one of"),
    (("5", "--background-rows", "0"), "background-rows=0, expected at least 1"),
    (("5", "--error", "2"), "error=2, expected a share between 0 and 1"),
    (("5", "--query", "select * from data"), "--query asks a table, got none; give --data with it"),
    (("--circuit", "--model", "boosting"), "has no circuit, expected one that has"),
    (("--circuit", "--model", "classical"), "has no circuit, expected one that has"),
    (("5", "--model", "nothing"), "no model 'nothing'"),
])  # fmt: skip
def test_mistakes_are_one_line(qloom, trained, words, message):
    ended = qloom("explain", trained, *words)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1


def test_a_run_of_another_version_is_one_line(qloom, trained, tmp_path):

    shutil.copytree(trained, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints"))
    path = tmp_path / "run" / "model" / "model.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 9'))
    ended = qloom("explain", "run", 0)
    assert ended.code == 2
    assert "has version 9, expected 1" in ended.err
    assert ended.err.count("\n") == 1


def test_a_model_folder_needs_rows_and_background(qloom, trained):
    ended = qloom("explain", trained / "model", 0)
    assert ended.code == 2
    assert "is no run folder, expected one; or give --data FILE and --background FILE with a model" in ended.err
