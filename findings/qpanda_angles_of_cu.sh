#!/bin/sh
# U4 and CU have the angles theta, phi, lambda and gamma, "global phase angle in radians": are they these?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet pyqpanda3==0.5.1 qiskit==2.6.2
cd "$folder"
environment/bin/python - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pyqpanda3.core import CU, U3, U4
from qiskit.circuit.library import CUGate, RYGate, RZGate

theta, phi, lam, gamma = 0.3, 0.5, 0.7, 0.9


def off(a, b):
    return np.abs(np.asarray(a) - np.asarray(b)).max()


as_named = off(U4(0, theta, phi, lam, gamma).matrix(), np.exp(1j * gamma) * U3(0, theta, phi, lam).matrix())
as_it_is = off(U4(0, theta, phi, lam, gamma).matrix(),
               np.exp(1j * theta) * RZGate(phi).to_matrix() @ RYGate(lam).to_matrix() @ RZGate(gamma).to_matrix())
as_cu = off(CU(0, 1, theta, phi, lam, gamma).matrix(), CUGate(theta, phi, lam, gamma).to_matrix())
print(f"pyqpanda3 {version('pyqpanda3')}, qiskit {version('qiskit')}: U4(q, {theta}, {phi}, {lam}, {gamma})")
print(f"  off exp(i gamma) U3(theta, phi, lambda) by {as_named:.3f}")
print(f"  off exp(i theta) RZ(phi) RY(lambda) RZ(gamma) by {as_it_is:.1e}")
print(f"  CU of the same angles is off OpenQASM's and Qiskit's cu by {as_cu:.3f}")
for gate in (U4, CU):
    assert "theta: float, phi: float, lambda: float, gamma: float" in gate.__doc__, "the angles have other names now"
    assert "Global phase angle in radians" in gate.__doc__, "it is documented otherwise now"
assert as_it_is < 1e-12, "U4 is another gate now"
assert as_named > 0.1, "U4 is what its angles are called now"
assert as_cu > 0.1, "CU is what its angles are called now"
PYTHON
