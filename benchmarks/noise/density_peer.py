"""A noisy training step in another system; run by `density_step` in an environment of its own.

Reads the work from a file, answers "ready" with how long compiling took, and then every line of its input with the
seconds of one step. Loss, values and gradients of the last step are left in a file.
"""

import json
import resource
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

system, folder = sys.argv[1], sys.argv[2]
work = np.load(f"{folder}/work.npz")
inputs, weights, targets = (jnp.asarray(work[name], jnp.float32) for name in ("inputs", "weights", "targets"))
rate = jnp.float32(work["rate"])
n = inputs.shape[1]


def gates_of_layer(layer):
    """(name, qubits, angle) of one layer, angles (n, 3)."""
    for q in range(n):
        yield from (("rz", (q,), layer[q, 0]), ("ry", (q,), layer[q, 1]), ("rz", (q,), layer[q, 2]))
    for q in range(n):
        yield "cnot", (q, (q + 1) % n), None


def tensorcircuit(kind):
    import tensorcircuit as tc

    tc.set_backend("jax")
    tc.set_dtype("complex64")
    make = getattr(tc, kind)

    def put(circuit, gates, p):
        for name, qubits, angle in gates:
            getattr(circuit, name)(*qubits, **({} if angle is None else {"theta": angle}))
            for q in qubits:
                circuit.depolarizing(q, px=p / 3, py=p / 3, pz=p / 3)
        return circuit.state()

    @jax.checkpoint  # states within a layer are found again: kept for all layers they would not fit in memory
    def next_state(density, layer, p):
        return put(make(n, dminputs=density), gates_of_layer(layer), p)

    def one(x, weights, p):
        first = put(make(n), [("ry", (q,), x[q]) for q in range(n)], p)
        density, _ = jax.lax.scan(lambda state, layer: (next_state(state, layer, p), None), first, weights)
        outcomes = jnp.real(jnp.diagonal(density)).reshape((2,) * n)
        sums = [outcomes.sum(axis=tuple(k for k in range(n) if k != q)) for q in range(n)]
        return jnp.stack([pair[0] - pair[1] for pair in sums])

    return one, f"tensorcircuit-ng {tc.__version__} {kind}, jax {jax.__version__}"


def pennylane():
    import pennylane as qml

    names = {"rz": qml.RZ, "ry": qml.RY, "cnot": qml.CNOT}
    device = qml.device("default.mixed", wires=n)

    @qml.qnode(device, interface="jax", diff_method="backprop")
    def one(x, weights, p):
        gates = [("ry", (q,), x[q]) for q in range(n)]
        for layer in weights:
            gates += list(gates_of_layer(layer))
        for name, qubits, angle in gates:
            names[name](*(() if angle is None else (angle,)), wires=qubits)
            for q in qubits:
                qml.DepolarizingChannel(p, wires=q)
        return [qml.expval(qml.PauliZ(q)) for q in range(n)]

    def stacked(x, weights, p):
        return jnp.stack(one(x, weights, p))

    return stacked, f"pennylane {qml.__version__} default.mixed, jax {jax.__version__}"


one, version = pennylane() if system == "pennylane" else tensorcircuit(system)


def values_of(x, weights, p):
    if system == "pennylane":  # reverse mode keeps every state: one sample at a time
        return jax.lax.map(lambda row: one(row, weights, p), x)
    return jax.vmap(one, (0, None, None))(x, weights, p)


def loss(x, weights, p):
    values = values_of(x, weights, p)
    return ((values - targets) ** 2).sum(axis=1).mean(), values


start = time.perf_counter()
step = jax.jit(jax.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True)).lower(inputs, weights, rate).compile()
print(json.dumps({"version": version, "compiling": time.perf_counter() - start}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    (_, values), slopes = jax.block_until_ready(step(inputs, weights, rate))
    seconds = time.perf_counter() - start
    np.savez(f"{folder}/found.npz", values=values, d_inputs=slopes[0], d_weights=slopes[1], d_rate=slopes[2])
    print(json.dumps({"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}),
          flush=True)  # fmt: skip
