"""TensorCircuit-NG on JAX: jit of vmap over samples, value_and_grad.

fused: RZ RY RZ are multiplied into one matrix before the circuit sees them. scan: one layer is traced and looped over,
which keeps compilation short.
"""

import jax
import jax.numpy as jnp
import tensorcircuit
from systems.circuit import size_of
from systems.jax_autograd import JaxSystem, z_values

tensorcircuit.set_backend("jax")
tensorcircuit.set_dtype("complex64")


class System(JaxSystem):
    def __init__(self, problem, threads, fused, scan):
        self.n, _, self.n_layers = size_of(problem)
        self.fused, self.scan = fused, scan
        super().__init__(problem)

    def model(self, x, weights):
        layers = weights.reshape(self.n_layers, self.n, 3)
        return jax.vmap(lambda row: self._one(row, layers))(x)

    def _one(self, x, layers):
        circuit = tensorcircuit.Circuit(self.n)
        for q in range(self.n):
            circuit.ry(q, theta=x[q])
        if self.scan:
            state, _ = jax.lax.scan(self._next_state, circuit.state(), layers)
            return z_values(state, self.n)
        for layer in layers:
            self._append(circuit, layer)
        return z_values(circuit.state(), self.n)

    def _next_state(self, state, layer):
        circuit = tensorcircuit.Circuit(self.n, inputs=state)
        self._append(circuit, layer)
        return circuit.state(), None

    def _append(self, circuit, layer):
        for q in range(self.n):
            if self.fused:
                circuit.any(q, unitary=rotation(*layer[q]))
                continue
            circuit.rz(q, theta=layer[q, 0])
            circuit.ry(q, theta=layer[q, 1])
            circuit.rz(q, theta=layer[q, 2])
        for q in range(self.n):
            circuit.cnot(q, (q + 1) % self.n)


def rotation(first, second, third):
    """RZ(third) RY(second) RZ(first)."""
    cosine, sine = jnp.cos(second / 2), jnp.sin(second / 2)
    half_sum, half_difference = (first + third) / 2, (first - third) / 2
    rows = [[cosine * jnp.exp(-1j * half_sum), -sine * jnp.exp(1j * half_difference)],
            [sine * jnp.exp(-1j * half_difference), cosine * jnp.exp(1j * half_sum)]]  # fmt: skip
    return jnp.array(rows).astype(jnp.complex64)
