"""Whole runs of several rounds: folds, rolling origins, time limits, tables too small for words, runs gone on with."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from qloom.cli.leaderboard import print_leaderboard
from qloom.reports import write_report
from qloom.reports.record import read_run
from qloom.training import resume_run, train_run

LIMIT = ("comparison.time_limit", 0.01)
KEYS = ("hybrid", "hybrid_separable", "hybrid_classical", "linear", "boosting")


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text(), parse_constant=pytest.fail)


def write_table(path, n_rows, n_of_a, **columns):
    rng = np.random.default_rng(0)
    y = np.array(["a"] * n_of_a + ["b"] * (n_rows - n_of_a))
    x = rng.normal(size=n_rows) + (y == "a")
    parquet.write_table(pa.table({"x": x, "z": rng.normal(size=n_rows), "y": y, **columns}), path)
    return str(path)


@pytest.fixture(scope="module")
def small(configure, tmp_path_factory):
    """A run on ten rows, two of them for tests."""
    folder = tmp_path_factory.mktemp("small")
    source = write_table(folder / "t.parquet", 10, 5)
    return train_run(configure(folder, "training.epochs=1", source=source, target="y", name="run"))


def test_two_test_rows_give_scores_without_interval_and_say_why(small, capsys):
    metrics = metrics_of(small)
    assert metrics["n_rows"]["test"] == 2
    assert metrics["verdict"].startswith("No verdict: 2 test rows a round, expected at least 30")
    for word in ("better", "worse", "helped", "undecided", "no difference"):
        assert word not in metrics["verdict"]
    for model in metrics["models"].values():
        assert model["interval"] is None
    for difference in metrics["comparison"].values():
        assert (difference["low"], difference["high"], difference["outcome"]) == (None, None, None)
    print_leaderboard(metrics)
    assert "No verdict: 2 test rows" in capsys.readouterr().out
    page = write_report(small).read_text()
    assert "There is no verdict: 2 test rows a round" in page
    assert "hybrid better" not in page
    assert "hybrid worse" not in page


def test_scores_that_are_undefined_are_null_in_json(configure, tmp_path):
    """With 2 rows of a class in 40, some part or score is without it."""
    source = write_table(tmp_path / "t.parquet", 40, 2)
    change = ("comparison.fewest_test_rows", 2)
    folder = train_run(configure(tmp_path, "training.epochs=1", "split.kind=random", "split.copies=anywhere", change,
                                 "seed=3", source=source, target="y"))  # fmt: skip
    metrics = metrics_of(folder)
    scores = [each["test"]["roc_auc"] for each in metrics["models"]["linear"]["rounds"]]
    assert None in scores
    assert metrics["models"]["linear"]["test"]["roc_auc"] is None
    assert metrics["verdict"].startswith("No verdict: 0 test rows of one class in a round")
    assert "NaN" not in (folder / "leaderboard.csv").read_text()
    write_report(folder)


def test_folds_are_recorded_and_test_every_row_once(configure, table, tmp_path):
    folder = train_run(configure(tmp_path, ("comparison.seeds", None), ("comparison.folds", 3), "training.epochs=1"))
    rounds = metrics_of(folder)["rounds"]
    assert (rounds["n"], rounds["kind"], rounds["wanted"]) == (3, "folds", 3)
    assert sum(each["n_rows"]["test"] for each in rounds["each"]) == table.num_rows
    assert "3 rounds: every model is trained 3 times, each time with another fold" in (folder / "log.txt").read_text()


def test_rows_in_time_have_rolling_origins(configure, tmp_path):
    source = write_table(tmp_path / "t.parquet", 400, 200, t=np.random.default_rng(1).permutation(400))
    changes = ("training.epochs=1", ("data.time", "t"), ("comparison.seeds", None))
    folder = train_run(configure(tmp_path, *changes, source=source, target="z"))
    metrics = metrics_of(folder)
    assert (metrics["rounds"]["kind"], metrics["rounds"]["n"]) == ("rolling origins", 2)
    assert [each["n_rows"]["test"] for each in metrics["rounds"]["each"]] == [40, 40]
    assert "another block of the last rows" in write_report(folder).read_text()


def test_time_limit_ends_after_one_round_and_a_resumed_run_keeps_to_it(configure, tmp_path):
    folder = train_run(configure(tmp_path, ("comparison.seeds", None), LIMIT, "training.epochs=1"))
    metrics = metrics_of(folder)
    assert (metrics["rounds"]["n"], metrics["rounds"]["wanted"], metrics["rounds"]["time_limit"]) == (1, None, 0.01)
    assert metrics["verdict"].startswith("No verdict: every model was trained once")
    assert metrics_of(resume_run(folder)) == metrics
    limited = configure(tmp_path, LIMIT, "comparison.seeds=3", "training.epochs=1", name="limited")
    folder = train_run(limited)
    assert metrics_of(folder)["rounds"]["wanted"] == 3


def test_kept_networks_are_those_of_round_one_alone(finished, configure, tmp_path):
    """A run of one round with the same seed has the same model: further rounds leave it as it is."""
    alone = train_run(configure(tmp_path, "comparison.seeds=1"))
    assert (alone / "model" / "weights.safetensors").read_bytes() == (
        finished / "model" / "weights.safetensors"
    ).read_bytes()
    first, both = metrics_of(alone)["models"], metrics_of(finished)["models"]
    for key in KEYS:
        assert first[key]["rounds"][0]["test"] == both[key]["rounds"][0]["test"]
        assert first[key]["interval"] is None
    assert any("round 1 are kept" in line for line in (finished / "log.txt").read_text().splitlines())


def test_a_run_from_before_there_were_rounds_goes_on_as_one_of_one_round(configure, tmp_path):
    folder = train_run(configure(tmp_path, "comparison.seeds=1", "training.epochs=1"))
    expected = metrics_of(folder)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text[: text.index("# How often")])
    (folder / "checkpoints" / "rounds.json").unlink()
    (folder / "metrics.json").unlink()
    found = metrics_of(resume_run(folder))
    assert "hybrid quantum model: already trained" in (folder / "log.txt").read_text()
    for metrics in (expected, found):
        metrics["rounds"].pop("seconds")
    assert found == expected


def test_interrupted_in_a_later_round_it_goes_on_to_the_same_record(finished, configure, tmp_path, monkeypatch):
    from qloom.training.competitors import Contest

    plain = Contest._train_baseline

    def stop(contest, key, each):
        if (key, each.number) == ("boosting", 2):
            raise KeyboardInterrupt
        return plain(contest, key, each)

    with monkeypatch.context() as patch:
        patch.setattr(Contest, "_train_baseline", stop)
        with pytest.raises(KeyboardInterrupt):
            train_run(configure(tmp_path))
    resumed = resume_run(tmp_path / "tiny")
    assert (resumed / "predictions.parquet").read_bytes() == (finished / "predictions.parquet").read_bytes()
    before, after = metrics_of(finished), metrics_of(resumed)
    for key in KEYS:
        scores = [[each["test"] for each in metrics["models"][key]["rounds"]] for metrics in (before, after)]
        assert scores[0] == scores[1]
    assert before["rounds"]["each"] == after["rounds"]["each"]
    assert before["verdict"] == after["verdict"]


def test_reports_of_runs_of_rounds_read_what_training_wrote(finished, table, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "run")
    record = read_run(folder)
    assert (record.rounds.n, record.rounds.kind, record.margin) == (2, "random splits", 0.01)
    assert record.models["hybrid"].deviation["roc_auc"] >= 0
    assert table.num_rows == sum(record.n_rows.values())
