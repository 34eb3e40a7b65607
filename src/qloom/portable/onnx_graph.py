"""Steps as ONNX operations, a table beside `ordinary.STEPS`, in single precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from qloom.errors import UnsupportedError
from qloom.extras import package
from qloom.portable.steps import AnyStep, Step

# Of the operators; the second are those of classical machine learning, for trees and text.
OPSET, ML_OPSET, IR_VERSION = 18, 3, 9
_ML = "ai.onnx.ml"
_ONLY_ML = {"TreeEnsembleRegressor", "LabelEncoder"}


class Graph:
    """Operations one after the other; names are counted.

    graph = Graph()
    y = graph("Tanh", graph.input("features", "FLOAT", 13))
    """

    def __init__(self) -> None:
        self._onnx = package("onnx", "qloom export --to onnx", "export")
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []

    def __call__(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation; its result."""
        name = f"v{len(self._nodes)}"
        domain = _ML if operation in _ONLY_ML else ""
        self._nodes.append(self._onnx.helper.make_node(operation, inputs, [name], domain=domain, **attributes))
        return name

    def constant(self, array: Any, dtype: Any = np.float32) -> str:
        """An array; floats in single precision unless another is asked for."""
        name = f"c{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def input(self, name: str, kind: str, width: int) -> str:
        """An input (rows, width) of a type of ONNX."""
        kind = getattr(self._onnx.TensorProto, kind)
        self._inputs.append(self._onnx.helper.make_tensor_value_info(name, kind, ["rows", width]))
        return name

    def cast(self, x: str, kind: str) -> str:
        return self("Cast", x, to=getattr(self._onnx.TensorProto, kind))

    def finish(self, output: str, name: str, shape: Sequence[int], metadata: dict[str, str]) -> bytes:
        """The checked model, its output (rows, *shape) under a name."""
        helper, checker = self._onnx.helper, self._onnx.checker
        self._nodes.append(helper.make_node("Identity", [output], [name]))
        given = helper.make_tensor_value_info(name, self._onnx.TensorProto.FLOAT, ["rows", *shape])
        graph = helper.make_graph(self._nodes, "qloom", self._inputs, [given], self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(_ML, ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="qloom")
        helper.set_model_props(model, metadata)
        checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())


def _affine(g: Graph, x: str, a: Any) -> str:
    return g("Gemm", x, g.constant(a["weight"]), g.constant(a["bias"]), transB=1)


def _residual(g: Graph, x: str, a: Any) -> str:
    hidden = g("Tanh", g("Gemm", x, g.constant(a["down"]), g.constant(a["hidden_shifts"]), transB=1))
    source = np.arange(len(a["up"])) % a["down"].shape[1]
    carried = g("Gather", g("Mul", x, g.constant(a["gains"])), g.ints(*source), axis=1)
    return g(
        "Tanh", g("Add", carried, g("Gemm", hidden, g.constant(a["up"]), g.constant(a["output_shifts"]), transB=1))
    )


def _column(g: Graph, x: str, index: int) -> str:
    return g("Gather", x, g.ints(index), axis=1)


def _one(g: Graph, x: str) -> str:
    """A column of ones, as many as there are rows."""
    return g("Add", g("Mul", _column(g, x, 0), g.constant([0])), g.constant([1]))


def _interleaved(g: Graph, phases: str) -> str:
    """Cosine and sine of each, side by side."""
    both = [g("Unsqueeze", g(wave, phases), g.ints(2)) for wave in ("Cos", "Sin")]
    return g("Reshape", g("Concat", *both, axis=2), g.ints(0, -1))


def _waves(g: Graph, x: str, index: int, unit: float, degree: int) -> str:
    phases = g("Mul", _column(g, x, index), g.constant(unit * np.arange(1, degree + 1)[None]))
    return g("Concat", _one(g, x), _interleaved(g, phases), axis=1)


def _products(g: Graph, parts: Sequence[str], x: str) -> str:
    def times(out: str, part: str) -> str:
        wide = g("Mul", g("Unsqueeze", out, g.ints(2)), g("Unsqueeze", part, g.ints(1)))
        return g("Reshape", wide, g.ints(0, -1))

    return reduce(times, parts) if parts else _one(g, x)


def _polynomial(g: Graph, x: str, a: Any) -> str:
    values: list[str] = []
    places: list[int] = []
    for group in range(int(a["n_groups"])):
        inputs, units, degrees, coefficients, outputs = (
            a[f"{group}.{name}"] for name in ("inputs", "units", "degrees", "coefficients", "outputs")
        )
        each = [_waves(g, x, int(i), u, int(d)) for i, u, d in zip(inputs, units, degrees, strict=True)]
        split, (left, right, size) = int(a[f"{group}.split"]), coefficients.shape
        inner = g("MatMul", _products(g, each[:split], x), g.constant(coefficients.reshape(left, -1)))
        inner = g("Reshape", inner, g.ints(0, right, size))
        weighted = g("Mul", inner, g("Unsqueeze", _products(g, each[split:], x), g.ints(2)))
        values.append(g("ReduceSum", weighted, g.ints(1), keepdims=0))
        places += outputs.tolist()
    return g("Gather", g("Concat", *values, axis=1), g.ints(*np.argsort(places)), axis=1)


def _words(g: Graph, x: str, a: Any) -> str:
    columns = _one(g, x)
    if len(a["inputs"]):
        taken = g("Gather", x, g.ints(*a["inputs"]), axis=1)
        phases = g("Add", g("Mul", taken, g.constant(a["scales"])), g.constant(a["offsets"]))
        columns = g("Concat", columns, _interleaved(g, phases), axis=1)
    factors = [g("Gather", columns, g.ints(*column), axis=1) for column in a["factors"].T]
    nothing = np.zeros(len(a["factors"]), int)
    term = reduce(
        lambda out, factor: g("Mul", out, factor), factors or [g("Gather", columns, g.ints(*nothing), axis=1)]
    )
    return g("MatMul", term, g.constant(a["coefficients"]))


def _trees(g: Graph, x: str, a: Any) -> str:
    nodes: dict[str, list[Any]] = {name: [] for name in ("tree", "node", "feature", "value", "mode", "left", "right")}
    ends: dict[str, list[Any]] = {name: [] for name in ("tree", "node", "output", "weight")}
    thresholds = _rounded_down(a["threshold"])
    for tree in range(len(a["value"])):
        for node in _reached(a["left"][tree], a["right"][tree]):
            leaf = a["left"][tree, node] == node
            row = (tree, node, a["feature"][tree, node], thresholds[tree, node], "LEAF" if leaf else "BRANCH_LEQ",
                   0 if leaf else a["left"][tree, node], 0 if leaf else a["right"][tree, node])  # fmt: skip
            for values, value in zip(nodes.values(), row, strict=True):
                values.append(value)
            if leaf:
                end = (tree, node, int(a["share"][tree].argmax()), a["value"][tree, node])
                for values, value in zip(ends.values(), end, strict=True):
                    values.append(value)
    return g(
        "TreeEnsembleRegressor", x, n_targets=len(a["baseline"]), aggregate_function="SUM", post_transform="NONE",
        base_values=a["baseline"].tolist(), nodes_treeids=nodes["tree"], nodes_nodeids=nodes["node"],
        nodes_featureids=list(map(int, nodes["feature"])), nodes_values=list(map(float, nodes["value"])),
        nodes_modes=nodes["mode"], nodes_truenodeids=list(map(int, nodes["left"])),
        nodes_falsenodeids=list(map(int, nodes["right"])), target_treeids=ends["tree"], target_nodeids=ends["node"],
        target_ids=ends["output"], target_weights=list(map(float, ends["weight"])),
    )  # fmt: skip


def _rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """In single precision, so that x <= threshold is the same for every x of single precision."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def _reached(left: np.ndarray, right: np.ndarray) -> list[int]:
    """Nodes of a tree from its root on; what is beyond fills the table up."""
    found, ahead = [], [0]
    while ahead:
        node = ahead.pop()
        found.append(node)
        if left[node] != node:
            ahead += [int(right[node]), int(left[node])]
    return found


def _target(g: Graph, x: str, a: Any) -> str:
    first = g("Add", _column(g, x, 0), g.constant(a["residuals"][None]))
    coded = g("Add", g("Mul", first, g.constant(a["scale"])), g.constant(a["mean"]))
    kind = str(a["kind"])
    if kind != "none":
        coded = g("Clip", coded, g.constant(a["low"]), g.constant(a["high"]))
    if kind == "log":
        coded = g("Exp", coded)
    elif kind == "power":
        zero, exponent = g.constant(0), float(a["exponent"])
        up = _power_back(g, g("Max", coded, zero), exponent)
        down = g("Neg", _power_back(g, g("Max", g("Neg", coded), zero), 2 - exponent))
        coded = g("Mul", g("Where", g("Less", coded, zero), down, up), g.constant(a["unit"]))
    return g("ReduceMean", coded, g.ints(1), keepdims=0)


def _power_back(g: Graph, x: str, exponent: float) -> str:
    one = g.constant(1)
    if exponent:
        x = g("Div", g("Log", g("Add", g("Mul", x, g.constant(exponent)), one)), g.constant(exponent))
    return g("Sub", g("Exp", x), one)


OPERATIONS: dict[str, Callable[[Graph, str, Any], str]] = {
    "affine": _affine,
    "silu": lambda g, x, a: g("Mul", x, g("Sigmoid", x)),
    "angles": lambda g, x, a: g("Mul", g("Tanh", x), g.constant(math.pi)),
    "residual": _residual,
    "trees": _trees,
    "polynomial": _polynomial,
    "words": _words,
    "softmax": lambda g, x, a: g("Softmax", x, axis=1),
    "exponential": lambda g, x, a: g("Exp", x),
    "target": _target,
}


def add_steps(graph: Graph, x: str, steps: Sequence[AnyStep]) -> str:
    """The result of some steps."""
    for step in steps:
        if not isinstance(step, Step):
            raise UnsupportedError("ONNX has no circuits, expected a polynomial in its place")
        x = OPERATIONS[step.kind](graph, x, step.arrays)
    return x


def run_model(model: bytes, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """What onnxruntime makes of a model."""
    runtime = package("onnxruntime", "qloom export --to onnx", "export")
    session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
    n_rows, parts = len(next(iter(inputs.values()))), []
    for start in range(0, n_rows, 512):  # large polynomials take some room a row
        part = {name: array[start : start + 512] for name, array in inputs.items()}
        parts.append(session.run(None, part)[0])
    return np.concatenate(parts)
