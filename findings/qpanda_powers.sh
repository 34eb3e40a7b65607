#!/bin/sh
# A gate to a power: is its matrix the power of the gate's?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet pyqpanda3==0.5.1
cd "$folder"
environment/bin/python - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pyqpanda3.core import CNOT, CP, CRX, CZ, ISWAP, RX, RXX, SWAP, TOFFOLI, H, S

GATES = [H(0), S(0), RX(0, 0.4), CNOT(0, 1), CZ(0, 1), SWAP(0, 1), ISWAP(0, 1), CP(0, 1, 0.3), RXX(0, 1, 0.3),
         CRX(0, 1, 0.3), TOFFOLI(0, 1, 2)]  # fmt: skip


def told(gate):
    """What power(2) gives, beside the square of the matrix on all its qubits."""
    squared = gate.power(2)
    expected, found = np.linalg.matrix_power(gate.matrix(True), 2), squared.matrix(True)
    if found.shape != expected.shape:
        return f"without its {len(gate.control_qubits())} controls"
    if np.abs(found - expected).max() < 1e-9:
        return "the square"
    return "the gate itself" if np.abs(found - gate.matrix(True)).max() < 1e-9 else "something else"


seen = [told(gate) for gate in GATES]
print(f"pyqpanda3 {version('pyqpanda3')}: power(2) of a gate is")
for gate, what in zip(GATES, seen):
    print(f"  {gate.name()} on {gate.qubits()}: {what}")
expected = ["the square"] * 3 + ["the gate itself"] * 6 + ["without its 1 controls", "without its 2 controls"]
assert seen == expected, "powers are others now"
PYTHON
