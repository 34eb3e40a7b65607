"""`qloom train --text-model`: real messages from training to a server, always by the model that they were coded by."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as parquet
import pytest

from benchmarks.shared import DATA
from qloom.cli import main
from qloom.data import read_table
from qloom.files import read_json
from qloom.serving.server import serving
from qloom.serving.settings import Settings
from tests.backbones.tiny_models import make_text_model

SPAM = DATA / "text_sms_spam" / "spam.csv.gz"
N_ROWS = 160
pytestmark = pytest.mark.skipif(not SPAM.exists(), reason=f"{SPAM} is not there: the shared tables are not beside us")


@pytest.fixture(scope="module")
def bert(tmp_path_factory) -> Path:
    pytest.importorskip("transformers")
    return make_text_model(tmp_path_factory.mktemp("bert"))


@pytest.fixture(scope="module")
def messages(tmp_path_factory) -> Path:
    """The first messages, with their length as a number."""
    table = read_table(SPAM).slice(0, N_ROWS)
    table = table.append_column("letters", [[len(text) for text in table["text"].to_pylist()]])
    path = tmp_path_factory.mktemp("messages") / "sms.csv"
    pa.csv.write_csv(table, path)
    return path


@pytest.fixture(scope="module")
def run(bert, messages, small, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.raises(SystemExit) as ended:
        main(["train", str(messages), "--target", "label", "--text-model", str(bert), "--output", str(folder), *small])
    assert not ended.value.code
    return folder / "sms"


def predicted(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_run_says_by_which_model(run, bert):
    metrics = read_json(run / "metrics.json")
    (note,) = [note for note in metrics["notes"] if "frozen model" in note]
    digest = read_json(run / "environment.json")["text_model_sha256"]
    assert f"column 'text' is coded by the frozen model in {bert} (sha256 {digest[:12]}): 15 principal" in note
    (column,) = [column for column in metrics["columns"] if column["name"] == "text"]
    assert column["becomes"] == f"15 directions of the 16 numbers of {bert.name}"
    coding = read_json(run / "model" / "model.json")["preprocessing"]["codings"][0]
    assert (coding["kind"], coding["model"], coding["sha256"]) == ("embedding", str(bert), digest)
    assert f"text_model: {bert}" in (run / "config.yaml").read_text()
    assert list((run.parent / "text-features").glob("*/*.safetensors"))


def test_it_predicts_and_evaluates_rows_alone_and_together(qloom, run, messages, tmp_path):
    ended = qloom("predict", run, messages)
    assert (ended.code, ended.err) == (0, "")
    rows = predicted(ended.out)
    kept = parquet.read_table(run / "predictions.parquet").to_pydict()
    found = [float(rows[row]["probability:spam"]) for row in kept["row"]]
    np.testing.assert_allclose(found, kept["hybrid:probability:spam"], atol=1e-6)
    whole = read_table(messages)
    for row in (3, 150):
        pa.csv.write_csv(whole.slice(row, 1), tmp_path / "one.csv")
        (alone,) = predicted(qloom("predict", run, tmp_path / "one.csv").out)
        assert {**alone, "row": str(row)} == rows[row]
    assert "ROC AUC" in qloom("evaluate", run, messages, "--force").out


@pytest.mark.slow
def test_it_predicts_in_a_process_of_its_own(qloom, run, messages):
    """Where torch is loaded late, by the column."""
    command = [sys.executable, "-m", "qloom", "predict", str(run), str(messages)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == qloom("predict", run, messages).out


def test_it_is_served_bit_for_bit(qloom, run, messages, tmp_path):
    copy = shutil.copytree(run, tmp_path / "sms")
    rows = predicted(qloom("predict", run, messages).out)
    table = read_table(messages).drop_columns(["label"]).slice(0, 20).to_pylist()
    with serving(Settings(str(copy), port=0)) as service:
        for asked in ([table[4]], table):
            answer = httpx.post(f"{service.settings.address}/predict", json={"rows": asked}, timeout=30).json()
            expected = [rows[table.index(each)]["probability:spam"] for each in asked]
            assert [repr(each["probability"]["spam"]) for each in answer["predictions"]] == expected
        schema = httpx.get(f"{service.settings.address}/schema").json()
    assert next(each for each in schema["columns"] if each["name"] == "text")["kind"] == "text"


def test_a_run_that_was_cut_off_goes_on_to_the_same(qloom, run, messages):
    before = parquet.read_table(run / "predictions.parquet")
    (run / "metrics.json").unlink()
    for file in (run / "checkpoints").rglob("hybrid.*"):
        file.unlink()
    shutil.rmtree(run.parent / "text-features")
    assert qloom("train", run, "--resume").code == 0
    assert parquet.read_table(run / "predictions.parquet").equals(before)


def test_models_that_are_gone_or_changed_are_one_sentence(qloom, bert, messages, small, tmp_path):
    folder = shutil.copytree(bert, tmp_path / "bert")
    assert qloom("train", messages, "--target", "label", "--text-model", "bert", *small).code == 0
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"layer_norm_eps": 1e-12', '"layer_norm_eps": 1e-03'))
    commands = [("predict", "runs/sms", messages), ("evaluate", "runs/sms", messages, "--force"),
                ("serve", "runs/sms", "--port", 0), ("explain", "runs/sms", 3), ("watch", "runs/sms", messages),
                ("export", "runs/sms", "--to", "torch"), ("train", "runs/sms", "--resume")]  # fmt: skip
    for command in commands:
        ended = qloom(*command)
        assert (ended.code, ended.err.count("\n")) == (2, 1), command
        assert "bert has changed since" in ended.err
    shutil.rmtree(folder)
    for command in commands:
        ended = qloom(*command)
        assert (ended.code, ended.err.count("\n")) == (2, 1), command
        assert "is no folder, expected" in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--text-model", "all-MiniLM-L6-v2"], "'all-MiniLM-L6-v2' is no folder, expected one with a pretrained model"),
        (["--text-model", "BERT", "--drop", "text"], "no column is free text, expected one for the text model in"),
        (
            ["--text-model", "BERT", "--kind", "letters=text"],
            "column 'letters' is to be text and holds numbers such as",
        ),
    ],
)
def test_what_cannot_be(qloom, bert, messages, small, tmp_path, words, message):
    words = [str(bert) if word == "BERT" else word for word in words]
    ended = qloom("train", messages, "--target", "label", *words, *small)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert message in ended.err
    assert "--kind 'COLUMN=text'" in ended.err or "--drop" not in words
    assert not (tmp_path / "runs" / "sms" / "config.yaml").exists()


def test_rows_on_disk(qloom, bert, messages, small, tmp_path):
    ended = qloom("train", messages, "--target", "label", "--text-model", bert, "--set", "data.stream=true",
                  "--set", "data.window=256", "--set", "comparison.seeds=1", *small[:1], *small[3:])  # fmt: skip
    assert ended.code == 0, ended.err
    (note,) = [note for note in read_json(Path("runs/sms/metrics.json"))["notes"] if "frozen model" in note]
    assert f"{bert} (sha256 " in note
    rows = predicted(qloom("predict", "runs/sms", messages).out)
    assert len(rows) == N_ROWS


def test_without_the_option_nothing_of_it_is_there(qloom, messages, small, tmp_path):
    assert qloom("train", messages, "--target", "label", *small).code == 0
    coding = read_json(tmp_path / "runs/sms/model/model.json")["preprocessing"]["codings"][0]
    assert coding["kind"] == "text"
    assert "text_model_sha256" not in json.dumps(read_json(tmp_path / "runs/sms/environment.json"))
    assert not (tmp_path / "runs/text-features").exists()
