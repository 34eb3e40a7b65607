"""Runs whose circuits are measured: which scores hang on measurements is said, and the same weights run elsewhere."""

import csv
import json
import re
import shutil

import pyarrow.parquet as parquet
import pytest

from qloom.errors import ConfigError
from qloom.models import load_model
from qloom.models.tables.competitors import COMPETITORS
from qloom.reports import write_report
from qloom.reports.record import read_run
from qloom.training import evaluate, resume_run, train_run
from qloom.training.folder import RunFolder, find_model

MEASURED = {"hybrid": "30 shots a word", "hybrid_separable": "30 shots a word"}


@pytest.fixture(scope="module")
def measured(configure, tmp_path_factory):
    """A run whose circuits are measured 30 times a word."""
    return train_run(configure(tmp_path_factory.mktemp("measured"), "engine.shots=30"))


def test_the_record_says_what_was_measured(measured):
    metrics = RunFolder(measured).metrics()
    assert metrics["engine"] == {"name": "statevector", "noise": None, "shots": 30, "seed": 0, "device": "cpu"}
    assert {key for key, model in metrics["models"].items() if model["engine"]} == set(MEASURED)
    assert "2 rounds with 30 shots a word: " in metrics["verdict"]
    assert any(
        "circuits run with 30 shots a word, in training, by parameter shift," in note for note in metrics["notes"]
    )
    with (measured / "leaderboard.csv").open() as file:
        assert {row["model"]: row["engine"] for row in csv.DictReader(file) if row["engine"]} == MEASURED


def test_networks_were_trained_from_measurements(measured, finished):
    for place in ("model", "controls/separable"):
        assert load_model(measured / place).engine_.shots == 30
        assert (measured / place / "weights.safetensors").read_bytes() != (
            finished / place / "weights.safetensors"
        ).read_bytes()
    same = "controls/classical/weights.safetensors"
    assert (measured / same).read_bytes() == (finished / same).read_bytes()


def test_the_report_says_what_was_measured(measured, finished):
    page = write_report(measured).read_text()
    assert "better. Circuits ran with 30 shots a word, in training as for these scores" in page
    assert "are exact.\nMean" in page
    assert page.count(", 30 shots a word</span>") == 2
    assert "were measured" not in write_report(finished).read_text()


def test_a_measured_run_is_resumed_as_it_was(measured, configure):
    folder = measured
    (folder / "metrics.json").rename(folder / "before.json")
    resume_run(folder)
    before, now = (json.loads((folder / name).read_text()) for name in ("before.json", "metrics.json"))
    assert now["models"] == before["models"]


def test_same_weights_elsewhere(finished, table_file):
    """Scores of an exact run under shots stand beside its exact ones and those of its classical control."""
    exact = evaluate(finished, table_file, force=True)
    found = evaluate(finished, table_file, force=True, engine={"shots": 3, "seed": 1})
    again = evaluate(finished, table_file, force=True, engine={"shots": 3, "seed": 1})
    control = evaluate(finished, table_file, model="classical", force=True)
    assert found == again
    assert found["engine"] == {"name": "statevector", "noise": None, "shots": 3, "seed": 1, "device": "cpu"}
    assert found["scores"]["log_loss"] != exact["scores"]["log_loss"]
    values = {name: value for name, (value, *_) in exact["scores"].items()}
    assert found["beside"]["exact values"] == values
    assert found["beside"]["classical layer of equal size"] == {n: v for n, (v, *_) in control["scores"].items()}
    assert "beside" not in exact
    assert control["engine"] is None


def test_a_measured_run_is_evaluated_as_it_was_trained(measured, table_file):
    found = evaluate(measured, table_file, force=True)
    assert found["engine"]["shots"] == 30
    exact = evaluate(measured, table_file, force=True, engine={"shots": None})
    assert found["beside"]["exact values"] == {name: value for name, (value, *_) in exact["scores"].items()}


def test_what_cannot_be_is_refused(finished, table_file):
    with pytest.raises(ConfigError, match=r"a model without a circuit has no engine, got engine\.shots=3"):
        evaluate(finished, table_file, model="boosting", force=True, engine={"shots": 3})
    with pytest.raises(ConfigError, match=r"engine\.shots=0, expected an integer of at least 1"):
        evaluate(finished, table_file, force=True, engine={"shots": 0})


def test_competitors_stand_in_the_record(finished):
    """One table, in metrics.json: what reads it needs no other."""
    models = json.loads((finished / "metrics.json").read_text())["models"]
    assert list(models) == list(COMPETITORS)
    for key, model in models.items():
        expected = COMPETITORS[key].record() | ({"title": "logistic regression"} if key == "linear" else {})
        assert {name: model[name] for name in expected} == expected


def test_folders_written_before_still_open(finished, tmp_path, table_file):
    """Before there were engines: no section in the configuration, no entries in the record nor in the models."""
    folder = shutil.copytree(finished, tmp_path / "old")
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["engine"]
    for model in metrics["models"].values():
        for name in ("layer", "explanation", "against", "engine"):
            del model[name]
    (folder / "metrics.json").write_text(json.dumps(metrics))
    text = re.sub(r"engine:\n( .*\n)*", "", (folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(text)
    record = json.loads((folder / "model" / "model.json").read_text())
    del record["engine"], record["hyperparameters"]["engine"]
    (folder / "model" / "model.json").write_text(json.dumps(record))

    assert RunFolder(folder).configuration().engine.is_exact
    assert read_run(folder).models["boosting"].explanation == COMPETITORS["boosting"].explanation
    assert find_model(folder, "best") == folder / find_model(finished, "best").relative_to(finished)
    scores, expected = (evaluate(each, table_file, force=True)["scores"] for each in (folder, finished))
    assert scores == expected
    assert load_model(folder).engine_.is_exact
    assert parquet.read_table(folder / "predictions.parquet") == RunFolder(folder).predictions()
    write_report(folder)
    (folder / "metrics.json").unlink()
    assert resume_run(folder) == folder
