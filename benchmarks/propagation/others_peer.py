"""Other libraries of Pauli propagation on a task in JSON, in an environment of their own: once through, or with slopes.

python others_peer.py TASK ppvm LEAST | pauli_prop LEAST | tencirpauli MAX_WEIGHT
"""

import json
import sys
import time
from importlib.metadata import version
from itertools import groupby

with open(sys.argv[1]) as file:
    task = json.load(file)
n, library, cut = task["n_qubits"], sys.argv[2], float(sys.argv[3])


def whole(letters, qubits):
    word = ["I"] * n
    for letter, q in zip(letters, qubits, strict=True):
        word[q] = letter
    return "".join(word)


words = [(whole(letters, qubits), coefficient) for letters, qubits, coefficient in task["words"]]
NAMES = {"X": "rx", "Y": "ry", "Z": "rz", "ZZ": "rzz"}


def ppvm():
    from ppvm import PauliSum

    found = PauliSum.new(n, words, min_abs_coeff=cut)
    # Neighbours that are alike go in one call.
    runs = [
        (NAMES[letters], angle, [q for _, qubits, _ in run for q in qubits])
        for (letters, angle), run in groupby(reversed(task["rotations"]), key=lambda r: (r[0], r[2]))
    ]
    start = time.perf_counter()
    for name, angle, qubits in runs:
        getattr(found, name)(*qubits, theta=angle)
    value, size = found.overlap_with_zero(), len(found)
    return {"seconds": time.perf_counter() - start, "value": float(value), "words": size, "package": "bloqade-ppvm"}


def pauli_prop():
    from pauli_prop import circuit_to_rotation_gates, propagate_through_rotation_gates
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import SparsePauliOp

    circuit = QuantumCircuit(n)
    for letters, qubits, angle in task["rotations"]:
        getattr(circuit, NAMES[letters])(angle, *qubits)
    operator = SparsePauliOp.from_sparse_list(task["words"], num_qubits=n)
    gates = circuit_to_rotation_gates(circuit)
    start = time.perf_counter()
    found, _ = propagate_through_rotation_gates(operator, gates, 2_000_000, cut, "h")
    value = found.coeffs[~found.paulis.x.any(axis=1)].sum().real
    return {"seconds": time.perf_counter() - start, "value": float(value), "words": len(found), "package": "pauli-prop"}


def tencirpauli():
    from tencirpauli import PauliOperator, PropagationCircuit

    circuit = PropagationCircuit(n)
    for letters, qubits, angle in task["rotations"]:
        getattr(circuit, NAMES[letters])(*qubits, theta=angle)
    observable, times = PauliOperator.from_terms(n, words), []
    for _ in range(5):
        start = time.perf_counter()
        found = circuit.value_and_grad(observable, max_weight=int(cut))
        times.append(time.perf_counter() - start)
    slopes = [float(slope) for slope in found[1]] if isinstance(found, tuple) else found.angle_gradient.tolist()
    return {"seconds": sorted(times)[2], "value": float(found.value), "slopes": slopes, "package": "tencirpauli"}


found = {"ppvm": ppvm, "pauli_prop": pauli_prop, "tencirpauli": tencirpauli}[library]()
print(json.dumps({**found, "version": f"{found['package']} {version(found['package'])}"}))
