"""monoprop on a task in JSON, in an environment of its own: once through, or value and slopes at many angles.

python monoprop_peer.py TASK once LEAST_COEFFICIENT | python monoprop_peer.py TASK many NUMBERS.npz
"""

import json
import sys
import time

import numpy as np
from monoprop import PauliPropagator, __version__
from monoprop.qiskit_conversion import from_qiskit_circuit, from_qiskit_operator
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

with open(sys.argv[1]) as file:
    task = json.load(file)
n = task["n_qubits"]
circuit = QuantumCircuit(n)
NAMES = {"X": "rx", "Y": "ry", "Z": "rz", "ZZ": "rzz"}
for letters, qubits, angle in task["rotations"]:
    getattr(circuit, NAMES[letters])(angle, *qubits)
operator = from_qiskit_operator(SparsePauliOp.from_sparse_list(task["words"], num_qubits=n))
gates = from_qiskit_circuit(circuit, initial_state=[])
least = float(sys.argv[3]) if sys.argv[2] == "once" else 0.0
engine = PauliPropagator(initial_operator=operator, initial_state=gates.initial_state, cutoff=n, lower_atol=least)
start = time.perf_counter()
if sys.argv[2] == "once":
    engine.propagate(gates)
    value, words = engine.expectation_value(), engine.size()
    seconds = time.perf_counter() - start
    found = {"value": float(value), "words": int(words)}
else:
    engine.build_graph(gates)
    evaluate = engine.expval_and_grad_functional()
    # Angles of the rotations, in their order, one row a sample; the first is that of the task.
    rows = np.load(sys.argv[3])["angles"]
    scale = np.asarray(gates.parameters) / rows[0]
    assert np.allclose(scale, scale.round(9)), "a gate has other than one parameter"
    evaluate(rows[0] * scale)
    start = time.perf_counter()
    results = [evaluate(row * scale) for row in rows]
    seconds = time.perf_counter() - start
    np.savez(sys.argv[3] + ".found.npz", values=[float(v) for v, _ in results],
             slopes=[np.asarray(g) * scale for _, g in results])  # fmt: skip
    found = {}
# Not getrusage's figure, which a process takes over from the one that started it.
with open("/proc/self/status") as file:
    status = dict(line.split(":", 1) for line in file.read().splitlines())
megabytes = int(status["VmHWM"].split()[0]) / 1e3
print(json.dumps({"version": f"monoprop {__version__}", "seconds": seconds, "megabytes": megabytes, **found}))
