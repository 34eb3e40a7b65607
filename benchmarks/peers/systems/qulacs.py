"""Qulacs, in double precision, its only one: a sample at a time, gradients by its backprop.

One backprop of the observable sum_q g_q Z_q, with g_q the cotangents of the sample, gives all derivatives.
"""

from itertools import combinations

import numpy as np
import qulacs
from systems.circuit import gates, numbers, size_of

SHOTS = 1_000_000


class System:
    precision = "complex128"

    def __init__(self, problem, threads):
        self.problem = problem
        self.n, self.batch, self.n_layers = size_of(problem)
        self.state = qulacs.QuantumState(self.n)
        self.z = [observable(self.n, {q: 1.0}) for q in range(self.n)]
        self.circuit = qulacs.ParametricQuantumCircuit(self.n)
        self.slots = []
        makers = {"ry": self.circuit.add_parametric_RY_gate, "rz": self.circuit.add_parametric_RZ_gate}
        for name, qubits, angle in gates(self.n, self.n_layers):
            if angle is None:
                self.circuit.add_CNOT_gate(*qubits)
            else:
                makers[name](*qubits, 0.0)
                self.slots.append(angle)

    def _run(self, sample):
        """Its rotations are exp(+i a P / 2): angles change sign."""
        values = {"input": self.problem["inputs"][sample], "weight": self.problem["weights"]}
        for index, (source, place) in enumerate(self.slots):
            self.circuit.set_parameter(index, -values[source][place])
        self.state.set_zero_state()
        self.circuit.update_quantum_state(self.state)

    def _values(self):
        return np.array([z.get_expectation_value(self.state) for z in self.z])

    def step(self):
        loss, d_inputs = 0.0, np.zeros((self.batch, self.n))
        d_weights = np.zeros(self.problem["weights"].size)
        sources = np.array([source == "input" for source, _ in self.slots])
        for sample in range(self.batch):
            self._run(sample)
            difference = self._values() - self.problem["targets"][sample]
            loss += (difference**2).sum() / self.batch
            weighed = observable(self.n, dict(enumerate(2 * difference / self.batch)))
            slopes = -np.array(self.circuit.backprop(weighed))
            d_inputs[sample] = slopes[sources]
            d_weights += slopes[~sources]
        return loss, d_inputs, d_weights

    def forward(self):
        if self.batch == 1:
            return (self._run_optimized()[None],)
        rows = []
        for sample in range(self.batch):
            self._run(sample)
            rows.append(self._values())
        return (np.array(rows),)

    def _fixed(self):
        circuit = qulacs.QuantumCircuit(self.n)
        makers = {"ry": circuit.add_RY_gate, "rz": circuit.add_RZ_gate}
        for name, qubits, angle in numbers(self.problem):
            if angle is None:
                circuit.add_CNOT_gate(*qubits)
            else:
                makers[name](*qubits, -angle)
        qulacs.circuit.QuantumCircuitOptimizer().optimize_light(circuit)
        return circuit

    def _run_fixed(self):
        self.fixed = getattr(self, "fixed", None) or self._fixed()
        self.state.set_zero_state()
        self.fixed.update_quantum_state(self.state)

    def _run_optimized(self):
        self._run_fixed()
        return self._values()

    def probabilities(self):
        """Its index has qubit 0 as the least significant bit: the bits are reversed."""
        self._run_fixed()
        cube = (np.abs(self.state.get_vector()) ** 2).reshape((2,) * self.n)
        return (cube.transpose().reshape(1, -1),)

    def variance(self):
        """Of sum_q Z_q, whose square is n + 2 sum_{p<q} Z_p Z_q."""
        self.square = getattr(self, "square", None) or square_of_sum(self.n)
        self._run_fixed()
        mean = sum(self._values())
        return (np.array([self.square.get_expectation_value(self.state) - mean**2]),)

    def samples(self):
        self._run_fixed()
        outcomes = np.array(self.state.sampling(SHOTS))
        return (np.stack([outcomes >> q & 1 for q in range(self.n)], axis=1).astype(np.uint8),)

    def kernel(self):
        rows = np.empty((self.batch, 2**self.n), np.complex128)
        for sample in range(self.batch):
            self._run(sample)
            rows[sample] = self.state.get_vector()
        return (np.abs(rows @ rows.conj().T) ** 2,)

    def arrays(self, found):
        return [1 - 2.0 * array.mean(axis=0) if np.shape(array) == (SHOTS, self.n) else array for array in found]


def square_of_sum(n):
    total = qulacs.Observable(n)
    total.add_operator(float(n), "I 0")
    for p, q in combinations(range(n), 2):
        total.add_operator(2.0, f"Z {p} Z {q}")
    return total


def observable(n, weights):
    """sum_q weights[q] Z_q."""
    total = qulacs.Observable(n)
    for q, weight in weights.items():
        total.add_operator(float(weight), f"Z {q}")
    return total
