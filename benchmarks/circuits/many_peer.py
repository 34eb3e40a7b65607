"""TensorFlow Quantum on circuits in JSON, run by `many` in an environment of its own: a line out for every line in.

python many_peer.py FOLDER writes values and slopes of FOLDER/task.json, then times what it reads: "call" or "first",
with the circuits' conversion to a tensor, and how often.
"""

import json
import os
import sys
import time
from importlib.metadata import version

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import cirq
import numpy as np
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq
from cirq_circuits import circuit_of

folder = sys.argv[1]
with open(f"{folder}/task.json") as file:
    task = json.load(file)
qubits = cirq.GridQubit.rect(1, task["n_qubits"])
symbols = sympy.symbols(f"w0:{len(task['weights'])}")
circuits = [circuit_of(listed, qubits, symbols) for listed in task["circuits"]]
names = tf.constant([str(symbol) for symbol in symbols])
weights = tf.constant(np.tile(task["weights"], (len(circuits), 1)), tf.float32)
observables = tf.repeat(tfq.convert_to_tensor([[cirq.Z(qubit) for qubit in qubits]]), len(circuits), axis=0)
expectation = tfq.differentiators.Adjoint().generate_differentiable_op(analytic_op=tfq.get_expectation_op())


@tf.function
def derivatives(programs):
    with tf.GradientTape() as tape:
        tape.watch(weights)
        values = expectation(programs, names, weights, observables)
    return values, tape.gradient(values, weights)


prepared = tfq.convert_to_tensor(circuits)
WORK = {"call": lambda: derivatives(prepared), "first": lambda: derivatives(tfq.convert_to_tensor(circuits))}


def seconds(work, count):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        values, slopes = WORK[work]()
        values.numpy(), slopes.numpy()
        times.append(time.perf_counter() - start)
    return times


values, slopes = WORK["call"]()
np.savez(f"{folder}/found.npz", values=values.numpy(), slopes=slopes.numpy())
print(json.dumps(f"tensorflow-quantum {version('tensorflow-quantum')}, cirq {cirq.__version__}"), flush=True)
for line in sys.stdin:
    work, count = line.split()
    print(json.dumps(seconds(work, int(count))), flush=True)
