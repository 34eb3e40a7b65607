#!/bin/sh
# Written as a tensor, a gate that happens where its control is 0 or 1 happens where it is 0 alone, and depolarizing of two qubits acts on the first alone.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# There are wheels for Python 3.10 and 3.12.
"${PYTHON:-python3.12}" -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet tensorflow==2.18.1 tensorflow-quantum==0.7.6
cd "$folder"
TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 environment/bin/python - <<'PYTHON'
from importlib.metadata import version

import cirq
import tensorflow_quantum as tfq

print(f"tensorflow-quantum {version('tensorflow-quantum')}, cirq {cirq.__version__}")
a, b = cirq.GridQubit.rect(1, 2)
zeros = [cirq.Z(a), cirq.Z(b)]

# X on a if b is 0 or 1, that is always; b is 1.
turn = cirq.XPowGate(exponent=1.0, global_shift=0.5)(a)
always = cirq.Circuit(cirq.X(b), turn.controlled_by(b, control_values=[(0, 1)]))
exact = cirq.Simulator().simulate_expectation_values(always, [cirq.Z(a)])[0].real
found = tfq.layers.Expectation()(always, operators=cirq.Z(a)).numpy()[0, 0]
again = tfq.from_tensor(tfq.convert_to_tensor([always]))[0]
print(f"X on a if b is 0 or 1: <Z> of a {exact:.3f} in Cirq, {found:.3f} in TensorFlow Quantum, read back:\n{again}")
assert abs(exact + 1) < 1e-6
assert abs(found - 1) < 1e-5, "controls with two values are kept, or refused, now"

# Either of two combinations of two controls, which are 0, 0 here: neither.
c = cirq.GridQubit(0, 2)
either = cirq.SumOfProducts([(0, 0), (1, 1)])
sums = cirq.Circuit(cirq.I(b), cirq.I(c), turn.controlled_by(b, c, control_values=either))
exact = cirq.Simulator().simulate_expectation_values(sums, [cirq.Z(a)])[0].real
found = tfq.layers.Expectation()(sums, operators=cirq.Z(a)).numpy()[0, 0]
print(f"X on a if b, c are 00 or 11, they are 00: <Z> of a {exact:.3f} in Cirq, {found:.3f} in TensorFlow Quantum")
assert abs(exact + 1) < 1e-6
assert abs(found - 1) < 1e-5, "sums of combinations are kept, or refused, now"

noisy = cirq.Circuit(cirq.X(a), cirq.X(b), cirq.depolarize(0.5, n_qubits=2)(a, b))
values = cirq.DensityMatrixSimulator().simulate_expectation_values(noisy, zeros)
shots = 20000
means = tfq.noise.expectation(
    tfq.convert_to_tensor([noisy]), [], [[]], tfq.convert_to_tensor([zeros]), [[shots] * 2]
).numpy()[0]
for name, value, mean in zip("ab", values, means):
    print(f"depolarize(0.5, n_qubits=2) of 11: <Z> of {name} {value.real:.3f} in Cirq, {mean:.3f} in TensorFlow Quantum")
assert abs(values[1].real + 7 / 15) < 1e-5
assert means[1] == -1, "the second qubit is depolarized, or the channel refused, now"
PYTHON
