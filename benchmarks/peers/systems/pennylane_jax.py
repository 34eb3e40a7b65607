"""PennyLane default.qubit with backpropagation through JAX, jit, broadcast over samples; RZ RY RZ as one qml.Rot."""

import jax.numpy as jnp
import pennylane as qml
from systems.circuit import size_of
from systems.jax_autograd import JaxSystem


class System(JaxSystem):
    def __init__(self, problem, threads):
        n, _, self.n_layers = size_of(problem)
        self.n = n

        @qml.qnode(qml.device("default.qubit", wires=n), interface="jax", diff_method="backprop")
        def values(x, layers):
            for q in range(n):
                qml.RY(x[:, q], wires=q)
            for layer in layers:
                for q in range(n):
                    qml.Rot(*layer[q], wires=q)
                for q in range(n):
                    qml.CNOT(wires=[q, (q + 1) % n])
            return [qml.expval(qml.PauliZ(q)) for q in range(n)]

        self.values = values
        super().__init__(problem)

    def model(self, x, weights):
        return jnp.stack(self.values(x, weights.reshape(self.n_layers, self.n, 3)), axis=-1)
