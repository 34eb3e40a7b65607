"""What TorchQuantum's gates are: their names, and those of numbers alone by their matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES, controlled_gate, pauli_rotation_gate
from qloom.circuits.parts import Part, alone, inverted_part, matrix_part
from qloom.errors import UnsupportedError
from qloom.nn.imported.tracing import Traced, depends

# Its gates that are equal to ours, phase, angles and order of wires included: of the same name, and of another.
SAME = {
    **{name: name for name in (
        "c3sx", "ccz", "crx", "cry", "crz", "cs", "csdg", "csx", "cswap", "cu", "cy", "cz", "dcx", "ecr", "iswap", "r",
        "rccx", "rot", "rx", "rxx", "ry", "ryy", "rz", "rzx", "rzz", "s", "sdg", "swap", "sx", "sxdg", "t", "tdg", "u2",
    )},
    "chadamard": "ch", "cnot": "cx", "cu1": "cp", "hadamard": "h", "i": "id", "paulix": "x", "pauliy": "y",
    "pauliz": "z", "phaseshift": "p", "singleexcitation": "givens", "toffoli": "ccx", "u1": "p", "u3": "u",
    "xxminyy": "xx_minus_yy", "xxplusyy": "xx_plus_yy",
}  # fmt: skip
CONTROLLED = {"crot": "rot", "cu3": "u"}
_BY_WIDTH = {"multicnot", "multixcnot", "qft"}


def gate_part(call: Mapping[str, Any], traced: Traced, who: str) -> Part:
    """A gate with slots for what is traced.

    Args:
        call: arguments of `gate_wrapper` by name, which all gates go through.
        who: the module, as messages call it.

    Raises:
        CircuitError: for an angle that is made of several slots, weights among them.
        UnsupportedError: for a gate without a meaning here that depends on inputs or weights.
    """
    name, params, qubits = call["name"], call["params"], [int(wire) for wire in np.ravel(call["wires"])]
    what, gate = f"{who}: {name}", _gate(name, len(qubits))
    if gate is not None:
        part = alone(gate, qubits, *(traced.angle(value, what) for value in _row(params)))
    elif depends(params):
        raise UnsupportedError(f"{what} has inputs or weights and no gate here, expected rotations; replace it")
    else:
        part = matrix_part(_matrix(call), qubits, name)
    return inverted_part(part, name) if call["inverse"] else part


def _gate(name: str, width: int) -> Gate | None:
    if name in SAME:
        return GATES[SAME[name]]
    if name in CONTROLLED:
        return controlled_gate(GATES[CONTROLLED[name]])
    return pauli_rotation_gate("Z" * width) if name == "multirz" else None


def _row(params: Any) -> list[Any]:
    """The first sample's parameters: a number, one for each sample, or a row for each."""
    if params is None:
        return []
    first = torch.as_tensor(params)
    return list((first if first.dim() == 0 else first[0]).reshape(-1))


def _matrix(call: Mapping[str, Any]) -> np.ndarray:
    """Of a gate of numbers: the unitary one next to what TorchQuantum has, which is of complex64."""
    name, matrix, params = call["name"], call["mat"], call["params"]
    if not isinstance(matrix, Tensor):
        given = None if params is None else torch.as_tensor(params)
        matrix = matrix(call["n_wires"] if name in _BY_WIDTH else given)
    left, _, right = np.linalg.svd(matrix.detach().reshape(-1, *matrix.shape[-2:])[0].to(torch.complex128).numpy())
    return np.asarray(left @ right)
