"""Runs that begin with an earlier one and end with another head: every network, as the report says."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
import torch

from qloom.errors import ArtifactError
from qloom.models import load_model
from qloom.models.artifact import read_artifact
from qloom.models.tables.competitors import NETWORKS
from qloom.reports.html import render
from qloom.reports.record import read_run
from qloom.training import resume_run, train_run
from qloom.training.competitors import Contest

REFIT = ("training.refit", "boosting")


@pytest.fixture(scope="module")
def pair(configure, tmp_path_factory):
    """A run, and one that starts from it in a schedule and fits another head."""
    folder = tmp_path_factory.mktemp("pair")
    first = train_run(configure(folder, name="first"))
    changes = (("training.start_from", str(first)), ("training.schedule", "classical_last"), REFIT)
    return first, train_run(configure(folder, *changes, name="second"))


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_controls_are_saved_and_load(pair):
    """All networks of a run can be looked at, not only the one under test."""
    for folder in pair:
        models = [load_model(folder / place) for place in ("model", "controls/separable", "controls/classical")]
        assert [model.layer for model in models] == ["quantum", "separable", "classical"]


def test_networks_start_where_those_of_the_earlier_run_ended(pair, configure, tmp_path):
    """With steps of no length every network says what its counterpart said."""
    first, _ = pair
    still = (("training.learning_rate", 1e-12), ("training.weight_decay", 0), ("training.epochs", 1))
    again = train_run(configure(tmp_path, ("training.start_from", str(first)), *still, ("seed", 3)))
    for place in ("model", "controls/separable", "controls/classical"):
        before, after = load_model(first / place), load_model(again / place)
        assert before.preprocessing_.to_json() == after.preprocessing_.to_json()
        for name, value in before.network_.state_dict().items():
            torch.testing.assert_close(after.network_.state_dict()[name], value, atol=1e-6, rtol=0)


def test_a_run_reads_each_network_that_it_starts_from_once(pair, configure, tmp_path, monkeypatch):
    read = []

    def counting(folder):
        read.append(folder)
        return read_artifact(folder)

    monkeypatch.setattr("qloom.models.tables.starting.read_artifact", counting)
    train_run(configure(tmp_path, ("training.start_from", str(pair[0])), ("training.epochs", 1)))
    assert read == [pair[0] / place for place in ("model", "controls/separable", "controls/classical")]


def test_the_refit_is_recorded(pair):
    first, second = pair
    models = metrics_of(second)["models"]
    for key in NETWORKS:
        refit = models[key]["refit"]
        assert refit["kept"] == (refit["before"] - refit["after"] > 2 * refit["error"])
        assert models[key]["rounds"][0]["seconds_training"] > refit["seconds"] > 0
        assert models[key]["started_from"] == str(first)
    assert models["linear"]["refit"] is None
    loaded, refit = load_model(second), models["hybrid"]["refit"]
    assert loaded.architecture_.head == ("boosting" if refit["kept"] else "perceptron")


def test_predictions_of_the_run_are_those_of_its_saved_models(pair, table):
    _, second = pair
    found_table = parquet.read_table(second / "predictions.parquet")
    rows = table.take(found_table["row"])
    for key, place in zip(NETWORKS, ("model", "controls/separable", "controls/classical"), strict=True):
        expected = load_model(second / place).predict_table(rows)
        classes = load_model(second).classes_
        found = np.column_stack([found_table[f"{key}:probability:{name}"].to_numpy() for name in classes])
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_report_says_what_was_trained_when(pair):
    first, second = pair
    page = render(read_run(second))
    assert f"Before: what {first} had learnt" in page
    assert "The classical parts alone" in page
    assert "Head fitted anew, boosted trees" in page
    assert "What was trained when" not in render(read_run(first))
    assert any(str(first) in note for note in metrics_of(second)["notes"])
    assert "boosting head" in (second / "log.txt").read_text()


def test_a_run_goes_on_without_what_it_started_from(pair, configure, tmp_path, monkeypatch):
    """It keeps copies: killed before its last network, it resumes from elsewhere, the earlier run gone."""
    shutil.copytree(pair[0], tmp_path / "earlier")
    monkeypatch.chdir(tmp_path)
    whole = train_run(configure(tmp_path, ("training.start_from", "earlier"), name="whole"))
    plain = Contest._train_networks

    def stop(contest, key, rounds):
        if key == "hybrid_classical":
            raise KeyboardInterrupt
        return plain(contest, key, rounds)

    with monkeypatch.context() as patch:
        patch.setattr(Contest, "_train_networks", stop)
        with pytest.raises(KeyboardInterrupt):
            train_run(configure(tmp_path, ("training.start_from", "earlier"), name="stopped"))
    shutil.rmtree(tmp_path / "earlier")
    monkeypatch.chdir("/")
    resumed = resume_run(tmp_path / "stopped")
    for place in ("model", "controls/separable", "controls/classical"):
        before, after = (load_model(run / place).network_.state_dict() for run in (whole, resumed))
        assert all(torch.equal(before[name], after[name]) for name in before)


def test_another_target_is_refused(pair, configure, table, tmp_path):
    """The earlier run predicts from the column, or predicts another one: its coding would be taken for this."""
    other = table.append_column("stage", pa.array(["early" if k % 2 else "late" for k in range(table.num_rows)]))
    parquet.write_table(other, tmp_path / "other.parquet")
    start, place = ("training.start_from", str(pair[0])), str(tmp_path / "other.parquet")
    with pytest.raises(ArtifactError, match="predicts 'diagnosis', got the target 'stage', expected the same"):
        train_run(configure(tmp_path, start, source=place, target="stage"))
    assert not (tmp_path / "tiny" / "config.yaml").exists()


def test_a_damaged_record_of_a_refit_is_refused(pair, tmp_path):
    shutil.copytree(pair[1], tmp_path / "run")
    metrics = metrics_of(tmp_path / "run")
    metrics["models"]["hybrid"]["refit"] = {"kind": "boosting"}
    (tmp_path / "run" / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ArtifactError, match=r"metrics.json is damaged \(KeyError: 'before'\)"):
        read_run(tmp_path / "run")


def test_what_does_not_fit_is_refused_before_anything_is_written(pair, configure, tmp_path):
    changes = (("training.start_from", str(pair[0])), ("model.n_layers", 2))
    with pytest.raises(ArtifactError, match="first has n_layers=1, got 2"):
        train_run(configure(tmp_path, *changes))
    assert not (tmp_path / "tiny" / "config.yaml").exists()


def test_a_killed_refit_is_done_again(pair, configure, tmp_path, monkeypatch):
    """The last epoch is done, the head is not: the resumed run fits it, to the same predictions."""
    whole = train_run(configure(tmp_path, REFIT, name="whole"))

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("qloom.models.tables.tabular.refit_head", stop)
        with pytest.raises(KeyboardInterrupt):
            train_run(configure(tmp_path, REFIT, name="stopped"))
    resumed = train_run(configure(tmp_path, REFIT, name="stopped"), resume=True)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(20, load_model(whole).architecture_.n_features))).float()
    np.testing.assert_array_equal(*(load_model(run).predict_features(x) for run in (whole, resumed)))
