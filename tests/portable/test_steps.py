"""Every kind of step is the same in numpy, in torch and in ONNX, and knows its rounding and its derivatives."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from qloom.portable.onnx_graph import OPERATIONS, Graph, add_steps
from qloom.portable.ordinary import STEPS
from qloom.portable.rounding import PULLBACKS, ROUNDING, SINGLE
from qloom.portable.steps import Step
from qloom.portable.torch_modules import MODULES, as_module


def example(kind: str) -> tuple[Step, int]:
    """A step of a kind with random numbers, and the width of what it takes."""
    rng = np.random.default_rng(5)
    normal = lambda *shape: rng.normal(size=shape)  # noqa: E731
    if kind == "affine":
        return Step(kind, {"weight": normal(3, 4), "bias": normal(3)}), 4
    if kind == "residual":
        arrays = {"down": normal(2, 3), "up": normal(5, 2), "hidden_shifts": normal(2), "output_shifts": normal(5)}
        return Step(kind, {**arrays, "gains": normal(3)}), 3
    if kind == "trees":
        return Step(kind, _trees(rng)), 2
    if kind == "polynomial":
        return Step(kind, _polynomial(rng)), 3
    if kind == "words":
        arrays = {"inputs": np.array([0, 2, 2]), "scales": np.array([1.0, 2.0, 0.5]), "offsets": normal(3)}
        factors = np.array([[0, 0], [1, 4], [2, 0], [3, 6]])
        return Step(kind, {**arrays, "factors": factors, "coefficients": normal(4, 2)}), 3
    if kind == "target":
        numbers = {"mean": 0.3, "scale": 1.7, "low": -2.0, "high": 3.0, "unit": 2.5, "exponent": 0.4}
        return Step(kind, {**{k: np.array(v) for k, v in numbers.items()}, "kind": np.array("power"),
                           "residuals": normal(7) / 3}), 1  # fmt: skip
    return Step(kind), 4


def _trees(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Two trees: one of a threshold, one of two, filled up to five nodes."""
    own = np.arange(5)
    left, right = np.array([[1, *own[1:]], [1, 3, *own[2:]]]), np.array([[2, *own[1:]], [2, 4, *own[2:]]])
    return {
        "feature": np.array([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]), "left": left, "right": right,
        "threshold": rng.normal(size=(2, 5)), "value": rng.normal(size=(2, 5)), "share": np.eye(2),
        "baseline": rng.normal(size=2), "depth": np.array(2),
    }  # fmt: skip


def _polynomial(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Two outputs of two inputs, and one of none, in the middle."""
    first = {"inputs": np.array([0, 2]), "units": np.array([1.0, 0.5]), "degrees": np.array([1, 2]),
             "coefficients": rng.normal(size=(3, 5, 2)), "outputs": np.array([0, 2]), "split": np.array(1)}  # fmt: skip
    none = {"inputs": np.zeros(0, int), "units": np.zeros(0), "degrees": np.zeros(0, int),
            "coefficients": np.array([[[0.7]]]), "outputs": np.array([1]), "split": np.array(0)}  # fmt: skip
    named = {f"{g}.{name}": array for g, group in enumerate((first, none)) for name, array in group.items()}
    return {"n_groups": np.array(2), "n_outputs": np.array(3), **named}


def inputs(width: int, n_rows: int = 40) -> np.ndarray:
    return np.random.default_rng(6).normal(size=(n_rows, width)).astype(np.float32).astype(np.float64)


def test_the_tables_have_the_same_kinds():
    assert set(STEPS) == set(MODULES) == set(OPERATIONS) == set(ROUNDING)


@pytest.mark.parametrize("kind", STEPS)
def test_torch_gives_the_same(kind):
    step, width = example(kind)
    x = inputs(width)
    np.testing.assert_allclose(as_module([step], torch.float64)(torch.from_numpy(x)), step.values(x), atol=1e-13)


@pytest.mark.parametrize("kind", STEPS)
def test_onnx_gives_the_same_within_the_rounding_bound(kind):
    step, width = example(kind)
    x = inputs(width)
    truth, graph = step.values(x), Graph()
    model = graph.finish(add_steps(graph, graph.input("x", "FLOAT", width), [step]), "y", truth.shape[1:], {})
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for rows in (1, len(x)):  # any number of rows
        (found,) = session.run(None, {"x": x[:rows].astype(np.float32)})
        assert found.shape == truth[:rows].shape
        allowed = ROUNDING[kind](step, x[:rows], truth[:rows], SINGLE)
        assert (np.abs(found - truth[:rows]) <= allowed + 1e-12).all()


@pytest.mark.parametrize("kind", PULLBACKS)
def test_derivatives_are_central_differences(kind):
    step, width = example(kind)
    x = inputs(width, 5)
    cotangents = np.random.default_rng(7).normal(size=step.values(x).shape)
    found = PULLBACKS[kind](step, x, step.values(x), cotangents)
    for i in range(width):
        e = np.zeros(width)
        e[i] = 1e-6
        slope = ((step.values(x + e) - step.values(x - e)) * cotangents).sum(axis=1) / 2e-6
        np.testing.assert_allclose(found[:, i], slope, atol=1e-8)
