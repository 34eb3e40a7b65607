"""The README's Python and its commands run as they are written."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import shlex
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

import qloom as ql
from qloom.cli import main

README = Path(__file__).resolve().parents[1] / "README.md"


def code_under(title: str) -> str:
    """The indented blocks of a section."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"README has no section {title!r}"
    lines = [line[4:] for line in section[1].splitlines() if line.startswith("    ")]
    return "\n".join(line for line in lines if not line.startswith("qloom "))


def commands() -> list[str]:
    """Every line of an indented block that begins with qloom, without its comment."""
    lines = re.findall(r"^    (qloom .*)$", README.read_text(), re.MULTILINE)
    return list(dict.fromkeys(line.split(" # ")[0].split("  #")[0].strip() for line in lines))


# What makes a command of the README short: the later of two equal options holds.
_NETWORK = ("--set", "model.n_qubits=2", "--set", "model.n_layers=1", "--epochs", "1")
SHORT = {
    "train": (*_NETWORK, "--seeds", "1"), "tune": ("--trials", "1", "--epochs", "1"), "solve": ("--time-limit", "1"),
    "noise": ("--shots", "100", "--rows", "20", "--no-corrected"), "diagnose": ("--samples", "2"),
    "generate": ("--rows", "100", "--time-limit", "1"),
}  # fmt: skip
TRAIN = "qloom train customers.csv --target Churn"
# Of Fisher and Thompson 1963 too, six jobs on six machines: a third of ft10.
JOBS = """6 6
2 1 0 3 1 6 3 7 5 3 4 6
1 8 2 5 4 10 5 10 0 10 3 4
2 5 3 4 5 8 0 9 1 1 4 7
1 5 0 5 2 5 3 3 4 8 5 9
2 9 1 3 4 5 5 4 0 3 3 1
1 3 3 3 5 9 0 10 4 4 2 1
"""


def calibration() -> bytes:
    """A device of five qubits in a row, in the layout of IBM's, gzipped."""
    qubits = [{"q": q, "T1_us": 100.0 + q, "T2_us": 80.0, "p_meas1_given0": 0.02, "p_meas0_given1": 0.03}
              for q in range(5)]  # fmt: skip
    gates = [[name, [q], 4e-4, 35.0] for q in range(5) for name in ("sx", "x")]
    gates += [["cx", pair, 0.01, 300.0] for q in range(4) for pair in ([q, q + 1], [q + 1, q])]
    return gzip.compress(json.dumps({"device": "row of five", "qubits": qubits, "gates": gates}).encode(), mtime=0)


@pytest.fixture(scope="module")
def customers(tmp_path_factory):
    """A folder with the files that the README names, and the run it trains."""
    folder = tmp_path_factory.mktemp("readme")
    rng = np.random.default_rng(0)
    for name, first in (("customers", 0), ("new", 200)):
        months, plan = rng.integers(1, 60, 200), rng.choice(["monthly", "yearly"], 200)
        churn = np.where(months / 60 + (plan == "yearly") + rng.normal(size=200) < 0.7, "Yes", "No")
        rows = zip(range(first, first + 200), months, plan, churn, strict=True)
        text = "customerID,tenure,plan,Churn\n" + "".join(f"C{i},{m},{p},{c}\n" for i, m, p, c in rows)
        (folder / f"{name}.csv").write_text(text)
    (folder / "ft10").write_text(JOBS)
    (folder / "circuit.qasm").write_text(ql.Circuit(2).h(0).cx(0, 1).to_qasm())
    (folder / "ibm_manila.json.gz").write_bytes(calibration())
    with contextlib.chdir(folder):
        assert run(TRAIN) == 0
    return folder


def run(line: str) -> int:
    """The exit code of a command, made short."""
    words = shlex.split(line)[1:]
    with pytest.raises(SystemExit) as ended:
        main([*words, *SHORT.get(words[0], ())])
    return int(ended.value.code or 0)


@pytest.mark.parametrize("line", commands())
def test_command(line, customers, monkeypatch, capsys):
    monkeypatch.chdir(customers)
    if "--gpu" in line and not torch.cuda.is_available():
        assert run(line) == 2
        assert "without CUDA" in (refusal := capsys.readouterr().err) or "no CUDA device" in refusal
        return
    assert line == TRAIN or run(line) == 0, capsys.readouterr().err


def test_every_way_to_make_and_install_is_there():
    """The package is on no index: it is installed from the checkout."""
    assert all(what.strip("'").startswith(".") for what in re.findall(r"pip install ([^`]+)`", README.read_text()))
    makefile = (README.parent / "Makefile").read_text()
    for target in re.findall(r"^    make (\w+)", README.read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_circuits_and_layers(capsys):
    backbone = torch.nn.Sequential(OrderedDict(body=torch.nn.Linear(8, 512), fc=torch.nn.Linear(512, 2)))
    names = {"torch": torch, "backbone": backbone}
    exec(code_under("Circuits") + "\n" + code_under("Layers"), names)
    assert "Rot" in capsys.readouterr().out
    assert names["model"](torch.zeros(3, 10)).shape == (3, 2)
    assert names["backbone"](torch.zeros(3, 8)).shape == (3, 2)
    assert {name.split(".")[0] for name, p in backbone.named_parameters() if p.requires_grad} == {"fc"}


def test_kernels_and_published_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (40, 2))
    names = {"ql": ql, "x": x, "y": x[:, 0] > 0, "x_test": x, "y_test": x[:, 0] > 0, "circuit": ql.encoders.angle(2)}
    exec(code_under("Kernels and published models"), names)
    assert names["matrix"].shape == (40, 40)


def test_generative_models(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bits = np.random.default_rng(0).integers(0, 2, (30, 901))
    names = {"bits": bits, "test_bits": bits[:5]}
    exec(code_under("Generative models of bits").replace("n_steps=2000", "n_steps=1, gates=1"), names)
    assert (tmp_path / "circuit" / "model.json").is_file()


def test_training_that_knows_it_is_quantum(capsys):
    layer = ql.nn.QuantumLayer(ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1), seed=0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), layer)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    names = {"ql": ql, "torch": torch, "model": model, "x": torch.rand(8, 3)}
    exec(code_under("Training that knows it is quantum"), names)
    assert ql.trainability.diagnose is names["diagnose"]
    assert "Gradients lose a factor of 2.0" in capsys.readouterr().out
    assert not any(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_estimator(tmp_path, monkeypatch):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame({"a": rng.normal(size=120), "b": rng.choice(["u", "v"], 120)})
    names = {"frame": frame, "labels": (frame["a"] > 0).astype(int), "other_frame": frame}
    python = code_under("From a table to a model")
    exec(python[python.index("from qloom.models") :], names)
    loaded = type(names["model"]).load("model")
    np.testing.assert_array_equal(loaded.predict_proba(frame), names["model"].predict_proba(frame))


def test_noise_mitigation_correction():
    circuit = ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1)
    names = {"ql": ql, "circuit": circuit}
    code = code_under("Noise, mitigation, correction")
    exec("\n".join(line for line in code.splitlines() if not line.startswith("qloom ")), names)
    x = torch.rand(3, 2)
    exact = ql.nn.QuantumLayer(circuit, init=names["layer"].weights.detach().numpy())(x)
    assert 0 < (names["layer"](x) - exact).abs().max() < 0.2
    assert names["layer"].with_engine(names["mitigated"])(x).shape == (3, 2)


def test_combinatorial_optimization(capsys):
    rng = np.random.default_rng(0)
    edges, weights = np.array([[0, 1], [1, 2], [2, 3], [3, 0]]), np.ones(4)
    names = {"matrix": rng.normal(size=(6, 6)), "edges": edges, "weights": weights}
    code = code_under("Combinatorial optimization")
    exec("\n".join(line for line in code.splitlines() if not line.startswith("qloom ")), names)
    assert names["solved"].optimal
    assert "proven optimal" in capsys.readouterr().out
    assert names["found"].energy == pytest.approx(min(
        x @ names["matrix"] @ x for x in np.array(list(np.ndindex(*[2] * 6)))
    ))  # fmt: skip
