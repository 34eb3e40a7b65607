"""`--to onnx`: the whole model, its circuit as the polynomial that it is, for any ONNX runtime; or its parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qloom.errors import DataError
from qloom.portable.made import CLASSICAL, HOW_ROUNDED, ORDINARY, Made, Options, ordinary, ordinary_bound
from qloom.portable.onnx_columns import add_columns, column_inputs, describe_columns, why_no_columns
from qloom.portable.onnx_graph import ML_OPSET, OPSET, Graph, add_steps, run_model
from qloom.portable.original import Original, Rows
from qloom.portable.rounding import SINGLE, rounding_bound
from qloom.portable.steps import AnyStep, run

_PRODUCT = {"written_by": "qloom export"}


def model_of(steps: Sequence[AnyStep], width: int, given: str, result: str, shape: Sequence[int]) -> bytes:
    """Steps as a model: float32 (rows, width) in, (rows, *shape) out."""
    graph = Graph()
    return graph.finish(add_steps(graph, graph.input(given, "FLOAT", width), steps), result, shape, _PRODUCT)


def to_onnx(original: Original, rows: Rows, options: Options) -> Made:
    """network.onnx from features, model.onnx from the table's columns where ONNX can code them."""
    if options.part == CLASSICAL:
        return _parts(original, rows)
    made, x = ordinary(original, options.cut), rows.features
    shape = original.predictor.predict_features(x[:1]).shape[1:]
    files = {"network.onnx": model_of(made.steps, x.shape[1], "features", "predictions", shape)}
    found = {"network.onnx": run_model(files["network.onnx"], {"features": x})}
    bound, how = ordinary_bound(original, made, x, SINGLE)
    details = {"opset": OPSET, "ml_opset": ML_OPSET, "inputs": {"features": ["rows", x.shape[1]]}, **made.details}
    lines = [ORDINARY] if original.place is not None else []
    why = why_no_columns(original.predictor.preprocessing_)
    if why is None:
        files["model.onnx"] = _with_columns(original, made.steps, shape)
        lines.append("network.onnx takes features; model.onnx takes the table's columns, (rows, 1) each.")
        details["columns"] = describe_columns(original.predictor.preprocessing_)
        found |= _checked_columns(original, rows, files["model.onnx"])
    else:
        lines.append(f"There is no model.onnx that takes the table's columns: {why}.")
    return Made(files, found, bound, how, "any ONNX runtime, such as onnxruntime", details, lines)


def _with_columns(original: Original, steps: Sequence[AnyStep], shape: Sequence[int]) -> bytes:
    graph = Graph()
    features = add_columns(graph, original.predictor.preprocessing_)
    return graph.finish(add_steps(graph, features, steps), "predictions", shape, _PRODUCT)


def _checked_columns(original: Original, rows: Rows, model: bytes) -> dict[str, np.ndarray]:
    """Predictions from columns, where there is a table; its features are to be the same bit for bit.

    Raises:
        DataError: if they are not.
    """
    if rows.table is None:
        return {}
    preprocessing = original.predictor.preprocessing_
    inputs, graph = column_inputs(preprocessing, rows.table), Graph()
    coder = graph.finish(add_columns(graph, preprocessing), "features", [rows.features.shape[1]], _PRODUCT)
    wrong = (run_model(coder, inputs) != rows.features).any(axis=1)
    if wrong.any():
        raise DataError(
            f"ONNX codes {int(wrong.sum())} of {len(wrong)} rows otherwise than qloom, the first is row "
            f"{int(wrong.argmax())}, expected the same bits; nothing was written, please report it"
        )
    return {"model.onnx": run_model(model, inputs)}


def _parts(original: Original, rows: Rows) -> Made:
    """Encoder and head; the circuit runs between them here, in double precision."""
    circuit, (before, after), x = original.circuit, original.around(), rows.features
    n_inputs, n_outputs = circuit.circuit.n_inputs, len(circuit.observables)
    shape = original.predictor.predict_features(x[:1]).shape[1:]
    files = {
        "encoder.onnx": model_of(before, x.shape[1], "features", "angles", [n_inputs]),
        "head.onnx": model_of([*after, *original.readout], n_outputs, "values", "predictions", shape),
    }
    values = run([circuit], run_model(files["encoder.onnx"], {"features": x}).astype(np.float64))
    found = run_model(files["head.onnx"], {"values": values.astype(np.float32)})
    details = {"opset": OPSET, "ml_opset": ML_OPSET,
               "inputs": {"features": ["rows", x.shape[1]], "values": ["rows", n_outputs]}}  # fmt: skip
    return Made(
        files, {"encoder.onnx, the circuit by qloom, head.onnx": found},
        rounding_bound(original.steps, original.readout, x, original.unit, SINGLE), HOW_ROUNDED,
        "any ONNX runtime, such as onnxruntime", details,
        ["Between encoder and head stands the circuit, which is not among the files: --to qasm writes it."],
    )  # fmt: skip
