#!/bin/sh
# A gate of one's own that has a standard gate's name: alone Qiskit applies its definition, controlled the standard gate of that name.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet qiskit==2.6.2
cd "$folder"
environment/bin/python - <<'PYTHON'
import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.quantum_info import Operator

body = QuantumCircuit(1)
body.rz(0.4, 0)
gate = Gate("rx", 1, [0.9])
gate.definition = body


def matrix(added, qubits):
    circuit = QuantumCircuit(len(qubits))
    circuit.append(added, qubits)
    return Operator(circuit).data


alone, controlled = matrix(gate, [0]), matrix(gate.control(1), [0, 1])
block = controlled[np.ix_([1, 3], [1, 3])]
rx = np.array([[np.cos(0.45), -1j * np.sin(0.45)], [-1j * np.sin(0.45), np.cos(0.45)]])
rz = np.diag(np.exp([-0.2j, 0.2j]))
print(f"qiskit 2.6.2, a gate called rx with the body rz(.4): alone it is rz(.4): {np.allclose(alone, rz)}, its control acts as rz(.4): {np.allclose(block, rz)}, as rx(.9): {np.allclose(block, rx)}")
assert np.allclose(alone, rz)
assert np.allclose(block, rx) and not np.allclose(block, rz), "the control of a gate is that of its definition now"
PYTHON
