"""`--to torch`: a torch.export program, features (B, F) to predictions; its circuit is qloom's operator."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch

from qloom.portable.made import CLASSICAL, HOW_ROUNDED, Made, Options
from qloom.portable.original import Original, Rows
from qloom.portable.rounding import SINGLE, rounding_bound
from qloom.portable.steps import AnyStep, Step, run
from qloom.portable.torch_modules import Chain

_ROWS = 512


def program(steps: Sequence[AnyStep], readout: Sequence[Step], dtype: torch.dtype, width: int) -> bytes:
    """The steps as a program for any number of rows: float32 (B, width) in, read out in double."""
    example = torch.zeros(3, width)
    rows = torch.export.Dim("rows", min=1)
    buffer = io.BytesIO()
    exported = torch.export.export(Chain(steps, readout, dtype), (example,), dynamic_shapes=({0: rows},), strict=False)
    torch.export.save(exported, buffer)
    return buffer.getvalue()


def run_program(content: bytes, x: np.ndarray) -> np.ndarray:
    """What a program that is read back gives."""
    module = torch.export.load(io.BytesIO(content)).module()
    with torch.no_grad():
        return np.concatenate([module(part).numpy() for part in torch.from_numpy(x).split(_ROWS)])


def to_torch(original: Original, rows: Rows, options: Options) -> Made:
    """The whole network in single precision, as it was trained; or its encoder and its head."""
    bound = rounding_bound(original.steps, original.readout, rows.features, original.unit, original.unit)
    if options.part == CLASSICAL:
        return _parts(original, rows, bound)
    width = rows.features.shape[1]
    dtype = torch.float32 if original.unit == SINGLE else torch.float64
    content = program(original.steps, original.readout, dtype, width)
    with_qloom = original.place is not None
    line = "Loading network.pt2 takes `import qloom` before: the circuit is qloom's operator." if with_qloom else ""
    return Made(
        {"network.pt2": content}, {"network.pt2": run_program(content, rows.features)}, bound, HOW_ROUNDED,
        "torch and qloom" if with_qloom else "torch alone",
        {"inputs": {"features": ["rows", width]}, "dtype": "float32 in, float64 out"}, [line] if line else [],
    )  # fmt: skip


def _parts(original: Original, rows: Rows, bound: np.ndarray) -> Made:
    """Encoder and head; the circuit runs between them here, in double precision."""
    circuit, (before, after) = original.circuit, original.around()
    n_inputs, n_outputs = circuit.circuit.n_inputs, len(circuit.observables)
    files = {
        "encoder.pt2": program(before, [], torch.float32, rows.features.shape[1]),
        "head.pt2": program(after, original.readout, torch.float32, n_outputs),
    }
    values = run([circuit], run_program(files["encoder.pt2"], rows.features).astype(np.float64))
    found = run_program(files["head.pt2"], values.astype(np.float32))
    details = {"inputs": {"encoder": ["rows", rows.features.shape[1]], "head": ["rows", n_outputs]},
               "outputs": {"encoder": ["rows", n_inputs]}}  # fmt: skip
    return Made(
        files,
        {"encoder.pt2, the circuit by qloom, head.pt2": found},
        bound,
        HOW_ROUNDED,
        "torch alone",
        details,
        ["Between encoder and head stands the circuit, which is not among the files: --to qasm writes it."],
    )
