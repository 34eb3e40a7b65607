"""The Python in docstrings runs: what stands deeper, behind an empty line."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import qloom as ql
from qloom.models import HybridClassifier, ReuploadingClassifier
from tests.learning.guides import ROOT

SOURCES = ROOT / "src"
SHORT = {"n_layers": 1, "max_steps": 2, "convergence_interval": None}
# A formula, a table, and how the file is called that lies beside an export: tests/portable/test_exporting.py calls it.
NO_PYTHON = {"qloom.combinatorial.solvers.bifurcation", "qloom.engines.base", "qloom.portable.ordinary"}


def fitted() -> dict[str, Any]:
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    return {"model": ReuploadingClassifier(**SHORT).fit(x, x[:, 0] > 0)}


def resnet() -> dict[str, Any]:
    """Of torchvision's only what is used."""
    models = SimpleNamespace(resnet18=lambda weights: torch.nn.Sequential())
    return {"torchvision": SimpleNamespace(models=models), "n_classes": 3}


def rows() -> dict[str, Any]:
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    y = x[:, 0] > 0
    short = {"ReuploadingClassifier": lambda: ReuploadingClassifier(**SHORT)}
    return {"X": x, "y": y, "X_test": x, "y_test": y, **short}


def trained() -> dict[str, Any]:
    layer = ql.nn.QuantumLayer(ql.encoders.angle(2) + ql.ansatze.basic_entangler(2, 1), seed=0)
    return {
        "layer": layer, "objective": lambda layer, batch: layer(batch).square().mean(), "batches": [torch.rand(4, 2)]
    }  # fmt: skip


def in_parts() -> dict[str, Any]:
    model = torch.nn.ModuleDict({"head": torch.nn.Linear(2, 1), "quantum": torch.nn.Linear(2, 2)})
    return {"model": model, "fit": lambda model, optimizer: optimizer.step()}


NAMES: dict[str, Callable[[], dict[str, Any]]] = {
    "Training": trained, "with_engine": fitted, "fit_seeds": rows, "QuantumHead": resnet, "stages": in_parts,
    "QuantumLandmarks": lambda: {"make_pipeline": make_pipeline, "LinearSVC": LinearSVC},
    "QuadraticFeatureSelector": lambda: {"make_pipeline": make_pipeline, "HybridClassifier": HybridClassifier},
}  # fmt: skip
"""Owner of a docstring -> what its code takes as given."""


def docstrings() -> Iterator[tuple[str, str, str]]:
    """Module, owner, text."""
    for path in sorted(SOURCES.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_owner = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            if is_owner and (text := ast.get_docstring(node)):
                yield module, getattr(node, "name", ""), text


def blocks(text: str) -> Iterator[str]:
    for found in re.finditer(r"^\S.*\n\n((?:    .*\n?|\n)+)", text, re.MULTILINE):
        yield dedent(found[1]).strip()


def is_python(block: str) -> bool:
    with contextlib.suppress(SyntaxError):
        ast.parse(block)
        return True
    return False


BLOCKS = [(module, owner, block) for module, owner, text in docstrings() for block in blocks(text)]
CODE = [each for each in BLOCKS if is_python(each[2])]


@pytest.mark.parametrize(("module", "owner", "block"), CODE, ids=[f"{module}.{owner}" for module, owner, _ in CODE])
def test_it_runs(module, owner, block):
    names = {**vars(import_module(module)), "ql": ql, "torch": torch, **NAMES.get(owner, dict)()}
    exec(block, names)


def test_every_block_is_python_or_known_as_none():
    assert {module for module, _, block in BLOCKS if not is_python(block)} == NO_PYTHON
    assert set(NAMES) <= {owner for _, owner, _ in CODE}
    assert not [(module, owner) for module, owner, text in docstrings() if ">>>" in text or "```" in text]
