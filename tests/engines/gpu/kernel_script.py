"""Every kernel of the engine for GPUs on the host: whole states, swept ones, many circuits, draws, flips.

Run as a script in a process of its own, for builds that watch memory and threads: "address,undefined" or "thread", and
the kernels' source where it is another. Prints "agreed" when all kernels were launched and gave what the CPU's engine
gives.
"""

from __future__ import annotations

import numpy as np

import qloom as ql
from qloom.engines import Batch, Engine, Expectations, FinalState, Outputs, Probabilities, StatevectorEngine

KINDS = ("expectations", "probabilities", "state", "linear")
STARTS = ("zero", "fixed", "inputs")
TOLERANCE = {"f4": 1e-5, "f8": 1e-11}
# Blocks of so many threads that large states are worked on by several of them, also on the host.
FEW_THREADS = 64


def circuit_of(n_qubits: int, start: str = "zero", real: bool = False, n_layers: int = 2) -> ql.Circuit:
    """Slots several times, with scales and signs, in rotations about many words; gates between them.

    Args:
        start: where the state comes from, one of STARTS.
        real: whether its amplitudes stay real.
    """
    circuit = ql.Circuit(n_qubits)
    if start == "fixed":
        circuit.prepare_amplitudes(unit_vector(2**n_qubits, real))
    elif start == "inputs":
        circuit.prepare_amplitudes(*(circuit.inputs(2**n_qubits) for _ in range(1 if real else 2)))
    x, w = circuit.inputs(n_qubits), circuit.weights(2 * n_qubits)
    for q in range(n_qubits):
        circuit.h(q).ry(-1.5 * x[q], q).ry(w[q] + 0.3, q)
    for layer in range(n_layers):
        for q in range(n_qubits if n_qubits > 1 else 0):
            circuit.cz(q, (q + 1 + layer % (n_qubits - 1)) % n_qubits)
        for q in range(n_qubits):
            circuit.ry(w[n_qubits + q], q)
            if not real:
                circuit.rz(0.5 * w[q], q).rx(x[q], q)
    return circuit


def unit_vector(size: int, real: bool) -> np.ndarray:
    rng = np.random.default_rng(size)
    vector = rng.normal(size=size) + 1j * rng.normal(size=size) * (not real)
    return vector / np.linalg.norm(vector)


def outputs_of(kind: str, n_qubits: int, real: bool = False) -> Outputs:
    """Of a kind; words of a real state's expectations have no odd number of Y."""
    if kind == "probabilities":
        return Probabilities(tuple(range(n_qubits))[::-2])
    if kind != "expectations":
        return FinalState(n_qubits, linear=kind == "linear")
    last = n_qubits - 1
    words = [ql.Z(0), ql.X(last) @ ql.Z(0) - 0.7 * ql.Z(last) + 0.5 if last else ql.X(0), sum_of_many(n_qubits)]
    return Expectations(tuple(words if real else [*words, ql.Y(last) - 0.3 * ql.X(0)]))


def sum_of_many(n_qubits: int) -> ql.PauliSum:
    """More words of one kind than are measured in one walk over a state."""
    words = [ql.pauli("X" * k + "Y", range(k + 1)) @ ql.Z(n_qubits - 1) for k in range(min(2, n_qubits - 1))]
    ends = [ql.pauli("Z" * k + "I" * (n_qubits - k - 1) + "Z", range(n_qubits)) for k in range(n_qubits)]
    ones = [ql.Z(q) for q in range(n_qubits - 1)]
    return sum((0.1 * (k + 1) * word for k, word in enumerate(words + ends)), 0.25 * sum(ones, ql.Z(n_qubits - 1)))


def arrays_of(circuit: ql.Circuit, n_samples: int, dtype: str = "f8", own: bool = False, norm: float = 1) -> Batch:
    """Random inputs and weights, each sample's own ones or not; amplitudes among the inputs have this norm."""
    rng = np.random.default_rng(n_samples)
    inputs = rng.uniform(-3, 3, (n_samples, circuit.n_inputs))
    if circuit.initial is not None and circuit.initial.values is None:
        firsts = [first for first in (circuit.initial.real, circuit.initial.imaginary) if first is not None]
        columns = np.concatenate([first + np.arange(2**circuit.n_qubits) for first in firsts])
        inputs[:, columns] *= norm / np.linalg.norm(inputs[:, columns], axis=1, keepdims=True)
    weights = rng.uniform(-3, 3, (n_samples, circuit.n_weights) if own else circuit.n_weights)
    return Batch(inputs.astype(dtype), weights.astype(dtype), single=False)


def exact(batch: Batch) -> Batch:
    """The same numbers in double precision."""
    return Batch(batch.inputs.astype("f8"), batch.weights.astype("f8"), False)


def cotangents_of(batch: Batch, n_outputs: int) -> np.ndarray:
    return np.random.default_rng(n_outputs).normal(size=(batch.size, n_outputs)).astype("f4").astype(batch.dtype)


def results(engine: Engine, circuit: ql.Circuit, outputs: Outputs, batch: Batch) -> list[np.ndarray]:
    """Values, and derivatives by inputs and by weights."""
    evaluator = engine.prepare_adjoint(circuit, outputs)
    values, kept = evaluator.forward(batch, keep=True)
    cotangents = cotangents_of(batch, evaluator.n_outputs)
    d_inputs, d_weights = evaluator.backward(batch, cotangents, kept, (True, True))
    assert d_inputs is not None
    assert d_weights is not None
    return [values, d_inputs, d_weights]


def check_results(engine: Engine, circuit: ql.Circuit, outputs: Outputs, batch: Batch, near: float = 0) -> None:
    """Against the CPU's engine, in double precision at the same numbers."""
    right = results(StatevectorEngine(1), circuit, outputs, exact(batch))
    check_near(results(engine, circuit, outputs, batch), right, batch.dtype.str[1:], near)


def check_near(found: list[np.ndarray], right: list[np.ndarray], dtype: str, near: float = 0) -> None:
    """Values, d_inputs, d_weights; slopes are sums of many."""
    for mine, truth, wider in zip(found, right, (1, 4, 16), strict=True):
        assert mine.dtype == dtype
        size = max(1.0, float(np.abs(truth).max(initial=0)))
        np.testing.assert_allclose(mine, truth, rtol=0, atol=wider * size * (near or TOLERANCE[dtype]))
