#!/bin/sh
# A program gets an amplitude damping channel by its Kraus operators, row by row as documented: is it one when it runs?
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
"$folder/environment/bin/pip" install --quiet pyqpanda3==0.5.1
cd "$folder"
environment/bin/python - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pyqpanda3.core import DensityMatrixSimulator, GateType, Karus, NoiseModel, QProg, QuantumError, X

SHARE = 0.3
OPERATORS = [np.array([[1, 0], [0, np.sqrt(1 - SHARE)]]), np.array([[0, np.sqrt(SHARE)], [0, 0]])]
ROWS = [operator.ravel().astype(complex).tolist() for operator in OPERATORS]


def populations(program, *model):
    """Of |0> and |1>."""
    machine = DensityMatrixSimulator()
    machine.run(program, *model)
    return np.round(np.real(np.diag(machine.density_matrix())), 6).tolist()


def excited():
    program = QProg(1)
    program << X(0)
    return program


node = excited()
node << Karus([0], ROWS)
model = NoiseModel()
model.add_all_qubit_quantum_error(QuantumError(ROWS), GateType.X)
by_node, by_model = populations(node), populations(excited(), model)
print(f"pyqpanda3 {version('pyqpanda3')}: |1> damped by {SHARE}, operators flattened row by row, as both docstrings say:")
print(f"  as QuantumError in a noise model: {by_model}")
print(f"  as Karus in the program: {by_node}, a sum of {sum(by_node):g}")
assert "row-major" in Karus.__init__.__doc__, "it is documented otherwise now"
assert by_model == [0.3, 0.7], "noise models take operators otherwise now"
assert by_node == [0.0, 0.7], "programs take operators otherwise now"
PYTHON
