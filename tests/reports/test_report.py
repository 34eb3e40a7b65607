"""The page made of a run folder: complete, self-contained, safe, and written all or nothing."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qloom.circuits import Circuit
from qloom.errors import ArtifactError
from qloom.reports import read_run, write_report
from tests.reports.run_folders import SKILL, TITLES, layered_circuit, make_run

VOID = {"meta", "img", "br", "line", "circle"}
TASKS: dict[str, Any] = {"binary": ["no", "yes"], "three": ["a", "b", "c"], "regression": None}


class Page(HTMLParser):
    """Tags, attributes and text of a page; refuses tags that do not nest."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def images(self) -> dict[str, bytes]:
        """Alternative text -> content of every image."""
        found = [attributes for tag, attributes in self.tags if tag == "img"]
        prefix = "data:image/svg+xml;base64,"
        assert all(attributes["src"].startswith(prefix) for attributes in found)
        return {a["alt"]: base64.b64decode(a["src"][len(prefix) :], validate=True) for a in found}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    root = tmp_path_factory.mktemp("runs")
    return {
        task: Page(write_report(make_run(root / task, classes)).read_text("utf-8")) for task, classes in TASKS.items()
    }


@pytest.mark.parametrize("task", TASKS)
class TestEveryTask:
    def test_says_what_matters_in_order(self, pages: dict[str, Page], task: str) -> None:
        text = pages[task].text
        parts = [
            *(task, "400 test, stratified split.", "The quantum layer did not help:", "Leaderboard"),
            *(
                "Did the quantum layer help?",
                "Learning curves",
                "Predictions on the test rows",
                "Circuit",
                "Data",
            ),
            *("'PAY_0' alone", "How it was made", "data: table.csv", "Environment", '"python": "3.11"'),
        ]
        places = [text.index(part) for part in parts]
        assert places == sorted(places)

    def test_names_every_model_best_first(self, pages: dict[str, Page], task: str) -> None:
        text = pages[task].text
        rows = text[text.index("Leaderboard") : text.index("Did the quantum")]
        titles = [TITLES[key] for key in ("boosting", "hybrid", "hybrid_classical", "hybrid_separable", "linear")]
        places = [
            rows.index(title + role)
            for title, role in zip(
                titles, (" baseline", " under test", " control", " control", " baseline"), strict=True
            )
        ]
        assert places == sorted(places)
        assert "0.8200 0.8000 to 0.8380" in rows
        assert "(24)" in rows

    def test_reads_the_paired_differences(self, pages: dict[str, Page], task: str) -> None:
        text = pages[task].text
        rows = text[text.index("Did the quantum") : text.index("Learning curves")]
        assert "Linear model +0.1050 to +0.1350 +0.1200 +0.1050 to +0.1350 hybrid better" in rows
        assert "Gradient boosting −0.0350 to −0.0050 −0.0200 −0.0350 to −0.0050 hybrid worse" in rows

    def test_asks_for_nothing_outside_itself(self, pages: dict[str, Page], task: str) -> None:
        for tag, attributes in pages[task].tags:
            assert tag not in ("script", "link", "iframe", "object", "a")
            assert not any(name.startswith("on") for name in attributes)
        policies = [a["content"] for tag, a in pages[task].tags if a.get("http-equiv") == "Content-Security-Policy"]
        assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]

    def test_images_are_drawings(self, pages: dict[str, Page], task: str) -> None:
        images = pages[task].images()
        expected = {
            "binary": ["ROC curves of all models", "Reliability diagram of the hybrid model"],
            "three": [],
            "regression": ["Predicted against true values of the hybrid model", "Residuals of the hybrid model"],
        }[task]
        curves = [f"{what} by epoch of each trained model" for what in ("Loss", "Validation metric")]
        always = [*curves, "The quantum circuit"]
        assert sorted(images) == sorted(expected + always)
        for content in images.values():
            assert ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"

    def test_whiskers_stand_within_their_column(self, pages: dict[str, Page], task: str) -> None:
        circles = [float(a["cx"].rstrip("%")) for tag, a in pages[task].tags if tag == "circle"]
        assert len(circles) == 9
        assert all(0 <= place <= 100 for place in circles)


def test_confusion_holds_every_row_once(pages: dict[str, Page]) -> None:
    for task, n_classes in (("binary", 2), ("three", 3)):
        text = pages[task].text
        table = text[text.index("true ↓ predicted →") : text.index("Shares are of")]
        cells = re.findall(r"(\d+) [\d.]+%", table)
        assert len(cells) == n_classes**2
        assert sum(map(int, cells)) == 400


def test_classes_have_scores_of_their_own(pages: dict[str, Page]) -> None:
    assert "Class Precision Recall F1 Test rows a 0." in pages["three"].text
    assert "Class Precision" not in pages["binary"].text


def test_text_of_users_stays_text(tmp_path: Path) -> None:
    evil = "<script>alert('$x$ & \"y\"')</script>"
    folder = make_run(
        tmp_path / "run",
        [evil, "$\\frac"],
        name=evil,
        target=evil,
        verdict=evil,
        notes=[evil],
        features=[evil],
        columns=[
            {"name": evil, "kind": evil, "levels": 2, "missing": 0, "range": evil, "becomes": evil, "n_features": 1}
        ],
    )
    (folder / "config.yaml").write_text(evil, "utf-8")
    (folder / "environment.json").write_text(evil, "utf-8")
    page = Page(write_report(folder).read_text("utf-8"))
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count(evil) >= 12


@pytest.mark.parametrize("classes", [[0, 1], [0.0, 1.0], [False, True], ["0", "1"]])
def test_classes_of_any_type(tmp_path: Path, classes: list[Any]) -> None:
    record = read_run(make_run(tmp_path / "run", classes))
    assert record.classes == tuple(map(str, (False, True) if classes[0] is False else (0, 1)))
    assert set(record.targets) == {0, 1}
    assert record.probabilities["hybrid"].shape == (400, 2)


def test_report_is_the_same_each_time(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", ["no", "yes"])
    first = write_report(folder).read_bytes()
    assert write_report(folder) == folder / "report.html"
    assert (folder / "report.html").read_bytes() == first
    assert not [path for path in folder.iterdir() if path.suffix == ".tmp"]


def test_failure_keeps_the_earlier_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(tmp_path / "run", None)
    (folder / "report.html").write_text("earlier", "utf-8")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report(folder)
    assert (folder / "report.html").read_text("utf-8") == "earlier"
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


def test_run_without_histories_intervals_or_side_files(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", None, notes=[], comparison={})
    document = json.loads((folder / "metrics.json").read_text("utf-8"))
    del document["split"]
    for model in document["models"].values():
        model |= {
            "history": [],
            "interval": None,
            "best_epoch": None,
            "n_parameters": None,
            "test": {"r2": -0.5},
        }
    (folder / "metrics.json").write_text(json.dumps(document), "utf-8")
    (folder / "config.yaml").unlink()
    (folder / "environment.json").unlink()
    text = Page(write_report(folder).read_text("utf-8")).text
    assert "Learning curves" not in text
    assert "Did the quantum layer help?" not in text
    assert "Nothing was found that calls for a warning." in text
    assert "config.yaml is missing" in text
    assert "environment.json is missing" in text


def test_circuit_too_long_to_draw(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", None, circuit=layered_circuit(10, 60).to_json())
    page = Page(write_report(folder).read_text("utf-8"))
    assert "Too many gates to draw." in page.text
    assert "The quantum circuit" not in page.images()


def test_circuit_is_that_of_the_run(tmp_path: Path) -> None:
    circuit = Circuit(3).h(0).iswap(0, 2)
    text = Page(write_report(make_run(tmp_path / "run", None, circuit=circuit.to_json())).read_text("utf-8")).text
    assert "3 qubits, 0 inputs, 0 weights, depth 2; gates: 1 h, 1 iswap." in text
    assert "0 iSWAP" in text


class TestRefusals:
    @staticmethod
    def refused(folder: Path, message: str) -> None:
        with pytest.raises(ArtifactError, match=message) as caught:
            write_report(folder)
        assert "\n" not in str(caught.value)
        assert not (folder / "report.html").exists()

    def test_no_folder(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "nothing", r"is not a folder, expected the folder of a finished run such as runs/NAME")

    def test_no_run(self, tmp_path: Path) -> None:
        self.refused(tmp_path, r"has no metrics.json, expected the folder of a finished run")

    @pytest.mark.parametrize("text", ["", "{", "\x80"])
    def test_damaged_json(self, tmp_path: Path, text: str) -> None:
        folder = make_run(tmp_path / "run", None)
        (folder / "metrics.json").write_bytes(text.encode("latin-1"))
        self.refused(folder, r"metrics.json is not JSON .*train again")

    @pytest.mark.parametrize("text", ["[]", "null", "{}", '{"format": "other"}'])
    def test_foreign_json(self, tmp_path: Path, text: str) -> None:
        folder = make_run(tmp_path / "run", None)
        (folder / "metrics.json").write_text(text, "utf-8")
        self.refused(folder, r"metrics.json is not the record of a run, expected JSON with format 'qloom.run'")

    def test_later_version(self, tmp_path: Path) -> None:
        self.refused(make_run(tmp_path / "run", None, version=3), "has version 3, expected 1 or 2; update qloom")

    @pytest.mark.parametrize(
        "changes",
        [
            {"models": {}},
            {"models": {"hybrid": {}}},
            {"models": []},
            {"task": "clustering"},
            {"metric": "mae"},
            {"n_rows": {"test": "many"}},
            {"notes": None},
            {"circuit": "{}"},
            {"circuit": None},
            {"comparison": {"linear": {"difference": 0.1}}},
        ],
        ids=str,
    )
    def test_damaged_record(self, tmp_path: Path, changes: dict[str, Any]) -> None:
        self.refused(make_run(tmp_path / "run", None, **changes), "metrics.json|circuit")

    @pytest.mark.parametrize("key", ["name", "task", "target", "classes", "models", "verdict", "circuit", "features"])
    def test_missing_entry(self, tmp_path: Path, key: str) -> None:
        folder = make_run(tmp_path / "run", ["no", "yes"])
        document = json.loads((folder / "metrics.json").read_text("utf-8"))
        del document[key]
        (folder / "metrics.json").write_text(json.dumps(document), "utf-8")
        self.refused(folder, f"metrics.json is damaged .KeyError: '{key}'")

    def test_predictions_missing_or_damaged(self, tmp_path: Path) -> None:
        folder = make_run(tmp_path / "run", None)
        (folder / "predictions.parquet").write_bytes(b"PAR1 nothing")
        self.refused(folder, r"predictions.parquet is damaged .*expected Parquet; train again")
        (folder / "predictions.parquet").unlink()
        self.refused(folder, r"predictions.parquet is missing, expected the predictions of the run")

    @pytest.mark.parametrize("column", ["target", "linear:prediction", "hybrid:probability:yes"])
    def test_column_missing(self, tmp_path: Path, column: str) -> None:
        folder = make_run(tmp_path / "run", ["no", "yes"])
        path = folder / "predictions.parquet"
        pq.write_table(pq.read_table(path).drop_columns([column]), path)
        self.refused(folder, f"predictions.parquet has no column '{column}'")

    def test_column_of_other_values(self, tmp_path: Path) -> None:
        folder = make_run(tmp_path / "run", ["no", "yes"], classes=["no", "maybe"])
        self.refused(folder, r"column 'target' of predictions.parquet holds 'yes', expected one of no, maybe")
        folder = make_run(tmp_path / "other", None)
        path = folder / "predictions.parquet"
        table = pq.read_table(path)
        pq.write_table(table.set_column(1, "target", pa.array(["a"] * len(table))), path)
        self.refused(folder, r"column 'target' of predictions.parquet is not numbers")


def test_the_table_of_columns_is_shown(tmp_path: Path) -> None:
    row = {"name": "Umsatz", "kind": "number 1.234,5", "levels": 1900, "missing": 3, "range": "1.5 to 9000",
           "becomes": "a number, spread evenly", "n_features": 1}  # fmt: skip
    page = Page(write_report(make_run(tmp_path / "run", ["a", "b"], columns=[row])).read_text("utf-8"))
    assert "Umsatz number 1.234,5 1 900 3 1.5 to 9000 a number, spread evenly" in page.text
    older = Page(write_report(make_run(tmp_path / "older", ["a", "b"])).read_text("utf-8"))
    assert "Becomes" not in older.text


def test_importance_and_dependence_are_shown_where_a_run_has_them(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", ["no", "yes"])
    assert "What predictions hang on" not in write_report(folder).read_text("utf-8")
    bars = [{"column": "age", "mean": 0.2, "deviation": 0.01}, {"column": "job", "mean": 0.1, "deviation": 0.02}]
    curves = [{"column": "age", "values": [20, 40.5], "predictions": [0.1, 0.4], "shown": "yes"},
              {"column": "job", "values": ["clerk", "smith"], "predictions": [0.1, 0.4], "shown": "yes"}]  # fmt: skip
    model = {"importance": bars, "dependence": curves}
    found = {"format": "qloom.importance", "version": 1, "metric": "roc_auc", "n_rows": 300,
             "models": {"hybrid": model, "boosting": model}}  # fmt: skip
    (folder / "importance.json").write_text(json.dumps(found), "utf-8")
    text = write_report(folder).read_text("utf-8")
    assert "What predictions hang on" in text
    assert text.count("Mean prediction by the values of a column") == 2
    (folder / "importance.json").write_text("{}", "utf-8")
    with pytest.raises(ArtifactError, match="is damaged"):
        write_report(folder)


def test_errors_are_best_where_they_are_least(tmp_path: Path) -> None:
    page = write_report(make_run(tmp_path / "errors", ["no", "yes"], metric="log_loss")).read_text("utf-8")
    assert "lower is better" in page
    assert re.findall(r'<span class="model">(.*?)</span>', page) == sorted(TITLES.values(), key=_skill, reverse=True)
    assert "Log loss of each other model minus that of the hybrid model, so that more is better for it" in page


def _skill(title: str) -> float:
    return next(SKILL[key] for key, each in TITLES.items() if each == title)
