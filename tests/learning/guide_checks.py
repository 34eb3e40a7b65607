"""What guides end in, held against closed forms, other engines and other libraries."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

import qloom as ql
from tests.engines.propagation.free_fermions import free_fermions
from tests.learning.guides import Guide

Names = dict[str, Any]


def correction(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    """Seeds give other shots on other machines: d rounds of the law's errors, of one basis, within four deviations."""
    costs = names["costs"]
    errors = [int(line.split(" errors in")[0].split("; ")[-1]) for line in printed.splitlines()[:2]]
    for distance, found in zip((3, 5), errors, strict=True):
        expected = 100_000 * distance * costs.rate.per_round(0.001, distance) / 2
        assert abs(found - expected) < 0.1 * expected + 4 * sqrt(expected)


def explain(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    """Of a product of two, each is added first in half of the orders."""
    background, found = names["background"], names["found"]
    means = background.mean(axis=0)
    pair = background[:, 1] * (background[:, 2] + background[:, 3])
    b = ((means[2] + means[3] - pair.mean()) + (2 - means[1:2].sum() * 2)) / 2
    c = ((2 * means[1] - pair.mean()) + (2 - means[2] - means[3])) / 2
    assert found.contributions == pytest.approx([3 * (1 - means[0]), b, c], abs=1e-12)
    assert found.base == pytest.approx(float(re.search(r"base of (-?[\d.]+\d)", guide.prose)[1]), abs=5e-4)


def export(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    assert names["record"]["n_coefficients"] == 11 * 3**6 + 3**5


def generative(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    """Chow and Liu: the gain is the information along the edges; smoothing by one row of 178 takes a little of it."""
    bits, edges = names["bits"], names["tree"].edges_
    assert bits.shape == (178, 7)
    assert names["synthetic"].num_rows == 1000
    information = sum(mutual_info_score(bits[:, a], bits[:, b]) for a, b in edges)
    assert names["gain"] == pytest.approx(information, abs=0.01)


def large_models(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    assert names["mixed"].shape[::2] == (40, 6)


def layers(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    x, model = torch.rand(4, 3), names["model"]
    assert torch.equal(model.angles(x), torch.cat([x, x[:, [0, 0, 1]] * x[:, [1, 2, 2]]], dim=1))
    assert model.layer.shots == 1000
    assert model(x).shape == (4, 1)


def noise(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    """Measurements are seeded; errors to the digits of the table."""
    applied, engine = names["model"].apply(names["circuit"]), ql.engines.ReferenceEngine()
    depolarized = ql.expectation(applied, None, names["x"], names["w"], engine=engine)
    assert np.abs(depolarized - names["with_noise"]).max() < 1e-10
    for advice, shots in ((names["few"], "200"), (names["many"], "10,000")):
        row = next(line for line in guide.prose.splitlines() if line.startswith(f"| {shots} |"))
        told = [float(cell) for cell in row.strip("| ").split(" | ")[1:]]
        assert [round(each.error, 3) for each in advice.rows] == told


def optimization(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    """Agent 0 gains more by every task, but takes only two."""
    assert (names["solved"].objective, names["solved"].optimal) == (12, True)


def wide(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    x, _ = free_fermions(200, 20, 0.5, 0.6)
    assert names["exact"][0] == pytest.approx(x[100], abs=1e-9)


def table_to_model(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    model, frame = names["model"], names["frame"]
    np.testing.assert_array_equal(
        type(model).load(folder / "model").predict_proba(frame), model.predict_proba(frame)
    )  # fmt: skip


def circuits(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    assert "Rot" in printed


def of_layers(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    backbone = names["backbone"]
    assert names["model"](torch.zeros(3, 10)).shape == (3, 2)
    assert backbone(torch.zeros(3, 8)).shape == (3, 2)
    assert {name.split(".")[0] for name, p in backbone.named_parameters() if p.requires_grad} == {"fc"}


def kernels(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    assert names["matrix"].shape == (40, 40)


def training(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    assert "Gradients lose a factor of 2.0" in printed
    after = names["model"].parameters()
    assert not any(torch.equal(a, b) for a, b in zip(names["before"], after, strict=True))


def under_noise(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    x, layer = torch.rand(3, 2), names["layer"]
    exact = ql.nn.QuantumLayer(names["circuit"], init=layer.weights.detach().numpy())(x)
    assert 0 < (layer(x) - exact).abs().max() < 0.2
    assert layer.with_engine(names["mitigated"])(x).shape == (3, 2)


def problem(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    assert names["solved"].optimal
    assert "proven optimal" in printed
    states = np.array(list(np.ndindex(*[2] * 6)))
    assert names["found"].energy == pytest.approx(min(x @ names["matrix"] @ x for x in states))


def bits(guide: Guide, names: Names, printed: str, folder: Path) -> None:
    assert (folder / "circuit" / "model.json").is_file()


CHECKS: dict[str, Callable[[Guide, Names, str, Path], None]] = {
    "correction": correction, "explain": explain, "export": export, "generative": generative,
    "large-models": large_models, "layers": layers, "noise": noise, "optimization": optimization, "wide": wide,
    "README: From a table to a model": table_to_model, "README: Circuits": circuits, "README: Layers": of_layers,
    "README: Kernels and published models": kernels, "README: Training that knows it is quantum": training,
    "README: Noise, mitigation, correction": under_noise, "README: Combinatorial optimization": problem,
    "README: Generative models of bits": bits,
}  # fmt: skip
"""Guide -> what is true of the names that it leaves, of what it prints, and of its folder."""
