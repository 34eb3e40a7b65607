#!/bin/sh
# Fifteen X, each followed by the same bit flip. Written as a block of three that is repeated five times they have one flip, not fifteen.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet cirq-core==1.7.0 qsimcirq==0.22.1
cd "$folder"
environment/bin/python - <<'PYTHON'
import cirq
import qsimcirq

qubit = cirq.LineQubit(0)
noise = cirq.bit_flip(0.1)
block = cirq.FrozenCircuit([cirq.Moment(cirq.X(qubit))] * 3)
flat = cirq.Circuit([cirq.Moment(cirq.X(qubit))] * 15)
repeated = cirq.Circuit(cirq.CircuitOperation(block, repetitions=5))
assert cirq.allclose_up_to_global_phase(cirq.unitary(flat), cirq.unitary(repeated))


def ones(circuit):
    """Probability of 1: exactly, and as a mean of qsim's shots."""
    exact = cirq.DensityMatrixSimulator(noise=noise).simulate(circuit).final_density_matrix[1, 1].real
    measured = cirq.Circuit(circuit, cirq.measure(qubit, key="m"))
    shots = qsimcirq.QSimSimulator(noise=noise, seed=1).run(measured, repetitions=20000)
    return float(exact), float(shots.measurements["m"].mean())


for title, circuit in (("15 gates", flat), ("a block of 3, five times", repeated)):
    exact, shots = ones(circuit)
    print(f"cirq {cirq.__version__}, bit_flip(0.1) as noise, {title}: probability of 1 {exact:.3f}; qsimcirq {qsimcirq.__version__}: {shots:.3f}")
assert abs(ones(flat)[0] - (0.5 + 0.5 * 0.8**15)) < 1e-5
assert abs(ones(repeated)[0] - 0.9) < 1e-5, "gates within a block have noise in Cirq now"
assert abs(ones(repeated)[1] - 0.9) < 0.02, "gates within a block have noise in qsim now"
PYTHON
