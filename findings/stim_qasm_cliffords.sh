#!/bin/sh
# Stim writes a Clifford gate as OpenQASM: is it still the same gate?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet stim==1.16.0 qiskit==2.6.2 qiskit-qasm3-import==0.6.0
cd "$folder"
environment/bin/python - <<'PYTHON'
import numpy as np
import stim
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator

READERS = {2: QuantumCircuit.from_qasm_str, 3: qasm3.loads}


def kept(name, version):
    """|Tr(U* V)| / 2 of the gate and of what its text says: 1 where they are the same up to a phase."""
    gate = stim.Circuit(f"{name} 0")
    read = READERS[version](gate.to_qasm(open_qasm_version=version))
    return abs(np.trace(gate.to_tableau().to_unitary_matrix(endian="little").conj().T @ Operator(read).data)) / 2


names = [name for name, gate in stim.gate_data().items() if gate.is_unitary and gate.is_single_qubit_gate]
wrong = {name: kept(name, 2) for name in names if kept(name, 2) < 0.999}
print(f"stim {stim.__version__}: of {len(names)} one-qubit gates written as OpenQASM 2 and read by Qiskit, {len(wrong)} are others:")
for name, overlap in wrong.items():
    text = next(line for line in stim.Circuit(f"{name} 0").to_qasm(open_qasm_version=2).splitlines() if line.startswith("gate"))
    print(f"  {name}: {text}: overlap {overlap:.3f}, in OpenQASM 3 {kept(name, 3):.3f}")
expected = {"C_NXYZ", "C_XYNZ", "C_ZNYX", "C_ZYX", "H_NXY", "H_NXZ", "H_XY", "SQRT_Y_DAG"}
assert set(wrong) == expected, "other gates are written wrongly now"
assert all(kept(name, 3) < 0.999 for name in expected), "OpenQASM 3 is written rightly now"
PYTHON
