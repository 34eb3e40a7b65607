"""Every command, on real tables, from the words typed to the files and lines that come out."""

import io
import json
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as parquet
import pytest
import yaml

from qloom.models import load_model
from qloom.models.tables.architecture import Architecture, build_network, observables_of
from qloom.trainability import diagnose
from qloom.training import load_configuration
from qloom.training.demonstrations import demonstration_table


@pytest.fixture
def wine_csv(tmp_path):
    path = tmp_path / "wine.csv"
    demonstration_table("demo:wine").to_pandas().to_csv(path, index=False)
    return path


def test_train_writes_a_report_and_prints_the_leaderboard(qloom, trained):
    ended = qloom("train", trained, "--resume")
    assert ended.code == 0
    assert "already trained" in ended.out
    assert "gradient boosting" in ended.out
    assert (trained / "report.html").stat().st_size > 10_000
    assert json.loads((trained / "metrics.json").read_text())["verdict"] in ended.out.replace("\n", " ")


def test_init_writes_a_configuration_that_trains(qloom, wine_csv, tmp_path, small):
    assert qloom("init", wine_csv, "--target", "cultivar").code == 0
    path = tmp_path / "wine.yaml"
    assert "3 classes" in path.read_text()
    assert qloom("train", path, *small).code == 0
    kept = yaml.safe_load((tmp_path / "runs" / "wine" / "config.yaml").read_text())
    assert (kept["data"]["target"], kept["training"]["epochs"], kept["model"]["n_qubits"]) == ("cultivar", 2, 2)


def test_init_does_not_overwrite(qloom, wine_csv, tmp_path):
    (tmp_path / "wine.yaml").write_text("mine")
    assert qloom("init", wine_csv, "--target", "cultivar").code == 2
    assert (tmp_path / "wine.yaml").read_text() == "mine"
    assert qloom("init", wine_csv, "--target", "cultivar", "--force").code == 0


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_predict_to_a_file(qloom, trained, wine_csv, tmp_path, name):
    shuffled = pd.read_csv(wine_csv).drop(columns="cultivar").iloc[:, ::-1].assign(more="x")
    shuffled.to_csv(tmp_path / "new.csv", index=False)
    assert qloom("predict", trained, "new.csv", "--output", name).code == 0
    found = parquet.read_table(name).to_pandas() if name.endswith("parquet") else pd.read_csv(name)
    expected = load_model(trained).predict_table(demonstration_table("demo:wine"))
    probabilities = found[[f"probability:class_{i}" for i in range(3)]].to_numpy()
    assert abs(probabilities - expected).max() < 1e-12
    assert list(found.row) == list(range(178))


def test_predict_to_the_screen(qloom, trained):
    ended = qloom("predict", trained / "model", "demo:wine")
    table = pd.read_csv(io.StringIO(ended.out))
    probabilities = (f"probability:class_{i}" for i in range(3))
    assert list(table.columns) == ["row", "prediction", *probabilities, "unseen"]
    assert len(table) == 178


def test_evaluate(qloom, trained, wine_csv):
    ended = qloom("evaluate", trained, wine_csv, "--json", "--force")
    scores = json.loads(ended.out)
    model, frame = load_model(trained), pd.read_csv(wine_csv)
    labels = model.classes_[model.predict_table(demonstration_table("demo:wine")).argmax(axis=1)]
    assert scores["scores"]["accuracy"][0] == pytest.approx((labels == frame.cultivar).mean())
    assert "178 rows" in qloom("evaluate", trained, wine_csv, "--force").out


def test_report_is_made_again(qloom, trained):
    path = trained / "report.html"
    path.unlink()
    assert qloom("report", trained).code == 0
    assert "<html" in path.read_text()


def test_doctor(qloom):
    ended = qloom("doctor")
    assert ended.code == 0
    assert "self-check     passed" in ended.out
    assert "torch" in ended.out


def test_query_drop_and_time(qloom, wine_csv, tmp_path, small):
    words = ["--query", "select *, row_number() over () as day from data", "--time", "day", "--drop", "hue"]
    assert qloom("train", wine_csv, "--target", "alcohol", *words, *small, "--name", "sql").code == 0
    metrics = json.loads((tmp_path / "runs" / "sql" / "metrics.json").read_text())
    assert (metrics["task"], metrics["split"]) == ("regression", "time")
    assert not any("hue" in feature for feature in metrics["features"])


def test_as_a_program():
    code = "from qloom.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert all(name in ended.stdout for name in ("train", "init", "predict", "evaluate", "report", "doctor"))


def test_interrupted_run_says_how_to_go_on(qloom, trained, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("qloom.cli.train.train_run", interrupt)
    ended = qloom("train", trained, "--resume")
    assert ended.code == 130
    assert ended.err == f"stopped; go on with: qloom train {trained} --resume\n"


def test_diagnose_is_of_the_layer_that_is_trained(qloom):
    """Its circuit, its observables and its first weights."""
    assert qloom("init", "demo:wine", "--set", "model.n_qubits=3", "--set", "model.n_layers=1").code == 0
    printed = qloom("diagnose", "wine.yaml", "--samples", "20").out
    architecture = Architecture(n_features=13, n_targets=3, n_qubits=3, n_layers=1)
    network = build_network(architecture, architecture.circuit(), observables_of(3), seed=0)
    found = diagnose(network.layer, n_samples=20)
    for value in (*found.variances, *found.squares_at_start):
        assert f"{value:.2e}" in printed
    assert f"from init='auto' ({network.layer.initialization})" in printed


def test_diagnose_measures_at_the_weights_of_an_earlier_run(qloom, wine_csv, tmp_path):
    settings = ("model.n_qubits=3", "training.epochs=1", "comparison.seeds=1")
    small = tuple(word for setting in settings for word in ("--set", setting))
    assert qloom("init", wine_csv, "--target", "cultivar").code == 0
    config = tmp_path / "wine.yaml"
    assert qloom("train", config, *small, "--name", "first", "--set", f"output={tmp_path}").code == 0
    ended = qloom("diagnose", config, *small, "--samples", "20", "--set", f"training.start_from={tmp_path / 'first'}")
    assert ended.code == 0
    assert "square from the layer's weights" in ended.out
    other = ("--set", "model.n_layers=2", "--set", f"training.start_from={tmp_path / 'first'}")
    assert "first has another circuit" in qloom("diagnose", config, *small, *other).err


def test_diagnose_prints_and_draws(qloom, wine_csv, tmp_path):
    assert qloom("init", wine_csv, "--target", "cultivar").code == 0
    picture = tmp_path / "decay.svg"
    settings = ("--set", "model.n_qubits=4", "--samples", "50", "--plot", picture)
    ended = qloom("diagnose", tmp_path / "wine.yaml", *settings)
    assert ended.code == 0
    assert "slope of ln a qubit" in ended.out
    assert "8 observables on up to 2 qubits: Z(0), Z(1), ..., Z(0) @ Z(3)" in ended.out
    assert picture.read_text().startswith("<?xml")
    assert list(tmp_path.glob(".*")) == []
    wrong = qloom("diagnose", tmp_path / "wine.yaml", "--plot", "decay.txt")
    assert wrong.code == 2
    assert "plot is 'decay.txt', expected a name that ends in .svg, .png, .pdf" in wrong.err


def test_kinds_are_given_by_the_command_line(qloom, tmp_path):
    path, config = tmp_path / "t.csv", tmp_path / "t.yaml"
    path.write_text("price,zip,y\n" + "\n".join(f"{1 + i % 9}.{100 + i},{i % 40},{i % 2}" for i in range(120)))
    options = ["--kind", "price=number:1.234,5", "--kind", "zip=category", "--output", config]
    assert qloom("init", path, "--target", "y", *options).code == 0
    assert load_configuration(config).data.kinds == {"price": "number:1.234,5", "zip": "category"}
    refused = qloom("train", path, "--target", "y", "--kind", "zip")
    assert "--kind 'zip' names no kind, expected COLUMN=KIND such as zip=category" in refused.err


def test_a_circuit_is_run_from_its_file_to_a_page(qloom, tmp_path):
    (tmp_path / "bell.qasm").write_text('OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; h q[0]; cx q[0], q[1];')
    ended = qloom("run", tmp_path / "bell.qasm", "--shots", "100", "--seed", "3", "--page", tmp_path / "page.html")
    assert ended.code == 0
    assert f"{tmp_path / 'page.html'} written" in ended.out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "bell.qasm" in page
    assert "100 shots, seed 3" in page.replace("\N{NARROW NO-BREAK SPACE}", "")


def test_where_nobody_can_be_asked_a_device_buys_nothing(qloom, tmp_path):
    device = "{name: device, device: qloom exact, shots: 10, budget_shots: 90000, ask_above: 1}"
    small = ("--set", "model.n_qubits=2", "--seeds", "1", "--epochs", "1")
    ended = qloom("train", "demo:wine", *small, "--set", f"refinement=[{{engine: {device}, steps: 1}}]")
    assert ended.code == 2
    assert "nobody can be asked here; agree with --yes" in ended.err
    assert not list(tmp_path.rglob("config.yaml"))
