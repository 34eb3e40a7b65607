"""PennyLane's estimate of the same words, value and gradient; run by `iqp_step` in an environment of its own."""

import json
import resource
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pennylane
from pennylane.qnn import iqp_expval

folder, n_strings, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
work = np.load(f"{folder}/work.npz")
pattern = [[work["qubits"][a:b].tolist()] for a, b in zip(work["starts"][:-1], work["starts"][1:], strict=True)]
words, weights, n = jnp.array(work["words"].astype(np.float32)), jnp.array(work["weights"]), work["words"].shape[1]


def estimate(weights, words, key):  # words change from step to step; a constant would be folded, which takes minutes
    return iqp_expval(words, weights, pattern, n, n_strings, key)


@jax.jit
def step(weights, words, key):
    return jax.value_and_grad(lambda w: jnp.mean(estimate(w, words, key)[0] ** 2))(weights)


key = jax.random.PRNGKey(0)
means, errors = jax.jit(estimate)(weights, words, key)
np.savez(f"{folder}/values.npz", means=means, errors=errors)
jax.block_until_ready(step(weights, words, key))
seconds = []
for k in range(repeats):
    start = time.perf_counter()
    jax.block_until_ready(step(weights, words, jax.random.PRNGKey(k)))
    seconds.append(time.perf_counter() - start)
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(json.dumps({"version": f"pennylane {pennylane.__version__}, jax {jax.__version__}", "seconds": seconds,
                  "megabytes": megabytes}))  # fmt: skip
