#!/bin/sh
# CZ(0, 1) and CZ(1, 0) are the same gate. Noise entered for CZ on qubits 0 and 1 acts on the first only, in four libraries.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for package in qiskit-aer==0.18.2 cirq-core==1.7.0 amazon-braket-sdk==1.127.5 tensorcircuit-ng==1.10.0; do
    python3 -m venv "$folder/${package%%==*}"
done
"$folder/qiskit-aer/bin/pip" install --quiet qiskit==2.6.2 qiskit-aer==0.18.2
"$folder/cirq-core/bin/pip" install --quiet cirq-core==1.7.0
"$folder/amazon-braket-sdk/bin/pip" install --quiet amazon-braket-sdk==1.127.5
"$folder/tensorcircuit-ng/bin/pip" install --quiet tensorcircuit-ng==1.10.0
cd "$folder"
cat > purity.py <<'PYTHON'
def report(package, purity):
    """Tr(rho^2) after CZ with full depolarizing noise entered for it: 1/4 with the noise, 1 without."""
    seen = {pair: round(float(purity(*pair)), 4) for pair in ((0, 1), (1, 0))}
    print(f"{package}, noise entered for CZ on (0, 1), Tr(rho^2) after CZ(0, 1): {seen[0, 1]}, after CZ(1, 0): {seen[1, 0]}")
    assert seen == {(0, 1): 0.25, (1, 0): 1.0}, "noise does not depend on the order now"
PYTHON
qiskit-aer/bin/python - <<'PYTHON'
from purity import report
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

noise = NoiseModel()
noise.add_quantum_error(depolarizing_error(1.0, 2), "cz", [0, 1])


def purity(a, b):
    circuit = QuantumCircuit(2)
    circuit.cz(a, b)
    circuit.save_density_matrix()
    data = AerSimulator(method="density_matrix", noise_model=noise).run(circuit).result().data()
    return DensityMatrix(data["density_matrix"]).purity().real


report("qiskit-aer 0.18.2", purity)
PYTHON
cirq-core/bin/python - <<'PYTHON'
import cirq
import numpy as np
from cirq.devices import InsertionNoiseModel
from cirq.devices.noise_utils import OpIdentifier
from purity import report

qubits = cirq.LineQubit.range(2)
channel = cirq.depolarize(15 / 16, 2)(*qubits)
noise = InsertionNoiseModel({OpIdentifier(cirq.CZPowGate, *qubits): channel}, require_physical_tag=False)


def purity(a, b):
    circuit = cirq.Circuit(cirq.CZ(qubits[a], qubits[b])).with_noise(noise)
    rho = cirq.DensityMatrixSimulator(dtype=np.complex128).simulate(circuit, qubit_order=qubits).final_density_matrix
    return np.trace(rho @ rho).real


print(f"cirq-core 1.7.0: CZ(a, b) == CZ(b, a) is {cirq.CZ(*qubits) == cirq.CZ(*qubits[::-1])}")
assert cirq.CZ(*qubits) == cirq.CZ(*qubits[::-1])
report("cirq-core 1.7.0", purity)
PYTHON
amazon-braket-sdk/bin/python - <<'PYTHON'
import numpy as np
from braket.circuits import Circuit, Gate, Noise
from braket.circuits.noise_model import GateCriteria, NoiseModel
from braket.devices import LocalSimulator
from purity import report

noise = NoiseModel()
noise.add_noise(Noise.TwoQubitDepolarizing(15 / 16), GateCriteria(Gate.CZ, [(0, 1)]))


def purity(a, b):
    circuit = noise.apply(Circuit().cz(a, b)).density_matrix()
    rho = LocalSimulator("braket_dm").run(circuit, shots=0).result().values[0]
    return np.trace(rho @ rho).real


report("amazon-braket-sdk 1.127.5", purity)
PYTHON
tensorcircuit-ng/bin/python - 2> messages <<'PYTHON' || { cat messages; exit 1; }
import numpy as np
import tensorcircuit as tc
from purity import report
from tensorcircuit.noisemodel import NoiseConf, circuit_with_noise

noise = NoiseConf()
noise.add_noise("cz", [tc.channels.isotropicdepolarizingchannel(15 / 16, 2)], [[0, 1]])


def purity(a, b):
    circuit = tc.DMCircuit(2)
    circuit.cz(a, b)
    rho = np.array(circuit_with_noise(circuit, noise).state())
    return np.trace(rho @ rho).real


report("tensorcircuit-ng 1.10.0", purity)
PYTHON
