"""`--to surrogate`: the whole model as an ordinary network, for numpy and for torch, that simulates no circuit."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch

from qloom.portable.made import ORDINARY, Made, Options, ordinary, ordinary_bound
from qloom.portable.ordinary_file import ordinary_source, run_network
from qloom.portable.original import Original, Rows
from qloom.portable.rounding import DOUBLE
from qloom.portable.steps import Step, network_file
from qloom.portable.torch_program import program, run_program


def to_surrogate(original: Original, rows: Rows, options: Options) -> Made:
    """network.npz with predict.py for numpy alone, network.pt2 for torch alone; both in double precision."""
    made, x = ordinary(original, options.cut), rows.features
    original.circuit  # noqa: B018  a model without a circuit is ordinary already
    steps = cast(list[Step], list(made.steps))
    files = {
        "network.npz": network_file(steps), "predict.py": ordinary_source(),
        "network.pt2": program([], steps, torch.float64, x.shape[1]),
    }  # fmt: skip
    found = {"network.npz": run_network(files["network.npz"], x), "network.pt2": run_program(files["network.pt2"], x)}
    bound, how = ordinary_bound(original, made, x, DOUBLE)
    numbers = sum(np.size(array) for step in steps for array in step.arrays.values())
    details = {"inputs": {"features": ["rows", x.shape[1]]}, "dtype": "float64", "n_numbers": numbers, **made.details}
    lines = [ORDINARY, f"It has {numbers:,} numbers, {_of_circuit(details)} of them in the circuit's place."]
    return Made(files, found, bound, how, "numpy alone (network.npz, predict.py), or torch alone", details, lines)


def _of_circuit(details: dict[str, object]) -> str:
    if "n_coefficients" in details:
        return f"{details['n_coefficients']:,}"
    return f"those of {details['n_terms']:,} terms"
