"""The formats by name; a new one is a file and a line here."""

from __future__ import annotations

from difflib import get_close_matches

from qloom.errors import ConfigError
from qloom.portable.made import Format
from qloom.portable.onnx_model import to_onnx
from qloom.portable.qasm_circuit import to_qasm
from qloom.portable.surrogate import to_surrogate
from qloom.portable.torch_program import to_torch

FORMATS: dict[str, Format] = {"torch": to_torch, "onnx": to_onnx, "qasm": to_qasm, "surrogate": to_surrogate}
"""What a run can be exported to, by name: functions that make the files and bound what they differ by."""


def find_format(name: str) -> Format:
    """The format of a name; ConfigError with the nearest one for an unknown name."""
    if name in FORMATS:
        return FORMATS[name]
    near = get_close_matches(name, FORMATS, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else "choose one of them"
    raise ConfigError(f"format {name!r}, expected one of {', '.join(FORMATS)}; {hint}")
