#!/bin/sh
# A controlled rotation, and one to a power, with a number bound to its free parameter: Braket drops control and power. Global phases but the last are dropped too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet amazon-braket-sdk==1.127.5
cd "$folder"
environment/bin/python - <<'PYTHON'
import numpy as np
from braket.circuits import Circuit, FreeParameter

angle = FreeParameter("a")


def chance(circuit):
    """That the last qubit is 1."""
    state = circuit.to_unitary()[:, 0]
    return round(float((np.abs(state.reshape(-1, 2)[:, 1]) ** 2).sum()), 6)


def turned(by, **modifier):
    return Circuit().i(0).rx(1, by, **modifier)


controlled = [chance(turned(1.1, control=0)), chance(turned(angle, control=0).make_bound_circuit({"a": 1.1}))]
powered = [chance(turned(1.1, power=2)), chance(turned(angle, power=2).make_bound_circuit({"a": 1.1}))]
phase = Circuit().x(0).gphase(0.3).z(1).gphase(0.5).global_phase
print(f"amazon-braket-sdk 1.127.5: rx(1.1) on |0> under a control that is 0, with its number {controlled[0]}, bound {controlled[1]}")
print(f"squared, with its number {powered[0]}, bound {powered[1]}; global phases .3 and .5 together are {phase}")
assert controlled[0] == 0.0 and powered[0] == round(float(np.sin(1.1) ** 2), 6)
assert controlled[1] == powered[1] == round(float(np.sin(0.55) ** 2), 6), "bound circuits keep their modifiers now"
assert phase == 0.5, "phases add up now"
PYTHON
