"""`qloom export` and the card of `qloom report --card`, on a finished run."""

from __future__ import annotations

import json
import shutil
import sys

import numpy as np
import onnxruntime
import pytest

from qloom.models.tables.served import read_served
from qloom.training.folder import RunFolder


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the finished run, to write into."""
    shutil.copytree(trained, tmp_path / "run")
    return tmp_path / "run"


def test_onnx_of_a_run_by_its_test_rows(qloom, run):
    ended = qloom("export", run, "--to", "onnx")
    assert ended.code == 0, ended.err
    folder = run / "export" / "onnx"
    told = json.loads((folder / "export.json").read_text())
    n_test = RunFolder(run).metrics()["n_rows"]["test"]
    assert told["checked"]["rows"] == f"{n_test} test rows of the run"
    assert f"{n_test} test rows of the run: largest deviation" in ended.out
    assert "where it is small, nothing quantum is needed to serve it" in ended.out
    assert "verdict" not in told
    assert (folder / "MODEL_CARD.md").read_text().startswith("---\nlibrary_name: qloom\n")
    predictor = read_served(run)
    x = np.random.default_rng(0).normal(size=(50, 13)).astype(np.float32)
    (found,) = onnxruntime.InferenceSession(folder / "network.onnx").run(None, {"features": x})
    assert np.abs(found - predictor.predict_features(x)).max() < 1e-5
    again = qloom("export", run, "--to", "onnx")
    assert again.code == 2
    assert again.err.endswith("expected a new folder; delete it, or give another --output\n")


@pytest.mark.parametrize("name", ["separable", "classical", "linear", "boosting", "best"])
def test_every_model_of_a_run_is_onnx(qloom, run, name):
    ended = qloom("export", run, "--to", "onnx", "--model", name)
    assert ended.code == 0, ended.err
    told = json.loads((run / "export" / f"onnx-{name}" / "export.json").read_text())
    assert told["checked"]["largest_deviation"] <= told["checked"]["bound"] < 1e-3


def test_measured_models_are_exported_with_exact_values_and_it_is_said(qloom, run):
    record = json.loads((run / "model" / "model.json").read_text())
    record["engine"] = {"name": "statevector", "shots": 100, "seed": 1, "noise": None}
    (run / "model" / "model.json").write_text(json.dumps(record))
    ended = qloom("export", run, "--to", "qasm")
    assert ended.code == 0, ended.err
    assert "engine was 100 shots a word; exported are the circuit's exact values, without shots and noise" in ended.out
    readme = (run / "export" / "qasm" / "README.md").read_text()
    assert "deviations are from these" in readme


def test_a_table_that_is_gone_is_said(qloom, run):
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("demo:wine", "gone.csv"))
    ended = qloom("export", run, "--to", "onnx", "--rows", "20")
    assert ended.code == 0, ended.err
    assert "rows drawn at random in the features' range, as the run's table cannot be read (" in ended.out
    assert "gone.csv" in ended.out


@pytest.mark.parametrize(("words", "message"), [
    (("--to", "onxx"), "format 'onxx', expected one of torch, onnx, qasm, surrogate; did you mean onnx?"),
    (("--to", "surrogate", "--model", "linear"), "model 'linear' has no circuit, expected one; choose --model hybrid"),
    (("--to", "qasm", "--part", "classical"), "--part classical leaves the circuit out, expected --part whole for"),
    (("--to", "onnx", "--data", "none.csv"), "none.csv"),
])  # fmt: skip
def test_one_line_for_a_mistake(qloom, trained, tmp_path, words, message):
    ended = qloom("export", trained, "--output", tmp_path / "out", *words)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_run_that_is_not_finished_is_refused(qloom, run):
    (run / "metrics.json").unlink()
    ended = qloom("export", run, "--to", "onnx")
    assert (ended.code, "expected the folder of a finished run" in ended.err) == (2, True)


def test_without_the_extra_it_is_named(qloom, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    ended = qloom("export", run, "--to", "onnx")
    assert ended.err == "qloom: qloom export --to onnx needs onnx; install it with: pip install 'qloom[export]'\n"
    assert not (run / "export").exists()


def test_report_writes_a_card(qloom, run):
    ended = qloom("report", run, "--card")
    assert ended.out == f"{run / 'MODEL_CARD.md'} written\n"
    assert (run / "MODEL_CARD.md").read_text().startswith("---\nlibrary_name: qloom\n")
