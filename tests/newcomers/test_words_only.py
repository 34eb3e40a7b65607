"""A newcomer in one file: an engine without states, which pulls words back through the circuit."""

from __future__ import annotations

from functools import reduce

import numpy as np

import qloom as ql
from qloom.engines import Batch, Engine, Evaluator, Expectations, Outputs
from qloom.engines.reference import angle_value
from qloom.testing import EngineContract


class Heisenberg(Engine):
    gives = frozenset({"expectations"})

    def evaluator(self, circuit: ql.Circuit, outputs: Outputs) -> Evaluator:
        assert isinstance(outputs, Expectations)
        return HeisenbergEvaluator(circuit.copy(), outputs)


class HeisenbergEvaluator(Evaluator):
    def __init__(self, circuit: ql.Circuit, outputs: Expectations):
        self.circuit, self.observables, self.n_outputs = circuit, outputs.observables, outputs.size

    def values(self, batch: Batch) -> np.ndarray:
        out = np.empty((batch.size, self.n_outputs), batch.dtype)
        for b in range(batch.size):
            for o, observable in enumerate(self.observables):
                out[b, o] = self._pulled_back(observable.matrix(self.circuit.n_qubits), batch, b)[0, 0].real
        return out

    def _pulled_back(self, matrix: np.ndarray, batch: Batch, b: int) -> np.ndarray:
        """U^dagger O U, gate by gate from the end."""
        weights = batch.weights if batch.weights.ndim == 1 else batch.weights[b]
        for op in reversed(self.circuit.operations):
            gate = op.gate.matrix(*(angle_value(angle, batch.inputs[b], weights) for angle in op.angles))
            whole = _on_all(gate, op.qubits, self.circuit.n_qubits)
            matrix = whole.conj().T @ matrix @ whole
        return matrix


def _on_all(gate: np.ndarray, qubits: tuple[int, ...], n: int) -> np.ndarray:
    others = [q for q in range(n) if q not in qubits]
    whole = reduce(np.kron, [gate, *[np.eye(2)] * len(others)]).reshape((2,) * (2 * n))
    order = np.argsort([*qubits, *others])
    return whole.transpose([*order, *(order + n)]).reshape(2**n, 2**n)


class TestHeisenberg(EngineContract):
    def make_engine(self) -> Engine:
        return Heisenberg()
