"""Runs logged to MLflow are read back by its own client; a store that fails loses nothing."""

import json
import shutil
import socket
from pathlib import Path

import pytest

mlflow = pytest.importorskip("mlflow.tracking", reason="mlflow is not installed: pip install 'qloom[mlflow]'")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of files, which is made at once; a database takes ten seconds."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "store").as_uri()


def read_back(store, experiment="qloom"):
    """The parent and its nested runs, by key."""
    client = mlflow.MlflowClient(tracking_uri=store)
    place = client.get_experiment_by_name(experiment).experiment_id
    found = {run.data.tags["qloom.model"]: run for run in client.search_runs([place])}
    return client, found


def check(store, trained):
    client, found = read_back(store)
    metrics = json.loads((trained / "metrics.json").read_text())
    parent = found["hybrid"]
    assert set(found) == set(metrics["models"])
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert {run.data.tags.get("mlflow.parentRunId") for key, run in found.items() if key != "hybrid"} == {
        parent.info.run_id
    }
    for key, run in found.items():
        assert run.data.metrics["test/accuracy"] == pytest.approx(metrics["models"][key]["test"]["accuracy"])
    assert parent.data.params["model.n_qubits"] == "2"
    assert parent.data.params["data.source"] == "demo:wine"
    assert parent.data.tags["qloom.verdict"] == metrics["verdict"]
    history = client.get_metric_history(parent.info.run_id, "epoch/validation_loss")
    expected = metrics["models"]["hybrid"]["history"]
    assert [(each.step, each.value) for each in sorted(history, key=lambda each: each.step)] == [
        (each["epoch"], pytest.approx(each["validation_loss"])) for each in expected
    ]
    rounds = client.get_metric_history(parent.info.run_id, "round/accuracy")
    assert sorted(each.step for each in rounds) == [1, 2]
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert files == {"report.html", "config.yaml", "leaderboard.csv", "metrics.json", "environment.json", "model"}
    taken = Path(client.download_artifacts(found["hybrid_classical"].info.run_id, "model/model.json"))
    assert taken.read_text() == (trained / "controls" / "classical" / "model.json").read_text()


def test_a_run_is_logged_whole_and_once(qloom, trained, store):
    ended = qloom("runs", "--log", trained, "--mlflow", store)
    assert ended.code == 0, ended.err
    assert "with 4 nested ones" in ended.out
    check(store, trained)
    again = qloom("runs", "--log", trained, "--mlflow", store)
    assert again.code == 0
    assert f"is in {store} already" in again.out
    assert len(read_back(store)[1]) == 5


def test_a_training_logs_when_it_is_finished(qloom, trained, store):
    """Taken up again, all that was trained is read back."""
    shutil.copytree(trained, "runs/wine")
    ended = qloom("train", "runs/wine", "--resume", "--mlflow", store)
    assert ended.code == 0, ended.err
    assert "runs/wine logged to" in ended.out
    assert read_back(store)[1]["hybrid"].info.run_name == "wine"


def test_a_server_that_is_not_there_loses_no_run(qloom, trained, small, tmp_path, monkeypatch):
    with socket.socket() as free:  # a port that nobody listens at
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    from qloom.cli import runs

    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, tmp_path / "wine", ignore=shutil.ignore_patterns("checkpoints"))
    ended = qloom("runs", "--log", "wine", "--mlflow", address)
    assert ended.code == 2
    assert f"the MLflow store {address} cannot be used" in ended.err
    assert ended.err.count("\n") == 1
    with pytest.raises(runs.typer.Exit) as left:
        runs.log_after_training(Path("wine"), address)
    assert left.value.exit_code == runs.NOT_LOGGED == 4
    assert (tmp_path / "wine" / "metrics.json").is_file()


def test_a_log_that_is_cut_short_has_failed_and_is_made_anew(qloom, trained, store, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    run = tmp_path / "wine"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("checkpoints"))
    real = mlflow.MlflowClient.log_artifact

    def full(self, number, file, *more):
        if file.endswith("metrics.json"):
            raise OSError(28, "No space left on device")
        return real(self, number, file, *more)

    with monkeypatch.context() as patch:
        patch.setattr(mlflow.MlflowClient, "log_artifact", full)
        ended = qloom("runs", "--log", run, "--mlflow", store)
    assert ended.code == 2
    assert "No space left on device" in ended.err
    assert read_back(store)[1]["hybrid"].info.status == "FAILED"
    assert qloom("runs", "--log", run, "--mlflow", store).code == 0
    client = mlflow.MlflowClient(tracking_uri=store)
    found = client.search_runs([client.get_experiment_by_name("qloom").experiment_id])
    assert sorted(each.info.status for each in found) == ["FAILED", *["FINISHED"] * 5]


@pytest.mark.parametrize(("store", "message"), [
    ("mlruns", "'mlruns' is no address of an MLflow store, expected one such as sqlite:///mlflow.db"),
    ("ftp://somewhere", "is no address of an MLflow store"),
    ("file:///nowhere/at/all", "MLflow keeps no runs in plain files any more"),
])  # fmt: skip
def test_addresses_that_cannot_be_are_refused_before_a_training(qloom, store, message, monkeypatch):
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    ended = qloom("train", "demo:wine", "--mlflow", store)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not Path("runs").exists()


def test_an_unfinished_run_is_not_logged(qloom, trained, store, tmp_path):
    (tmp_path / "begun").mkdir()
    shutil.copy(trained / "config.yaml", tmp_path / "begun")
    ended = qloom("runs", "--log", "begun", "--mlflow", store)
    assert ended.code == 2
    assert "has no metrics.json, expected the folder of a finished run" in ended.err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MLflow's use of SQLAlchemy 2.1
def test_a_database_keeps_its_files_beside_it(qloom, trained, tmp_path):
    (tmp_path / "kept").mkdir()
    store = f"sqlite:///{tmp_path}/kept/runs.db"
    ended = qloom("runs", "--log", trained, "--mlflow", store)
    assert ended.code == 0, ended.err
    check(store, trained)
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"runs.db", "runs-files"}
    assert not (tmp_path / "mlruns").exists()
