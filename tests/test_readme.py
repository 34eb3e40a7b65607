"""The README's Python runs."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

README = Path(__file__).resolve().parents[1] / "README.md"


def code_under(title: str) -> str:
    """The indented blocks of a section."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"README has no section {title!r}"
    return "\n".join(line[4:] for line in section[1].splitlines() if line.startswith("    "))


def test_circuits_and_layers(capsys):
    rng = np.random.default_rng(0)
    backbone = torch.nn.Sequential(OrderedDict(body=torch.nn.Linear(8, 512), fc=torch.nn.Linear(512, 2)))
    names = {"inputs": rng.normal(size=(5, 4)), "weights": rng.normal(size=24), "torch": torch, "backbone": backbone}
    exec(code_under("Circuits") + "\n" + code_under("Layers"), names)
    assert "Rot" in capsys.readouterr().out
    assert names["model"](torch.zeros(3, 10)).shape == (3, 2)
    assert names["backbone"](torch.zeros(3, 8)).shape == (3, 2)
    assert {name.split(".")[0] for name, p in backbone.named_parameters() if p.requires_grad} == {"fc"}


def test_kernels_and_published_models(capsys):
    import qloom as ql

    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (40, 2))
    names = {"x": x, "y": x[:, 0] > 0, "x_test": x, "y_test": x[:, 0] > 0, "circuit": ql.encoders.angle(2)}
    exec(
        code_under("Kernels and published models").replace(
            "n_layers=4", "n_layers=1, max_steps=50, convergence_interval=None"
        ),
        names,
    )
    assert names["matrix"].shape == (40, 40)


def test_training_that_knows_it_is_quantum(capsys):
    import qloom as ql

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
    python = python[python.index("from qloom.models") :].replace("random_state=0", "random_state=0, epochs=2")
    exec(python, names)
    loaded = type(names["model"]).load("model")
    np.testing.assert_array_equal(loaded.predict_proba(frame), names["model"].predict_proba(frame))


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
