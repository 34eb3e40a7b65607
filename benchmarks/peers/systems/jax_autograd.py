"""What systems that are JAX programs share: jit, value and gradient of the loss."""

import jax
import jax.numpy as jnp
import numpy as np


class JaxSystem:
    """Subclasses give model(x, weights) -> (B, n), which is traced."""

    precision = "complex64"

    def __init__(self, problem):
        self.data = tuple(jnp.asarray(problem[name], jnp.float32) for name in ("inputs", "weights", "targets"))
        self._step = jax.jit(jax.value_and_grad(self._loss, argnums=(0, 1)))
        self._forward = jax.jit(self.model)

    def _loss(self, x, weights, targets):
        return jnp.square(self.model(x, weights) - targets).sum(axis=1).mean()

    def step(self):
        loss, (d_inputs, d_weights) = self._step(*self.data)
        return jax.block_until_ready((loss, d_inputs, d_weights))

    def forward(self):
        return (jax.block_until_ready(self._forward(*self.data[:2])),)

    def arrays(self, found):
        return [np.asarray(array) for array in found]


def z_values(state, n):
    """<Z_q> of one state (2^n,), by sums over the other qubits."""
    cube = (jnp.abs(state) ** 2).reshape((2,) * n)
    marginals = [cube.sum(axis=tuple(p for p in range(n) if p != q)) for q in range(n)]
    return jnp.stack([pair[0] - pair[1] for pair in marginals])
