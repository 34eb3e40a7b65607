"""A noisy engine of the tests: channels by their Kraus operators in dense density matrices, values only."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from qloom.circuits.gate import Gate
from qloom.circuits.gates import GATES
from qloom.engines import Engine, Evaluator, Expectations
from qloom.engines.outputs import marginals
from qloom.engines.reference import angle_value
from qloom.observables import word_letters

_PAULIS = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]


def words(k):
    out = []
    for letters in product(range(4), repeat=k):
        m = np.eye(1)
        for l in letters:
            m = np.kron(m, _PAULIS[l])
        out.append(m)
    return np.array(out)


class PauliGate(Gate):
    def pauli(self, p):
        k = 4**self.n_qubits
        out = np.full(k, p / (k - 1))
        out[0] = 1 - p
        return out


@cache
def depolarizing(k):
    def kraus(p):
        n = 4**k
        weights = np.full(n, p / (n - 1))
        weights[0] = 1 - p
        return np.sqrt(weights)[:, None, None] * words(k)

    return PauliGate("depolarizing", k, 1, "depolarizing", kind="channel", kraus=kraus)


class ReadoutGate(Gate):
    def confusion(self):
        return self.data.matrix


class Matrix:
    """Compared by identity: data of a gate."""

    def __init__(self, matrix):
        self.matrix = np.asarray(matrix, float)


def readout(matrix):
    """Bits read wrong by a matrix, columns true, of one qubit or of several together."""
    k = len(matrix).bit_length() - 1
    return ReadoutGate("confusion", k, 0, "readout", kind="readout", kraus=lambda: (np.eye(2**k),), data=Matrix(matrix))


class Dense(Engine):
    runs = frozenset({"unitary", "channel", "measurement", "reset", "readout"})

    def evaluator(self, circuit, outputs):
        return DenseEvaluator(circuit, outputs)


class DenseEvaluator(Evaluator):
    def __init__(self, circuit, outputs):
        self.circuit, self.outputs, self.n_outputs = circuit.copy(), outputs, outputs.size

    def values(self, batch):
        n = self.circuit.n_qubits
        rows = np.zeros((batch.size, self.n_outputs))
        for b in range(batch.size):
            w = batch.weights if batch.weights.ndim == 1 else batch.weights[b]
            rho = np.zeros((2**n, 2**n), complex)
            rho[0, 0] = 1
            reads = [op for op in self.circuit.operations if op.gate.kind == "readout"]
            for op in self.circuit.operations:
                angles = [angle_value(a, batch.inputs[b], w) for a in op.angles]
                if op not in reads:
                    rho = _channel(op.gate.operators(*angles), op.qubits, rho, n)
            if isinstance(self.outputs, Expectations):
                rows[b] = [_mean(o, rho, reads, n) for o in self.outputs.observables]
            else:
                rows[b] = marginals(_read(rho, reads, n), n, self.outputs.qubits)
        return rows.astype(batch.dtype)


def _channel(operators, qubits, rho, n):
    return sum(_left(k, qubits, _left(k, qubits, rho, n).conj().T, n) for k in map(np.asarray, operators))


def _read(rho, reads, n):
    """Probabilities of measured outcomes."""
    table = np.diag(rho).real
    for op in reads:
        table = _left(op.gate.confusion(), op.qubits, table[:, None], n)[:, 0]
    return table


def _mean(observable, rho, reads, n):
    """Each word in its own basis, as it is measured."""
    if not reads:
        return np.trace(observable.matrix(n) @ rho).real
    total = 0.0
    for coefficient, word in observable:
        turned, parity = rho, np.zeros(2**n, int)
        for qubit, letter in word_letters(word).items():
            for gate in {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}[letter]:
                turned = _channel(GATES[gate].operators(), (qubit,), turned, n)
            parity ^= np.arange(2**n) >> (n - 1 - qubit) & 1
        total += np.real(coefficient) * ((1 - 2 * parity) @ _read(turned, reads, n))
    return total


def _left(matrix, qubits, rho, n):
    k = len(qubits)
    cube = np.moveaxis(rho.reshape((2,) * n + (-1,)), qubits, range(k))
    turned = (np.asarray(matrix) @ cube.reshape(2**k, -1)).reshape(cube.shape)
    return np.moveaxis(turned, range(k), qubits).reshape(rho.shape)


class Noisy(Engine):
    """A noise model by a function that gives the operations behind each of the circuit's, and those behind all."""

    def __init__(self, engine, after, last=()):
        self.engine, self.after, self.last = engine, after, last
        self.runs = engine.runs

    def running(self, circuit):
        out = circuit.copy()
        out.operations = []
        for op in circuit.operations:
            out.operations.append(op)
            for gate, angles, qubits in self.after(op, circuit.n_qubits) if op.qubits else ():
                out.append(gate, angles, qubits)
        for gate, angles, qubits in self.last:
            out.append(gate, angles, qubits)
        return self.engine.running(out)

    def prepare(self, circuit, observables=None):
        engine, written = self.running(circuit)
        return engine.prepare(written, observables)

    def evaluator(self, circuit, outputs):
        raise AssertionError

    def sampler(self, circuit, qubits):
        engine, written = self.running(circuit)
        return engine.sampler(written, qubits)


def after_gates(rate):
    """Depolarizing on the qubits of every gate."""
    return lambda op, n: [(depolarizing(len(op.qubits)), (rate,), op.qubits)]


def on_all(rate):
    """Depolarizing on the whole register after every gate."""
    return lambda op, n: [(depolarizing(n), (rate,), range(n))]


@cache
def damping():
    def kraus(g):
        return np.array([[[1, 0], [0, np.sqrt(1 - g)]], [[0, np.sqrt(g)], [0, 0]]])

    return Gate("amplitude_damping", 1, 1, "amplitude damping", kind="channel", kraus=kraus)
