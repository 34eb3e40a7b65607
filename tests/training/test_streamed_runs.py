"""Runs on rows that stay on disk: the same results in the end, whole run folders, interrupted ones taken up again."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from qloom.data.streams import files
from qloom.errors import ArtifactError, ConfigError, DataError
from qloom.models.artifact import read_arrays
from qloom.models.tables.windows import Windows
from qloom.reports import write_report
from qloom.reports.model_card import model_card
from qloom.training import evaluate, train_run
from qloom.training.configuration import make_configuration
from qloom.training.folder import RunFolder
from qloom.training.memory import available_bytes, expected_bytes, how_held
from qloom.training.progress import Progress
from qloom.training.tuning import tune

N_ROWS, BLOCK = 6_000, 500
TINY = {"model": {"n_qubits": 2, "n_layers": 1, "width": 8}, "comparison": {"seeds": 1}}


def make_table(n=N_ROWS, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 3))
    colour = random.choice(["red", "green", "blue"], n)
    chance = 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1] + (colour == "red"))))
    label = np.where(random.random(n) < chance, "yes", "no")
    day = np.datetime64("2020-01-01") + (3600 * np.arange(n)).astype("timedelta64[s]")
    owner = random.integers(0, 400, n)
    return pa.table({"a": x[:, 0], "b": x[:, 1], "c": np.exp(x[:, 2]), "colour": colour, "day": day, "owner": owner,
                     "weight": random.integers(0, 3, n), "label": label})  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A folder of three files, read in blocks of 500 rows."""
    folder = tmp_path_factory.mktemp("rows")
    for k in range(3):
        part = make_table().slice(k * 2000, 2000)
        parquet.write_table(part, folder / f"part-{k}.parquet", row_group_size=BLOCK)
    return folder


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(files, "BLOCK_ROWS", BLOCK)


def configure(rows, output, *changes, **data):
    section = {"source": str(rows), "target": "label", "drop": ["day", "owner", "weight"], "stream": True}
    section |= {"window": 1000, "sample": 1500, **data}
    values = {**TINY, "training": {"epochs": 2}, "name": "streamed", "output": str(output), "data": section}
    return make_configuration(values, changes)


@pytest.fixture(scope="module")
def finished(rows, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK_ROWS", BLOCK)
        return train_run(configure(rows, tmp_path_factory.mktemp("runs")))


def weights_of(folder):
    return read_arrays(RunFolder(folder).model("hybrid"))[1]


def test_a_streamed_run_is_a_whole_run(finished, rows):
    run = RunFolder(finished)
    metrics = run.metrics()
    # Within five deviations; of test rows at most 1,500 are held, of validation rows 250.
    assert abs(metrics["n_rows"]["train"] - 3900) < 5 * (6000 * 0.65 * 0.35) ** 0.5
    assert abs(metrics["n_rows"]["test"] - 1200) < 5 * (6000 * 0.2 * 0.8) ** 0.5
    assert abs(metrics["n_rows"]["validation"] - 250) < 5 * 250**0.5
    assert set(metrics["models"]) == {"hybrid", "hybrid_separable", "hybrid_classical", "linear", "boosting"}
    assert all(model["test"]["roc_auc"] > 0.75 for model in metrics["models"].values())
    assert len(metrics["models"]["hybrid"]["history"]) == 2 * 4
    assert write_report(finished).is_file()
    assert "are those of window" in model_card(finished)
    log = run.text("log.txt")
    for said in ("window 8 of 8", "baselines from those held", "3 Parquet files, 6,000 rows"):
        assert said in log


def test_its_model_predicts_as_any(finished, rows):
    scores = evaluate(finished, str(rows / "part-0.parquet"), force=True)
    assert scores["n_rows"] == N_ROWS / 3
    assert scores["n_training_rows"] is None  # only some of them are known
    assert scores["scores"]["roc_auc"][0] > 0.75


def test_streamed_and_held_runs_reach_the_same_scores(finished, rows, tmp_path):
    """All rows, the same recipe; batches and splits differ. Five deviations of the difference of two ROC AUC, .011."""
    held = train_run(configure(rows, tmp_path, stream=False))
    one, other = (RunFolder(folder).metrics()["models"]["hybrid"]["test"]["roc_auc"] for folder in (finished, held))
    assert abs(one - other) < 0.055


def test_a_run_stopped_within_a_pass_ends_in_the_same_weights(finished, rows, tmp_path):
    class Stopping(Progress):
        def epoch(self, fit, number):
            if fit.epoch == 5:
                raise KeyboardInterrupt

    configuration = configure(rows, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train_run(configuration, progress=Stopping())
    resumed = weights_of(train_run(configuration, resume=True))
    assert all(np.array_equal(value, resumed[name]) for name, value in weights_of(finished).items())


@pytest.mark.slow
def test_a_killed_run_ends_in_the_same_weights(finished, rows, tmp_path):
    """Killed by the system at a random moment of training, five times."""
    configuration = configure(rows, tmp_path)
    code = (
        "import sys, json; from qloom.data.streams import files; files.BLOCK_ROWS = int(sys.argv[2])\n"
        "from qloom.training import train_run; from qloom.training.configuration import make_configuration\n"
        "from qloom.training.folder import RunFolder; c = make_configuration(json.loads(sys.argv[1]))\n"
        "train_run(c, resume=RunFolder(c.folder).is_begun)"
    )
    command = [sys.executable, "-c", code, json.dumps(configuration.model_dump(mode="json")), str(BLOCK)]
    random = np.random.default_rng(0)
    for _ in range(5):
        process = subprocess.Popen(command)
        began = time.monotonic()
        while not (configuration.folder / "checkpoints").exists() and time.monotonic() - began < 60:
            time.sleep(0.05)
        time.sleep(random.uniform(0, 2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True)
    resumed = weights_of(configuration.folder)
    assert all(np.array_equal(value, resumed[name]) for name, value in weights_of(finished).items())


@pytest.mark.parametrize(("changes", "kind", "text"), [
    ({"drop": ["day", "weight"], "group": "owner"}, "group", "read from"),
    ({"drop": ["owner", "weight"], "time": "day"}, "time", "one round"),
    ({"drop": ["day", "owner"], "weight": "weight"}, "hash", "read from"),
])  # fmt: skip
def test_other_splits_and_weights(rows, tmp_path, changes, kind, text):
    folder = train_run(configure(rows, tmp_path, "training.epochs=1", **changes))
    metrics = RunFolder(folder).metrics()
    assert metrics["split"] == kind
    assert metrics["models"]["linear"]["test"]["roc_auc"] > 0.8
    losses = [epoch["validation_loss"] for epoch in metrics["models"]["hybrid"]["history"]]
    assert losses[-1] < losses[0]
    assert text in RunFolder(folder).text("log.txt")


def test_several_rounds_cut_the_rows_anew(rows, tmp_path):
    folder = train_run(configure(rows, tmp_path, "training.epochs=1", "comparison.seeds=2"))
    rounds = RunFolder(folder).metrics()["rounds"]["each"]
    assert [each["number"] for each in rounds] == [1, 2]
    assert rounds[0]["split_sha256"] != rounds[1]["split_sha256"]


def test_trials_train_on_all_rows(rows, tmp_path, monkeypatch):
    seen, read = [], Windows.rows
    monkeypatch.setattr(Windows, "rows", lambda self, number: seen.append(number) or read(self, number))
    trials = tune(configure(rows, tmp_path, "training.epochs=1"), {"model.width": [4, 8]}, n_trials=2)
    assert all(trial.loss < 0.75 for trial in trials)
    assert seen == [0, 1, 2, 3] * 2


def test_rows_that_changed_are_noticed_on_resume(rows, tmp_path):
    copy = tmp_path / "rows"
    copy.mkdir()
    for file in rows.iterdir():
        os.link(file, copy / file.name)
    configuration = configure(copy, tmp_path, "training.epochs=1")
    train_run(configuration)
    (copy / "part-2.parquet").unlink()
    with pytest.raises(ArtifactError, match="has changed since"):
        train_run(configuration, resume=True)


def test_a_refused_run_leaves_nothing_behind(rows, tmp_path):
    with pytest.raises(DataError, match="no column 'labels'"):
        train_run(configure(rows, tmp_path, target="labels"))
    with pytest.raises(ConfigError, match=r"comparison\.folds deals all rows"):
        train_run(configure(rows, tmp_path, "comparison.seeds=null", "comparison.folds=3"))
    assert not (tmp_path / "streamed").exists()


def test_memory_is_told_before_anything_is_read(tmp_path, monkeypatch):
    """A table of a gigabyte in memory, by its footer alone: a column that is one value throughout takes no disk."""
    from qloom.training import memory

    path = tmp_path / "large.parquet"
    n = 2_000_000
    parquet.write_table(pa.table({**{f"x{i}": np.zeros(n) for i in range(9)}, "y": np.arange(n) % 2}), path)
    needed = expected_bytes(str(path))
    assert n * 10 * 8 < needed < n * 10 * 100
    assert available_bytes() > 0
    values = {**TINY, "name": "large", "data": {"source": str(path), "target": "y"}}
    monkeypatch.setattr(memory, "available_bytes", lambda: 10 * needed)
    assert how_held(make_configuration(values)).note.startswith("the rows are held in memory: they take about")
    monkeypatch.setattr(memory, "available_bytes", lambda: needed)
    found = how_held(make_configuration(values))
    assert found.is_streamed
    assert "they would take about" in found.note
    with pytest.raises(ConfigError, match=r"expected a table that fits, as data\.stream is false"):
        how_held(make_configuration(values, ["data.stream=false"]))
