#!/bin/sh
# A label, which is what a drawing says on a gate, takes the gate's noise away.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet qiskit==2.6.2 qiskit-aer==0.18.2
cd "$folder"
environment/bin/python - <<'PYTHON'
from qiskit import QuantumCircuit
from qiskit.circuit.library import XGate
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, pauli_error

noise = NoiseModel()
noise.add_all_qubit_quantum_error(pauli_error([("X", 0.5), ("I", 0.5)]), "x")


def ones(label):
    circuit = QuantumCircuit(1)
    circuit.append(XGate(label=label), [0])
    circuit.save_probabilities()
    simulator = AerSimulator(method="density_matrix", noise_model=noise)
    return round(float(simulator.run(circuit).result().data()["probabilities"][1]), 6)


plain, labelled = ones(None), ones("flip")
assert XGate(label="flip").name == XGate().name == "x"
print(f"qiskit-aer 0.18.2, X followed by a bit flip with 0.5: probability of 1 {plain}; the same gate with the label 'flip': {labelled}")
assert plain == 0.5
assert labelled == 1.0, "gates with labels have noise now"
PYTHON
