#!/bin/sh
# "Exact expectation values" of a noisy circuit: -1, 1, 1, -1 where 0 is right. A circuit that ends with a measurement is refused, as the
# measurement would ruin the mean; a channel, which does the same, is not.
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
noisy = cirq.Circuit(cirq.X(qubit), cirq.bit_flip(0.5)(qubit))
measured = cirq.Circuit(cirq.X(qubit), cirq.measure(qubit))
simulators = {f"cirq {cirq.__version__} Simulator": cirq.Simulator, f"qsimcirq {qsimcirq.__version__}": qsimcirq.QSimSimulator}


def mean(simulator, circuit):
    return simulator.simulate_expectation_values(circuit, observables=[cirq.Z(qubit)])[0].real


exact = mean(cirq.DensityMatrixSimulator(), noisy)
print(f"X and a bit flip with 0.5, <Z>: DensityMatrixSimulator {exact:.3f}")
assert abs(exact) < 1e-6
for title, make in simulators.items():
    said = "exact expectation values" in " ".join(make.simulate_expectation_values.__doc__.split())
    seen = [round(mean(make(seed=seed), noisy), 3) for seed in range(12)]
    try:
        refusal = mean(make(), measured)
    except ValueError as error:
        refusal = f"{type(error).__name__}: {error}"
    print(f"{title} (its documentation says exact: {said}), seeds 0 to 11: {seen}; of a measured circuit: {refusal}")
    assert said and set(seen) == {-1.0, 1.0}, "means are not of one draw now"
    assert "measurement" in str(refusal), "measured circuits are taken now"
PYTHON
