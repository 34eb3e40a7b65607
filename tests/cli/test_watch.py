"""`qloom watch` from the outside: what moved, versions made and taken back, streams, and lines for what is wrong."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pytest

from qloom.errors import DataError
from qloom.training.demonstrations import demonstration_table
from qloom.training.evaluation import open_model
from qloom.training.folder import RunFolder
from qloom.training.versions import Ledger

pytest.importorskip("river")
from qloom.watching.updating import cut_rows

TARGET = "cultivar"
QUICK = ("--set", "watch.methods=[warm, replay]", "--set", "watch.parts=[everything]", "--set", "watch.epochs=4",
         "--set", "watch.learning_rate=0.02")  # fmt: skip


def made(n: int = 260, shift: float = 0.0, seed: int = 1) -> pa.Table:
    """Rows like those of the wine table, with noise of 2%, and more alcohol."""
    wine, random = demonstration_table("demo:wine"), np.random.default_rng(seed)
    drawn = wine.take(pa.array(random.integers(0, wine.num_rows, n)))
    columns = {
        name: drawn[name].to_numpy() * random.normal(1, 0.02, n) + shift * (name == "alcohol")
        for name in wine.column_names
        if name != TARGET
    }
    return pa.table({**columns, TARGET: drawn[TARGET].to_numpy(zero_copy_only=False)})


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run that a test may change."""
    shutil.copytree(trained, tmp_path / "wine")
    return tmp_path / "wine"


def written(folder, table: pa.Table, name: str = "new.csv"):
    csv.write_csv(table, folder / name)
    return folder / name


def log_loss(ended) -> float:
    return json.loads(ended.out)["scores"]["log_loss"][0]


def test_what_moved_is_named_and_what_did_not_is_not(qloom, run, tmp_path):
    ended = qloom("watch", run, written(tmp_path, made(shift=2.0)), "--json")
    found = json.loads(ended.out)
    moved = {each["column"] for each in found["columns"] if each["matters"]}
    assert (found["version"], found["n_rows"], found["matters"]) == (0, 260, True)
    assert "alcohol" in moved
    assert moved <= {"alcohol", "(prediction)"}
    assert found["telling_apart"]["columns"][0][0] == "alcohol"
    page = (run / "watch.html").read_text()
    assert "alcohol" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_without_labels_losses_are_not_known_and_said_to_be(qloom, run, tmp_path):
    ended = qloom("watch", run, written(tmp_path, made().drop_columns([TARGET])), "--output", tmp_path / "a.html")
    assert ended.code == 0
    assert "whether the loss has risen is not known" in " ".join(ended.out.split())
    assert (tmp_path / "a.html").is_file()
    assert not (run / "watch.html").exists()


def test_an_update_is_taken_judged_followed_and_taken_back(qloom, run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # cells of narrow tables are broken
    first, later = written(tmp_path, made(shift=2.0)), written(tmp_path, made(shift=2.0, seed=9), "later.csv")
    before = log_loss(qloom("evaluate", run, later, "--json"))
    ended = qloom("watch", run, first, "--update", "--set", "watch.when=always", *QUICK, "--json")
    assert ended.code == 0, ended.err
    update = json.loads(ended.out)["update"]
    assert update["accepted"]
    assert update["scores"]["interval"][0] > 0
    assert {"old", "new", "old_control", "new_control"} == set(update["scores"]["models"])
    assert len(update["how"]["tried"]) == 2
    followed = qloom("evaluate", run, later, "--json")
    assert f"version 1 of {run}" in followed.err
    assert log_loss(followed) < before
    assert f"version 1 of {run}" in qloom("predict", run, later, "--output", tmp_path / "p.csv").err
    assert "were training rows" in qloom("evaluate", run, first).err
    listed = qloom("watch", run, "--versions")
    assert "in force" in listed.out
    assert "new.csv" in listed.out
    again = qloom("watch", run, first, "--update", "--set", "watch.when=always")
    assert (again.code, "learnt from before" in again.err) == (2, True)
    assert Ledger(run).number == 1
    assert "version 0" in qloom("watch", run, "--back").out
    assert log_loss(qloom("evaluate", run, later, "--json")) == before
    nothing = qloom("watch", run, "--back")
    assert (nothing.code, "no version before 0" in nothing.err) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["updating.keep_references", "Ledger.enter"])
def test_an_update_that_is_killed_changes_nothing_and_can_be_done_again(qloom, run, tmp_path, where):
    """Killed with half of the version's folder there, and with all of it and no line in the ledger."""
    new, later = written(tmp_path, made(shift=2.0)), written(tmp_path, made(shift=2.0, seed=9), "later.csv")
    words = ("watch", str(run), str(new), "--update", "--set", "watch.when=always", *QUICK)
    before = log_loss(qloom("evaluate", run, later, "--json"))
    code = f"""
import os, signal, sys
from qloom.cli import main
from qloom.training.versions import Ledger
from qloom.watching import updating
{where} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""
    killed = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Ledger(run).folder_of(1).is_dir()
    assert Ledger(run).number == 0
    assert log_loss(qloom("evaluate", run, later, "--json")) == before
    ended = qloom(*words)
    assert (ended.code, Ledger(run).number) == (0, 1), ended.err
    assert log_loss(qloom("evaluate", run, later, "--json")) < before


def test_an_update_that_is_not_better_is_written_down_and_not_taken(qloom, run, tmp_path):
    """One row a class in 40 has its right label, so that no update is better on fresh rows; steps are tiny."""
    table = made(shift=2.0)
    labels = np.random.default_rng(0).choice(["class_0", "class_1", "class_2"], table.num_rows)
    new = written(tmp_path, table.set_column(table.column_names.index(TARGET), TARGET, pa.array(labels)))
    settings = ("--set", "watch.learning_rate=1.0e-12", "--set", "watch.methods=[warm]", "--set", "watch.parts=[head]")
    ended = qloom("watch", run, new, "--update", "--set", "watch.when=always", *settings)
    assert "kept the old one" in " ".join(ended.out.split())
    ledger = Ledger(run)
    assert (ledger.number, len(ledger.versions), ledger.versions[0].accepted) == (0, 1, False)
    assert not ledger.folder_of(1).exists()


def test_fresh_rows_are_of_groups_that_were_not_learnt_from(run):
    table = made().append_column("plant", pa.array(np.arange(260) // 4))
    configuration, coding = RunFolder(run).configuration(), open_model(run, None).coding_
    grouped = configuration.model_copy(update={"data": configuration.data.model_copy(update={"group": "plant"})})
    cut, plants = cut_rows(table, coding, grouped, in_order=False), np.arange(260) // 4
    parts = [set(plants[rows]) for rows in (cut.train, cut.validation, cut.test)]
    assert sum(map(len, parts)) == 65
    assert len(cut.test) == pytest.approx(52, abs=4)
    with pytest.raises(DataError, match="plant"):
        cut_rows(table.drop_columns(["plant"]), coding, grouped, in_order=False)


def test_the_rule_decides(qloom, run, tmp_path):
    new = written(tmp_path, made(shift=2.0))
    ended = qloom("watch", run, new, "--update", "--set", "watch.when=never")
    assert "By the rule watch.when=never it does not matter" in " ".join(ended.out.split())
    assert not Ledger(run).versions


def test_a_stream_is_gone_through_with_controls_beside_it(qloom, run, tmp_path):
    new = written(tmp_path, made(n=120, shift=2.0))
    ended = qloom("watch", run, new, "--prequential", "--river", "tree", "--set", "watch.every=40", "--json")
    found = json.loads(ended.out)
    titles = [each["title"] for each in found["learners"]]
    assert {each["role"] for each in found["learners"]} == {"ours", "control", "retrained", "frozen", "guess", "river"}
    table = made(n=120, shift=2.0)[TARGET].to_pylist()
    last = next(each for each in found["learners"] if each["title"].startswith("last"))
    # The first row's guess is the last row of the run's own table, or wrong.
    same = sum(a == b for a, b in itertools.pairwise(table))
    assert round(last["score"][0] * 120) in (same, same + 1)
    evaluated = json.loads(qloom("evaluate", run, new, "--json").out)["scores"]["accuracy"][0]
    frozen = next(each for each in found["learners"] if each["role"] == "frozen")
    assert frozen["score"][0] == pytest.approx(evaluated)
    assert all(title in (run / "prequential.html").read_text() for title in titles[-1:])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table.drop_columns(["alcohol"]), "alcohol"),
        (lambda table: table.slice(0, 0), "no rows"),
        (lambda table: table.set_column(0, "alcohol", pa.array(["much"] * table.num_rows)), "alcohol"),
    ],
)
def test_rows_that_cannot_be_read_are_one_line(qloom, run, tmp_path, change, told):
    ended = qloom("watch", run, written(tmp_path, change(made())))
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert told in ended.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--back", "--versions"), "--back and --versions"),
        (("--back", "new.csv"), "takes no table"),
        ((), "no table of new rows"),
        (("new.csv", "--set", "model.width=3"), "expected a key of watch"),
        (("new.csv", "--set", "watch.wen=drift"), "watch.when"),
        (("new.csv", "--prequential", "--river", "oak"), "oak"),
        (("new.csv", "--update", "--prequential"), "--update and --prequential"),
    ],
)
def test_wrong_words_are_one_line(qloom, run, tmp_path, words, told):
    written(tmp_path, made(n=40))
    ended = qloom("watch", run, *words)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert told in ended.err


def test_labels_of_unknown_classes_and_too_few_rows_change_nothing(qloom, run, tmp_path):
    table = made(n=100)
    strange = table.set_column(table.column_names.index(TARGET), TARGET, pa.array(["class_7"] * 100))
    for each, told in ((strange, "class_7"), (made(n=60), "fresh rows")):
        ended = qloom("watch", run, written(tmp_path, each), "--update", "--set", "watch.when=always")
        assert (ended.code, told in ended.err) == (2, True), ended.err
    assert not Ledger(run).path.exists()


def test_older_folders_and_other_versions_are_refused(qloom, run, tmp_path):
    new = written(tmp_path, made(n=40))
    path = run / "model" / "drift.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "version": 9}))
    assert "version 9" in qloom("watch", run, new).err
    path.unlink()
    assert "train again" in qloom("watch", run, new).err
    assert "no metrics.json" in qloom("watch", tmp_path, new).err
