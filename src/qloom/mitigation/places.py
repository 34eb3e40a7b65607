"""Places in a circuit where Pauli words may be put in, switched on and off by further inputs.

A place is marked by an operation of no qubits, which noise models leave where it stands. Once the noise is written out,
marks become RX and RZ of an input each, 0 or pi: circuits with other words differ in numbers only. The words have no
noise of their own; on a machine they are merged into the gates beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.gate import Expansion, Gate
from qloom.circuits.operations import Operation

_NAME = "place"


def place(qubits: Sequence[int]) -> Operation:
    """A mark for words on some qubits."""
    gate = Gate(
        _NAME, 0, 0, "place for Pauli words", lambda: np.eye(1), Expansion, lambda: (gate, ()), data=tuple(qubits)
    )
    return Operation(gate, ())


def filled(circuit: Circuit) -> tuple[Circuit, int]:
    """The circuit with an RX and an RZ for every qubit of every place, and how many inputs those are.

    Inputs stand behind the circuit's own: place by place, qubit by qubit, x before z.
    """
    places = [op.gate.data for op in circuit.operations if op.gate.name == _NAME]
    out = circuit.copy()
    slots = iter(out.inputs(sum(map(len, places)), 2))
    out.operations = []
    for op in circuit.operations:
        if op.gate.name != _NAME:
            out.operations.append(op)
            continue
        for qubit in op.gate.data:
            x, z = next(slots)
            out.rx(x, qubit).rz(z, qubit)
    return out, 2 * sum(map(len, places))


def bits_of_words(words: np.ndarray, n_qubits: int) -> np.ndarray:
    """The x and z bits of words by their places in the order I X Y Z, first qubit most significant.

    Shapes: words (...) of 0 to 4^k - 1 -> (..., 2 k), x and z of each qubit.
    """
    letters = words[..., None] // 4 ** np.arange(n_qubits)[::-1] % 4
    x, z = (letters == 1) | (letters == 2), letters >= 2
    return np.stack([x, z], axis=-1).reshape(*words.shape, 2 * n_qubits).astype(np.int64)
