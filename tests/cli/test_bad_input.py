"""Mistakes of the user: exit code 2, one line that says what to do, no traceback, nothing written or lost."""

import shutil

import pytest

from qloom.cli import main
from qloom.errors import ArtifactError
from qloom.training.lock import locked

GOOD = "a,b,y\n" + "".join(f"{i % 17}.5,{i % 5}.25,{'no' if i % 3 else 'yes'}\n" for i in range(60))


def refused(ended, *parts):
    assert ended.code == 2, ended
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("qloom: ")
    for part in parts:
        assert part in lines[0]


@pytest.fixture
def train(qloom, tmp_path, small):
    """Train on a table given as text; nothing may be written."""

    def run(text, *words, target="y"):
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        ended = qloom("train", "table.csv", "--target", target, *small, *words)
        assert not list(tmp_path.glob("runs/*"))
        return ended

    return run


def test_missing_file(qloom):
    refused(qloom("train", "none.csv", "--target", "y"), "none.csv")


def test_the_first_mistake_comes_first(qloom):
    """No file and no target: a target cannot be chosen from a file that is not there."""
    refused(qloom("train", "none.csv"), "no file none.csv")
    refused(qloom("train", "none.csv", "--set", "modle.x=1", "--set", "model.zz=2", "--target", "y"), "'modle.x'")


def test_missing_column(train):
    refused(train(GOOD, target="Y2"), "no column 'Y2'", "did you mean 'y'")


def test_no_target_given(qloom, tmp_path):
    (tmp_path / "t.csv").write_text(GOOD)
    refused(qloom("train", "t.csv"), "--target")


@pytest.mark.parametrize(("text", "part"), [
    ("", "empty"),
    ("a,b,y\n", "no rows"),
    (b"\x00\x01\x02PNG\xff" * 50, "binary"),
    (GOOD.replace("a,b,y", "a,a,y"), "stands twice"),
    (GOOD.replace("yes", "no"), "only the class"),
    (GOOD + "1.5,2.5,\n", "missing in 1 of 61 rows"),
    (GOOD + "inf,2.5,no\n", "infinite"),
    ("a,y\n" + "1,no\n1,yes\n" * 30, "no column is left to learn from"),
    ("a,y\n1,no\n2,yes\n", "y"),
])  # fmt: skip
def test_table_that_cannot_be_learnt_from(train, text, part):
    refused(train(text), part)


def test_text_for_a_number(train):
    refused(train(GOOD, "--task", "regression"), "text 'yes'", "expected numbers")


def test_too_many_qubits_for_memory(train):
    refused(train(GOOD, "--set", "model.n_qubits=60"), "60 qubits", "bytes")


@pytest.mark.parametrize(("word", "parts"), [
    ("training.epoch=3", ("unknown key 'training.epoch'", "'training.epochs'")),
    ("model.ansatz=ring", ("model.ansatz is 'ring'", "strongly_entangling")),
    ("training.learning_rate=fast", ("training.learning_rate is 'fast'", "number")),
    ("training.epochs", ("no value",)),
])  # fmt: skip
def test_bad_setting(train, word, parts):
    refused(train(GOOD, "--set", word), *parts)


def test_configuration_with_an_unknown_key(qloom, tmp_path):
    (tmp_path / "c.yaml").write_text("data: {source: t.csv, target: y}\nmodle: {n_qubits: 2}\n")
    refused(qloom("train", "c.yaml"), "unknown key 'modle'", "did you mean 'model")


def test_missing_configuration(qloom):
    refused(qloom("train", "none.yaml"), "none.yaml")


def test_more_features_than_qubits_and_constant_columns_are_said(qloom, tmp_path, small):
    (tmp_path / "t.csv").write_text(
        GOOD.replace("y\n", "y,fixed\n", 1).replace("yes\n", "yes,1\n").replace("no\n", "no,1\n")
    )
    ended = qloom("train", "t.csv", "--target", "y", *small, "--set", "model.n_qubits=1")
    assert ended.code == 0
    assert "features on 1 qubits: the classical encoder maps them to angles" in ended.out
    assert "column 'fixed' is not used" in ended.out


def test_run_folder_in_use(qloom, trained):
    with locked(trained):
        refused(qloom("train", trained, "--resume"), "in use by process")


def test_run_folder_that_exists(qloom, trained, small):
    kept = (trained / "metrics.json").read_bytes()
    refused(qloom("train", "demo:wine", "--output", trained.parent, *small), "exists already", "--resume")
    assert (trained / "metrics.json").read_bytes() == kept


def test_run_folder_without_resume(qloom, trained):
    refused(qloom("train", trained), "--resume")


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_model_that_is_none(qloom, command, tmp_path):
    refused(qloom(command, "none", "demo:wine"), "does not exist")
    (tmp_path / "model.json").write_text("{}")
    refused(qloom(command, ".", "demo:wine"), "not a qloom model")


def test_damaged_model(qloom, trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "copy")
    path = folder / "model" / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    refused(qloom("predict", folder, "demo:wine"), "sha256 differs")


def test_damaged_checkpoint(qloom, trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "copy")
    (folder / "checkpoints" / "boosting.outcome.safetensors").write_bytes(b"damaged")
    refused(qloom("train", folder, "--resume"), "boosting.outcome.safetensors is damaged", "delete it")


def test_table_without_a_column_of_the_model(qloom, trained):
    refused(qloom("predict", trained, "demo:diabetes"), "no column 'alcohol'")


def test_output_that_is_no_table(qloom, trained):
    refused(qloom("predict", trained, "demo:wine", "--output", "p.xlsx"), ".csv or .parquet")


def test_output_in_a_folder_that_is_not_there(qloom, trained):
    refused(qloom("predict", trained, "demo:wine", "--output", "none/p.csv"), "none/p.csv")


def test_report_of_no_run(qloom, tmp_path):
    refused(qloom("report", tmp_path), "metrics.json")


def test_unknown_demonstration(qloom):
    refused(qloom("train", "demo:roses"), "demo:breast_cancer")


def test_unknown_option(qloom):
    assert qloom("train", "demo:wine", "--quick").code == 2


def test_debug_shows_the_traceback():
    with pytest.raises(ArtifactError, match="does not exist"):
        main(["predict", "none", "demo:wine", "--debug"])
