"""TensorFlow Quantum trains the tutorial's network, for `cluster`: in an environment of its own.

python cluster_peer.py FOLDER, with FOLDER/task.json; prints a line of JSON.
"""

import json
import os
import sys
from importlib.metadata import version

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

import cirq
import sympy
import tensorflow as tf
import tensorflow_quantum as tfq
from cirq_circuits import circuit_of

with open(f"{sys.argv[1]}/task.json") as file:
    task = json.load(file)
trained = task["trained"]
qubits = cirq.GridQubit.rect(1, task["n_qubits"])
symbols = sympy.symbols(f"w0:{len(task['runs'][0]['start'])}")
model = circuit_of(task["model"], qubits, symbols)
names = tf.constant([str(symbol) for symbol in symbols])
observable = tfq.convert_to_tensor([[cirq.Z(qubits[-1])]])
expectation = tfq.differentiators.Adjoint().generate_differentiable_op(analytic_op=tfq.get_expectation_op())


@tf.function
def values(programs, weights):
    rows = tf.repeat(weights[None], tf.shape(programs)[0], axis=0)
    return expectation(programs, names, rows, tf.repeat(observable, tf.shape(programs)[0], axis=0))[:, 0]


def share_right(run):
    """Of the states that it was not trained on."""
    states = [circuit_of(listed, qubits, symbols) for listed in run["states"]]
    programs = tfq.convert_to_tensor([state + model for state in states])
    labels, weights = tf.constant(run["labels"], tf.float32), tf.Variable(run["start"], dtype=tf.float32)
    optimizer = tf.keras.optimizers.Adam(task["rate"])
    for rows in run["steps"]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((values(tf.gather(programs, rows), weights) - tf.gather(labels, rows)) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, weights), weights)])
    said = tf.where(values(programs[trained:], weights) >= 0, 1.0, -1.0)
    return float(tf.reduce_mean(tf.cast(said == labels[trained:], tf.float32)))


found = [share_right(run) for run in task["runs"]]
print(json.dumps({"version": f"tensorflow-quantum {version('tensorflow-quantum')}", "found": found}))
