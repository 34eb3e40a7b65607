#!/bin/sh
# One noise model, one circuit, <Z> by Aer's estimator and from Aer's own shots: does the estimator read out?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet qiskit==2.6.2 qiskit-aer==0.18.2
cd "$folder"
environment/bin/python - <<'PYTHON'
from qiskit import QuantumCircuit
from qiskit.primitives import BackendEstimatorV2
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, pauli_error
from qiskit_aer.primitives import EstimatorV2, SamplerV2


def means(noise):
    """<Z> of X|0> by Aer's estimator, by Qiskit's estimator on Aer, and from Aer's sampler."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    pair = circuit, SparsePauliOp("Z")
    options = {"noise_model": noise, "seed_simulator": 1}
    own = EstimatorV2(options={"backend_options": options}).run([pair], precision=0.0)
    general = BackendEstimatorV2(backend=AerSimulator(**options)).run([pair], precision=0.005)
    ones = SamplerV2(options={"backend_options": options}).run([circuit.measure_all(inplace=False)], shots=40000)
    counts = ones.result()[0].data.meas.get_counts()
    return float(own.result()[0].data.evs), float(general.result()[0].data.evs), (counts.get("0", 0) - counts["1"]) / 40000


readout = NoiseModel()
readout.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.3, 0.7]]))
flipped = NoiseModel()
flipped.add_all_qubit_quantum_error(pauli_error([("X", 0.3), ("I", 0.7)]), "measure")
for title, noise in (("readout error, 1 read as 0 with 0.3", readout), ("X with 0.3 on measure", flipped)):
    own, general, shots = means(noise)
    print(f"qiskit-aer 0.18.2, {title}: <Z> {own:.3f} by Aer's EstimatorV2, {general:.3f} by BackendEstimatorV2, {shots:.3f} from SamplerV2")
    assert own == -1.0, "Aer's estimator has errors of measurement now"
    assert abs(general + 0.4) < 0.03 and abs(shots + 0.4) < 0.03, "shots are other ones now"
PYTHON
