"""TensorFlow Quantum: the expectation op with adjoint differentiation inside a tf.function."""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import cirq
import sympy
import tensorflow as tf
from systems.circuit import gates, size_of


class System:
    precision = "complex64"

    def __init__(self, problem, threads):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        import tensorflow_quantum as tfq

        n, batch, n_layers = size_of(problem)
        qubits = cirq.GridQubit.rect(1, n)
        symbols = {"input": sympy.symbols(f"x0:{n}"), "weight": sympy.symbols(f"w0:{3 * n * n_layers}")}
        makers = {"ry": cirq.ry, "rz": cirq.rz}
        circuit = cirq.Circuit()
        for name, places, angle in gates(n, n_layers):
            gate = cirq.CNOT if angle is None else makers[name](symbols[angle[0]][angle[1]])
            circuit.append(gate(*(qubits[q] for q in places)))
        self.circuits = tf.repeat(tfq.convert_to_tensor([circuit]), batch)
        self.observables = tf.repeat(tfq.convert_to_tensor([[cirq.Z(qubit) for qubit in qubits]]), batch, axis=0)
        self.names = tf.constant([str(symbol) for group in symbols.values() for symbol in group])
        adjoint = tfq.differentiators.Adjoint()
        self.expectation = adjoint.generate_differentiable_op(analytic_op=tfq.get_expectation_op())
        self.data = [tf.constant(problem[name], tf.float32) for name in ("inputs", "weights", "targets")]
        self._step, self._forward = tf.function(self._trace_step), tf.function(self.model)

    def model(self, x, weights):
        shared = tf.repeat(tf.reshape(weights, (1, -1)), tf.shape(x)[0], axis=0)
        return self.expectation(self.circuits, self.names, tf.concat([x, shared], axis=1), self.observables)

    def _trace_step(self, x, weights, targets):
        with tf.GradientTape() as tape:
            tape.watch([x, weights])
            loss = tf.reduce_mean(tf.reduce_sum((self.model(x, weights) - targets) ** 2, axis=1))
        return (loss, *tape.gradient(loss, [x, weights]))

    def step(self):
        return [tensor.numpy() for tensor in self._step(*self.data)]

    def forward(self):
        return [self._forward(*self.data[:2]).numpy()]

    def arrays(self, found):
        return found
