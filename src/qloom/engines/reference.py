"""The reference engine: dense, slow, and the definition of what every other engine must give.

It multiplies textbook matrices from the gate table into a state, one sample and one gate at a time, and knows nothing
of rotations, frames or programs. Circuits with channels take Kraus operators on both sides of a density matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from qloom.circuits.circuit import Circuit
from qloom.circuits.kinds import NOISY
from qloom.circuits.operations import Operation
from qloom.circuits.parameters import Angle
from qloom.engines.base import Engine, Evaluator
from qloom.engines.batch import Batch, check_memory
from qloom.engines.outputs import Outputs
from qloom.errors import ShapeError


class ReferenceEngine(Engine):
    """Complex double arithmetic with whole matrices; for checks on few qubits.

    It runs all gates and channels, and is what every other engine is held to.
    """

    gives = frozenset({"expectations", "probabilities", "state", "density"})
    runs = NOISY

    def evaluator(self, circuit: Circuit, outputs: Outputs) -> Evaluator:
        return ReferenceEvaluator(circuit, outputs)


class ReferenceEvaluator(Evaluator):
    """Values from whole states."""

    def __init__(self, circuit: Circuit, outputs: Outputs):
        self.circuit = circuit.copy()
        self.outputs = outputs
        self.n_outputs = outputs.size

    def values(self, batch: Batch) -> np.ndarray:
        n = self.circuit.n_qubits
        if self.circuit.is_unitary:
            check_memory(32 * batch.size * 2**n, f"{batch.size} states of {n} qubits")
            rows = [self.outputs.of_state(_run(self.circuit, batch, b)) for b in range(batch.size)]
        else:
            check_memory(64 * 4**n, f"a density matrix of {n} qubits")
            rows = [self.outputs.of_density(_run_mixed(self.circuit, batch, b)) for b in range(batch.size)]
        return np.array(rows).reshape(batch.size, self.n_outputs).astype(batch.dtype)


def _run(circuit: Circuit, batch: Batch, sample: int) -> np.ndarray:
    state = _initial(circuit, batch.inputs[sample])
    for op, angles in _operations(circuit, batch, sample):
        state = _apply(op.gate.matrix(*angles), op.qubits, state, circuit.n_qubits)
    return state


def _run_mixed(circuit: Circuit, batch: Batch, sample: int) -> np.ndarray:
    """The density matrix (2^n, 2^n): as a vector of 2n qubits, operators act on the first n, their conjugates on the
    others."""
    n, state = circuit.n_qubits, _initial(circuit, batch.inputs[sample])
    density = np.kron(state, state.conj())
    for op, angles in _operations(circuit, batch, sample):
        if fault := op.gate.fault(*angles):
            raise ShapeError(f"{op.gate.name} of sample {sample}: {fault}")
        others = [n + q for q in op.qubits]
        terms = [(np.asarray(k), np.conj(k)) for k in op.gate.operators(*angles)]
        parts = [_apply(conj, others, _apply(k, op.qubits, density, 2 * n), 2 * n) for k, conj in terms]
        density = np.sum(parts, axis=0)
    return density.reshape(2**n, 2**n)


def _operations(circuit: Circuit, batch: Batch, sample: int) -> Iterator[tuple[Operation, list[float]]]:
    """Each with its angles at one sample."""
    weights = batch.weights if batch.weights.ndim == 1 else batch.weights[sample]
    for op in circuit.operations:
        yield op, [angle_value(angle, batch.inputs[sample], weights) for angle in op.angles]


def _initial(circuit: Circuit, row: np.ndarray) -> np.ndarray:
    size, initial = 2**circuit.n_qubits, circuit.initial
    if initial is None:
        return np.eye(1, size, dtype=complex)[0]
    if initial.values is not None:
        return np.array(initial.values)
    assert initial.real is not None
    state = row[initial.real : initial.real + size].astype(complex)
    if initial.imaginary is not None:
        state += 1j * row[initial.imaginary : initial.imaginary + size]
    return state


def angle_value(angle: Angle, inputs: np.ndarray, weights: np.ndarray) -> float:
    """Radians of an angle at one sample's inputs (I,) and weights (W,)."""
    if angle.is_number:
        return angle.offset
    return angle.scale * float((inputs if angle.source == "input" else weights)[angle.index]) + angle.offset


def _apply(matrix: np.ndarray, qubits: Sequence[int], state: np.ndarray, n_qubits: int) -> np.ndarray:
    k = len(qubits)
    cube = np.moveaxis(state.reshape((2,) * n_qubits), qubits, range(k))
    turned = (matrix @ cube.reshape(2**k, -1)).reshape(cube.shape)
    return np.moveaxis(turned, range(k), qubits).reshape(-1)
