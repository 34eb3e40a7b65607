"""The metric of states: how far they move when weights do.

Turning an angle by pi more multiplies by -i P at its rotation, exp(-i (a + pi) P / 2) = exp(-i a P / 2) (-i P), so the
derivative of the state by an angle is half the state at that angle plus pi: all derivatives are one batch of states.

Source: Stokes, Izaac, Killoran, Carleo 2020, Quantum 4, 269.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.engines.base import Engine
from qloom.engines.batch import Batch, check_memory, make_batch
from qloom.engines.products import one_thread
from qloom.engines.statevector import StatevectorEngine
from qloom.errors import CircuitError
from qloom.gradients.parameter_shift import FreeAngles, free_rotations

# States of this many bytes are held at once, those of one sample always.
MOST_BYTES = 1 << 26


def metric_tensor(circuit: Circuit, inputs: Any = None, weights: Any = None, *, engine: Engine | None = None) -> Any:
    """The Fubini-Study metric of the final states in the weights, the mean over samples.

    g_ij = Re(<d_i psi|d_j psi> - <d_i psi|psi> <psi|d_j psi>), a quarter of the quantum Fisher information. One state a
    rotation and sample; a weight that stands in several rotations, or is scaled, is taken as what it is.

    Args:
        circuit: with weights.
        engine: StatevectorEngine() by default; one that gives states.

    Shapes: inputs (B, I) or (I,), weights (W,) -> (W, W).

    Raises:
        CircuitError: for a circuit without weights, or weights of their own for each sample.
        MemoryLimitError: where the states of one sample's derivatives do not fit.
        UnsupportedError: for an engine that gives no states.

    Source: Stokes, Izaac, Killoran, Carleo 2020, Quantum 4, 269.
    """
    batch = make_batch(circuit, inputs, weights)
    if not circuit.n_weights or batch.weights.ndim != 1:
        raise CircuitError(
            f"weights has shape {batch.weights.shape} and the circuit {circuit.n_weights} of them, expected (W,), at "
            "least one, shared by all samples"
        )
    tangents = _tangents(circuit.copy()) if engine is None else Tangents(circuit, engine)
    return tangents.mean_metric(batch)


@lru_cache(maxsize=32)
def _tangents(circuit: Circuit) -> Tangents:
    return Tangents(circuit, StatevectorEngine())


class Tangents:
    """The derivatives of a circuit's final states by its weights."""

    def __init__(self, circuit: Circuit, engine: Engine):
        self.circuit = circuit
        free, angles = free_rotations(circuit)
        self.evaluator, self.free = engine.prepare(free, "state"), FreeAngles(angles)
        turned = [angle for angle in angles if angle.source == "weight"]
        self.columns = circuit.n_inputs + np.flatnonzero(~self.free.of_inputs)
        # (W, R): what a weight does to each rotation.
        self.scales = np.zeros((circuit.n_weights, len(turned)))
        self.scales[[angle.index for angle in turned], range(len(turned))] = [angle.scale for angle in turned]

        self.n_states = len(turned) + 1

    def mean_metric(self, batch: Batch) -> np.ndarray:
        """The metric, the mean over samples that share their weights. Shapes: (W, W)."""
        step = max(1, MOST_BYTES // self._bytes_a_sample(batch))
        self._check_memory(batch, min(step, batch.size))
        total = np.zeros((self.circuit.n_weights,) * 2, batch.dtype)
        for start in range(0, batch.size, step):
            total += self.metrics(Batch(batch.inputs[start : start + step], batch.weights, False)).sum(axis=0)
        return total / max(1, batch.size)

    def _bytes_a_sample(self, batch: Batch) -> int:
        """Of the states, the angles that make them, and their products."""
        angles = batch.inputs.shape[1] + len(self.free.angles)
        numbers = self.n_states * (2 * 2**self.circuit.n_qubits + angles + 2 * self.n_states)
        return batch.dtype.itemsize * numbers

    def _check_memory(self, batch: Batch, n_samples: int) -> None:
        needed = 2 * n_samples * self._bytes_a_sample(batch)
        check_memory(needed, f"{n_samples} x {self.n_states} states of {self.circuit.n_qubits} qubits and their angles")

    def metrics(self, batch: Batch) -> np.ndarray:
        """Of every sample, (B, W, W)."""
        states, scales = self.states(batch), self.scales.astype(batch.dtype)
        parts = states.view(batch.dtype)[:, 1:]  # real and imaginary parts side by side: products give Re <a|b>
        phases = (states[:, 1:] @ states[:, 0, :, None].conj())[..., 0].imag  # of i <d_r psi|psi>
        with one_thread():
            products = parts @ parts.swapaxes(1, 2)
        metric = (products - phases[:, :, None] * phases[:, None, :]) / 4
        return scales @ metric @ scales.T

    def rows(self, batch: Batch) -> np.ndarray:
        """A root of the mean metric: rows @ rows.T is the metric. Shapes: (W, B 2 2^n)."""
        self._check_memory(batch, batch.size)
        states = self.states(batch)
        state, turned = states[:, :1], states[:, 1:]
        across = ((turned - (turned @ state.conj().swapaxes(1, 2)) * state) / 2).view(batch.dtype)
        flat = across.swapaxes(0, 1).reshape(self.n_states - 1, -1) / np.sqrt(max(1, batch.size))
        from scipy.sparse import csr_array  # loaded by those who take a metric, not by every layer

        return csr_array(self.scales.astype(batch.dtype)) @ flat.astype(batch.dtype)

    def states(self, batch: Batch) -> np.ndarray:
        """The state, then that with each angle turned by pi, twice its derivative: (B, R + 1, 2^n)."""
        rows = np.repeat(self.free.inputs(batch), self.n_states, axis=0).reshape(batch.size, self.n_states, -1)
        rows[:, range(1, self.n_states), self.columns] += np.pi
        flat = Batch(rows.reshape(batch.size * self.n_states, -1), np.zeros(0, batch.dtype), False)
        states = self.evaluator.values(flat).view(np.result_type(batch.dtype, np.complex64))
        return states.reshape(batch.size, self.n_states, -1)

    def layers_of_weights(self) -> np.ndarray:
        """Which layer of the circuit a weight first acts in: weights of one layer act on different qubits. (W,)"""
        depth, layers = [0] * self.circuit.n_qubits, np.full(self.circuit.n_weights, -1)
        for op in self.circuit.operations:
            for angle in op.angles:
                if angle.source == "weight" and layers[angle.index] < 0:
                    layers[angle.index] = max((depth[qubit] for qubit in op.qubits), default=0)
                    for qubit in op.qubits:
                        depth[qubit] = layers[angle.index] + 1
            after = max((depth[qubit] for qubit in op.qubits), default=0)
            for qubit in op.qubits:
                depth[qubit] = after
        return layers
